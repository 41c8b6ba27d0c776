import { fork } from "node:child_process";
import { once } from "node:events";
import { appendFile, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, request, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { agentStatus, stopAgent } from "../../provider/operations/agent";
import { inspect } from "../../provider/operations/inspect";
import { ensureAgent } from "../../provider/platforms/local/ensure-agent";
import { ensureHome, layoutOf } from "../../provider/platforms/local/home";
import { thisProgram } from "../../provider/platforms/local/program";
import { systemClock } from "../../provider/system/clock";
import { makeCheckout } from "../support/checkout";
import { eventually, makeTestHome } from "../support/data-home";

const SCRIPT = `
const [, , checkout, home, action] = process.argv;
const load = (path) => require(checkout + "/dist/provider/" + path);
const { openPlatform } = load("operations/open-platform.js");
const { provision } = load("operations/provision.js");
const { systemClock } = load("system/clock.js");
const task = { signal: AbortSignal.timeout(60000), clock: systemClock, progress: () => undefined };
const wish = { plan: "s_mono", tier: "standard", access: "standard", evictionPolicy: "noeviction", bind: "127.0.0.1" };
const claim = { kind: "create", token: "t1", caller: { project: "shop", stack: "dev" } };
(async () => {
  const platform = await openPlatform({ kind: "local", dataHome: home });
  if (action === "create") await provision(platform, { name: "cache", claim, wish, given: [] }, task);
  if (action === "backup") console.log((await platform.backUp("cache", task)).slot);
})().catch((error) => { console.error(String(error)); process.exitCode = 1; });
`;

/** What a user's program would do with the package of that checkout. */
async function useCheckout(checkout: string, home: string, action: string): Promise<void> {
  const script = join(home, "..", `${home.split("/").at(-1)}-use.cjs`);
  await writeFile(script, SCRIPT);
  try {
    const child = fork(script, [checkout, home, action], { stdio: "inherit" });
    const [code] = (await once(child, "exit")) as [number];
    expect(code).toBe(0);
  } finally {
    await rm(script);
  }
}

it("hands over to another build without stopping a server", async () => {
  await using checkout = await makeCheckout();
  await using home = await makeTestHome();
  await useCheckout(checkout.folder, home.path, "create");
  const [oldAgent, server] = [await home.agentPid(), await home.serverPid("cache")];

  await appendFile(join(checkout.folder, "dist/provider/agent/main.js"), "\n// another build\n");
  await useCheckout(checkout.folder, home.path, "backup");
  const newAgent = await home.agentPid();
  expect(newAgent).not.toBe(oldAgent);
  expect(await home.serverPid("cache")).toBe(server);
  const status = await inspect(home.platform, "cache", home.task);
  expect(status?.server).toMatchObject({ state: "running", pid: server });
});

it("serves no call from an agent of another build that was asked to leave and still answers", async () => {
  await using home = await makeTestHome();
  const layout = layoutOf(home.path);
  await ensureHome(layout);
  const { version } = await thisProgram();
  let asked = 0;
  const leaving = createServer((call, response) => {
    if (call.url === "/stop") asked++;
    const result = call.url === "/stop" ? { stopped: [] } : { program: "another build", version, pid: 1 };
    response.end(`${JSON.stringify({ kind: "result", result })}\n`);
  });
  leaving.listen(layout.socket);
  await once(leaving, "listening");
  let served = 0;
  const calls = [1, 2].map(async () => {
    await ensureAgent(layout, systemClock, home.task.signal);
    served++;
  });
  await eventually("it was asked", () => Promise.resolve(asked > 0));
  // As many looks as it takes to find that it still answers.
  for (let look = 0; look < 4; look++) await once(leaving, "request");
  expect(served).toBe(0);
  leaving.close();
  leaving.closeAllConnections();
  await Promise.all(calls);
  expect(asked).toBe(1);
  expect((await agentStatus(home.path)).agent?.program).toBe((await thisProgram()).id);
});

it("goes on, with its jobs, when the checkout that started it is removed", async () => {
  const checkout = await makeCheckout();
  await using home = await makeTestHome();
  await useCheckout(checkout.folder, home.path, "create");
  await checkout[Symbol.asyncDispose]();
  const killed = await home.serverPid("cache");
  process.kill(killed, "SIGKILL");
  await eventually("the server is restarted", async () => {
    const status = await inspect(home.platform, "cache", home.task);
    return status?.server.state === "running" && status.server.pid !== killed;
  });
  // A job is a process that is started by path: the copy below the data home must hold it.
  const agent = await home.agentPid();
  const answer = await fetchOverSocket(join(home.path, "agent.sock"), "backUp", { name: "cache" });
  expect(answer).toMatchObject({ kind: "result", result: { slot: expect.stringMatching(/^\d{8}T/) } });
  expect(await home.agentPid()).toBe(agent);
  expect(await readFile(join(home.path, "agent.log"), "utf8")).not.toContain("failed");
  await stopAgent(home.path, false, home.task);
});

/** Straight to the agent: the platform's client would first put its own build in its place. */
async function fetchOverSocket(socketPath: string, name: string, argument: unknown): Promise<unknown> {
  const call = request({ socketPath, path: `/${name}`, method: "POST" });
  call.end(JSON.stringify(argument));
  const [response] = (await once(call, "response")) as [IncomingMessage];
  return JSON.parse((await text(response)).trim().split("\n").at(-1) ?? "");
}
