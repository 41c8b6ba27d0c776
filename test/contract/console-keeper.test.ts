import { access, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type * as Keeper from "../../provider/agent/console/keep-console";
import { consolePort } from "../../provider/agent/console/console-port";
import type { ConsoleSetting } from "../../provider/core/console-setting";
import type { Clock } from "../../provider/core/task";
import { ensureHome, layoutOf } from "../../provider/platforms/local/home";
import { systemClock } from "../../provider/system/clock";
import { eventually } from "../support/data-home";
import { movedClock } from "../support/moved-clock";

/** As it ships: it starts what lies beside it. */
const load = createRequire(import.meta.url);
const { ConsoleKeeper } = load("../../dist/provider/agent/console/keep-console.js") as typeof Keeper;

interface Kept extends AsyncDisposable {
  readonly keeper: Keeper.ConsoleKeeper;
  readonly task: { readonly clock: Clock; readonly signal: AbortSignal; readonly progress: () => void };
  used(): number;
  isServed(): Promise<boolean>;
  pid(): Promise<number>;
}

/** A keeper in an agent that is busy until `settled`. */
async function keep(clock: Clock, settled: Promise<void>): Promise<Kept> {
  const root = await mkdtemp(join(tmpdir(), "rak-"));
  const layout = layoutOf(root);
  const leaving = new AbortController();
  let used = 0;
  const keeper = new ConsoleKeeper({
    ...{ layout, clock, settled: () => settled, setting: { kind: "usual" } satisfies ConsoleSetting },
    identity: await ensureHome(layout),
    onUse: () => (used += 1),
  });
  const run = keeper.run(leaving.signal);
  return {
    keeper,
    task: { clock: systemClock, signal: AbortSignal.timeout(30_000), progress: () => undefined },
    used: () => used,
    isServed: () =>
      access(layout.console).then(
        () => true,
        () => false,
      ),
    pid: async () => (JSON.parse(await readFile(layout.console, "utf8")) as { pid: number }).pid,
    [Symbol.asyncDispose]: async () => {
      leaving.abort();
      await run;
      await rm(root, { recursive: true });
    },
  };
}

const never = new Promise<void>(() => undefined);

it("a console is there for who wants to log in, however young and busy the agent is", async () => {
  await using young = await keep(movedClock(0), never);
  expect(await young.keeper.login(young.task)).toMatch(/token=/);

  const clock = movedClock(0);
  await using busy = await keep(clock, never);
  await eventually("it waits", async () => clock.pauses(5_000) === 1);
  await clock.advance(5_000);
  expect(await busy.keeper.login(busy.task)).toMatch(/token=/);
});

it("a console is there by itself once the agent is some seconds old and has nothing to do", async () => {
  const clock = movedClock(0);
  const idle = Promise.withResolvers<void>();
  await using kept = await keep(clock, idle.promise);
  await eventually("it waits", async () => clock.pauses(5_000) === 1);
  await clock.advance(5_000);
  expect(await kept.isServed()).toBe(false);
  idle.resolve();
  await eventually("it is served", () => kept.isServed());
});

it("a console tells while somebody looks at it, or has yet to log in: so long the agent stays", async () => {
  await using kept = await keep(systemClock, never);
  const url = await kept.keeper.login(kept.task);
  await eventually("it is awaited", async () => kept.used() > 0);
  const answer = await fetch(url, { redirect: "manual" });
  const cookie = answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const before = kept.used();
  await eventually("it is looked at", async () => {
    await fetch(new URL("/", url), { headers: { cookie } });
    return kept.used() > before;
  });
});

it("a console that hangs is started again for who wants to log in, who is told that it did not answer", async () => {
  await using kept = await keep(systemClock, never);
  await kept.keeper.login(kept.task);
  const hanging = await kept.pid();
  process.kill(hanging, "SIGSTOP");
  const clock = movedClock(0);
  const failed = expect(kept.keeper.login({ ...kept.task, clock })).rejects.toThrow(
    /it did not answer within 20 s/,
  );
  await eventually("it waits", async () => clock.pauses(20_000) === 1);
  await clock.advance(20_000);
  await failed;
  expect(await kept.keeper.login(kept.task)).toMatch(/token=/);
  expect(await kept.pid()).not.toBe(hanging);
});

it("a console's port is the data home's own, and no add-on's, which may be stopped for now", async () => {
  const root = await mkdtemp(join(tmpdir(), "rak-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(root, { recursive: true }));
  const layout = layoutOf(root);
  const port = () => consolePort(layout, "the id of a home", "127.0.0.1");
  const own = await port();
  expect(own).toBeGreaterThanOrEqual(30_000);
  expect(await port()).toBe(own);
  await mkdir(layout.addon("cache").root, { recursive: true });
  await writeFile(layout.addon("cache").record, JSON.stringify({ server: { wish: { port: own } } }));
  expect(await port()).toBeGreaterThan(own);
  expect(await port()).toBeLessThan(own + 10);
});
