import { delimiter, dirname, join } from "node:path";
import { readFile } from "node:fs/promises";
import type { AddonRecord } from "../../provider/core/facets";
import { redisUrl } from "../../provider/core/uri";
import type { ServerRequest } from "../../provider/platforms/contract";
import { provision, type Provisioned } from "../../provider/operations/provision";
import { matrix } from "../support/matrix";
import type { Tool } from "../support/tools";
import { carries, creates, eventually, SMALL, type TestHome } from "../support/data-home";
import { connectUrl } from "../support/stack-user";
import { inspect } from "../../provider/operations/inspect";

/** An add-on of this wish, made or changed. */
export function make(home: TestHome, name: string, wish: Partial<ServerRequest> = {}): Promise<Provisioned> {
  const request = { name, claim: creates("t1"), wish: { ...SMALL, ...wish }, given: [] };
  return provision(home.platform, request, home.task);
}

export function change(
  home: TestHome,
  name: string,
  wish: Partial<ServerRequest>,
  task = home.task,
): Promise<Provisioned> {
  const request = { name, claim: carries("t1"), wish: { ...SMALL, ...wish }, given: [] };
  return provision(home.platform, request, task);
}

/** One command as the add-on's user, as soon as the server lets anybody in. */
export async function run(
  { server, credentials }: AddonRecord,
  ...command: [string, ...string[]]
): Promise<unknown> {
  const { port } = server.wish;
  await using client = await connectUrl(
    redisUrl({ host: "127.0.0.1", port, password: credentials.password }),
  );
  return await client.command(...command);
}

/** Kills the add-on's server and waits until another one runs. */
export async function crash(home: TestHome, name: string): Promise<void> {
  const killed = await home.serverPid(name);
  process.kill(killed, "SIGKILL");
  await eventually("another server runs", async () => {
    const status = await inspect(home.platform, name, home.task);
    return status?.server.state === "running" && status.server.pid !== killed;
  });
}

export function agentLog(home: TestHome): Promise<string> {
  return readFile(join(home.path, "agent.log"), "utf8");
}

/** Those of the matrix that add-ons run on. */
export const supported: readonly Tool[] = matrix.filter(({ name }) => !name.startsWith("Redis 6"));

/** As an add-on's record spells it: `7.2.4`, `valkey-8.1.8`. */
export function spellingOf({ name }: Tool): string {
  const [kind = "", version = ""] = name.split(" ");
  return kind === "Valkey" ? `valkey-${version}` : version;
}

/** Puts these servers on the PATH until it is disposed of; add-ons find their versions there. */
export function onPath(...folders: readonly string[]): Disposable {
  const before = process.env["PATH"];
  const known = supported.filter(({ unavailable }) => unavailable === undefined);
  const all = [before ?? "", ...folders, ...known.map(({ path }) => dirname(path))];
  process.env["PATH"] = all.filter((folder) => folder !== "").join(delimiter);
  return {
    [Symbol.dispose]: () => {
      process.env["PATH"] = before;
    },
  };
}
