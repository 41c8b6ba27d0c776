import { readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { putBack, putInPlace, type Exchange } from "../../provider/agent/restore/exchange";
import { writeRestoreNote } from "../../provider/agent/restore/restore-note";
import { Failure } from "../../provider/core/errors";
import type { AddonRecord } from "../../provider/core/facets";
import type { Restoring } from "../../provider/core/restore";
import type { Progress } from "../../provider/core/task";
import { startAgent, stopAgent } from "../../provider/operations/agent";
import { layoutOf } from "../../provider/platforms/local/home";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";
import {
  beginByHand,
  digestOf,
  expectNothingLeft,
  fill,
  recordOf,
  restored,
  restores,
  stageByHand,
  take,
  type Taken,
} from "../support/restore";
import { make, run } from "./agent-support";

interface Prepared {
  readonly home: TestHome;
  readonly taken: Taken;
  /** Digests of what it has, and of what the backup holds. */
  readonly old: string;
  readonly new: string;
}

/** An add-on `cache` with data of its own, and a backup of another one. */
async function prepare(
  home: TestHome,
  persistence: "everysec" | "none" = "everysec",
): Promise<Prepared & { readonly record: AddonRecord }> {
  const { record: source } = await make(home, "source");
  await fill(source, "new");
  const taken = await take(home, "source");
  const { record } = await make(home, "cache", { persistence });
  await fill(record, "old");
  return { home, taken, record, old: await digestOf(record), new: await digestOf(source) };
}

/** A restore that begins now, recorded; nothing runs. */
function intend({ home, taken }: Prepared, keys = 312): Promise<Restoring> {
  return beginByHand(home, "cache", taken, keys);
}

/** The exchange, cut off when it ends the server for the nth time: before its nth rename of a data folder. */
function exchange({ home }: Prepared, cutAt = Number.POSITIVE_INFINITY): Exchange {
  let calls = 0;
  return {
    layout: layoutOf(home.path),
    name: "cache",
    endServer: () => (++calls === cutAt ? Promise.reject(new Error("cut off")) : Promise.resolve()),
  };
}

async function decideToUndo({ home, taken }: Prepared, { since }: Restoring): Promise<void> {
  const files = layoutOf(home.path).addon("cache");
  await writeRestoreNote(files, {
    since,
    from: taken.from,
    isReplacedKnown: true,
    undoing: "it was cut off",
  });
}

/** What the next agent makes of it, by itself. */
async function expectSettled(prepared: Prepared, as: "old" | "new"): Promise<void> {
  const { home } = prepared;
  await startAgent(home.path, home.task);
  const record = await eventually("it is settled", async () => {
    const found = await recordOf(home, "cache");
    return found.restoring === undefined && found;
  });
  await eventually("users may write", () => run(record, "SET", "written", "1").catch(() => undefined));
  await run(record, "DEL", "written");
  expect(await digestOf(record)).toBe(prepared[as]);
  expect(record.restored?.backup).toBe(as === "new" ? prepared.taken.slot : undefined);
  await expectNothingLeft(home, "cache");
  expect(await readdir(layoutOf(home.path).addon("cache").data)).not.toContain("data-note.json");
}

const cut = expect.objectContaining({ message: "cut off" });

describe.each(["everysec", "none"] as const)("a restore that was cut off, persistence %s,", (persistence) => {
  const cases: readonly [string, (prepared: Prepared) => Promise<unknown>, "old" | "new"][] = [
    [
      "before it was recorded, leaves nothing",
      async (prepared) => {
        await stopAgent(prepared.home.path, false, prepared.home.task);
        await stageByHand(prepared.home, "cache", prepared.taken);
      },
      "old",
    ],
    ["once it was recorded, is completed", (prepared) => intend(prepared), "new"],
    [
      "once the old data were put aside, is completed",
      async (prepared) => {
        await intend(prepared);
        await expect(putInPlace(exchange(prepared, 2))).rejects.toEqual(cut);
        await rm(layoutOf(prepared.home.path).addon("cache").data, { recursive: true, force: true });
      },
      "new",
    ],
    [
      "once the new data were in place, is completed",
      async (prepared) => {
        await intend(prepared);
        expect(await putInPlace(exchange(prepared))).toBe("in-place");
      },
      "new",
    ],
    [
      "whose data are gone, brings the old ones back",
      async (prepared) => {
        await intend(prepared);
        await expect(putInPlace(exchange(prepared, 2))).rejects.toEqual(cut);
        await rm(layoutOf(prepared.home.path).addon("cache").staged, { recursive: true });
      },
      "old",
    ],
    ["of which the server finds less than there was, is undone", (prepared) => intend(prepared, 400), "old"],
    [
      "once it was decided to undo it, is undone",
      async (prepared) => {
        const restoring = await intend(prepared);
        await putInPlace(exchange(prepared));
        await decideToUndo(prepared, restoring);
      },
      "old",
    ],
    [
      "once the new data were dropped, is undone",
      async (prepared) => {
        const restoring = await intend(prepared);
        await putInPlace(exchange(prepared));
        await decideToUndo(prepared, restoring);
        await expect(putBack(exchange(prepared, 2))).rejects.toEqual(cut);
      },
      "old",
    ],
    [
      "once the old data were back, is undone",
      async (prepared) => {
        const restoring = await intend(prepared);
        await putInPlace(exchange(prepared));
        await decideToUndo(prepared, restoring);
        await putBack(exchange(prepared));
      },
      "old",
    ],
  ];
  test.each(cases)("%s", async (_, arrange, as) => {
    await using home = await makeTestHome();
    const prepared = await prepare(home, persistence);
    await arrange(prepared);
    await expectSettled(prepared, as);
  });
});

test("why the last agent has undone it is told once to whoever asks for it again, who may then try anew", async () => {
  await using home = await makeTestHome();
  const prepared = await prepare(home);
  await intend(prepared, 400);
  await expectSettled(prepared, "old");
  await expect(restores(home, "cache", prepared.taken, { onData: "replace" })).rejects.toMatchObject({
    code: "restore-undone",
    cause: "its server found 312 keys in the backup, which holds 400, of which 1 expire",
    hint: expect.stringContaining("20260101T000000000Z"),
  });
  await restored(home, "cache", prepared.taken, { onData: "replace" });
  await expectSettled(prepared, "new");
});

test("what a restore has replaced goes with the next agent, or is kept where nobody knows it", async () => {
  await using home = await makeTestHome();
  const { record } = await make(home, "cache");
  await run(record, "SET", "kept", "1");
  await stopAgent(home.path, false, home.task);
  const files = layoutOf(home.path).addon("cache");
  await mkdir(join(files.replaced, "appendonlydir"), { recursive: true });
  await writeFile(join(files.replaced, "appendonlydir", "data"), "of somebody");
  await startAgent(home.path, home.task);
  const { kept } = layoutOf(home.path);
  const folder = await eventually("it is kept", async () => (await readdir(kept).catch(() => []))[0]);
  expect(await readFile(join(kept, folder, "appendonlydir", "data"), "utf8")).toBe("of somebody");
  expect(await run(record, "GET", "kept")).toBe("1");
});

describe("kill -9", () => {
  /** Restores, and kills a process as a step is told for the first time. */
  async function restoreUntil(prepared: Prepared, step: RegExp, victim: () => number) {
    const { home, taken } = prepared;
    let struck = false;
    const { signal, clock } = home.task;
    const progress = ({ message }: Progress) => {
      if (struck || !step.test(message)) return;
      struck = true;
      process.kill(victim(), "SIGKILL");
    };
    const task = { signal, clock, progress };
    const result = await restores(home, "cache", taken, { onData: "replace", task }).catch(
      (error: unknown) => {
        if (error instanceof Failure) return error;
        throw error;
      },
    );
    expect(struck).toBe(true);
    return result;
  }

  /** Whichever it says that it is. */
  async function expectWhole(prepared: Prepared): Promise<"old" | "new"> {
    const { home } = prepared;
    const record = await eventually("it is settled", async () => {
      const found = await recordOf(home, "cache");
      return found.restoring === undefined && found;
    });
    await eventually("users may write", () => run(record, "SET", "written", "1").catch(() => undefined));
    await run(record, "DEL", "written");
    const as = record.restored === undefined ? "old" : "new";
    expect(await digestOf(record)).toBe(prepared[as]);
    await expectNothingLeft(home, "cache");
    return as;
  }

  test.each([
    ["fetches", /^(extracting|checking|loading)/],
    ["takes the safety backup", /^backing up/],
    ["puts the data in place", /^putting the data of/],
    ["starts the server", /^starting Redis/],
    ["counts", /^counting/],
  ])("of the agent as it %s costs nothing: the next one completes it for the same call", async (_, step) => {
    await using home = await makeTestHome();
    const prepared = await prepare(home);
    const agent = await home.agentPid();
    const result = await restoreUntil(prepared, step, () => agent);
    expect(result).toMatchObject({ outcome: "restored" });
    expect(await expectWhole(prepared)).toBe("new");
  });

  test("of the job leaves everything as it was, and says so", async () => {
    await using home = await makeTestHome();
    const prepared = await prepare(home);
    const { jobs } = layoutOf(home.path);
    const failed = restores(home, "cache", prepared.taken, { onData: "replace" }).catch(
      (error: unknown) => error,
    );
    const job = await eventually("the job runs", async () => {
      const id = (await readdir(jobs)).find((entry) => /-restore-\w+$/.test(entry)) ?? "";
      const text = await readFile(join(jobs, id, "job.json"), "utf8").catch(() => undefined);
      return text !== undefined && (JSON.parse(text) as { readonly pid: number });
    });
    process.kill(job.pid, "SIGKILL");
    expect(await failed).toMatchObject({
      ...{ code: "job-killed", operation: "restore" },
      hint: "Nothing was replaced: run it again",
    });
    expect(await expectWhole(prepared)).toBe("old");
    await restored(home, "cache", prepared.taken, { onData: "replace" });
    expect(await expectWhole(prepared)).toBe("new");
  });

  test.each([/^backing up/, /^putting the data of/, /^starting Redis/, /^counting/])(
    "of the server at %s ends with one of the two data sets, whole",
    async (step) => {
      await using home = await makeTestHome();
      const prepared = await prepare(home);
      const noted = layoutOf(home.path).addon("cache").process;
      const serverPid = () => {
        const { process } = JSON.parse(readFileSync(noted, "utf8")) as { process: { pid: number } };
        return process.pid;
      };
      const result = await restoreUntil(prepared, step, serverPid);
      const as = await expectWhole(prepared);
      expect(result instanceof Failure ? "old" : "new").toBe(as);
    },
  );
});
