import { randomBytes } from "node:crypto";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { saveRecord } from "../../provider/agent/records/record-file";
import { writeRestoreNote } from "../../provider/agent/restore/restore-note";
import { Failure } from "../../provider/core/errors";
import type { AddonRecord } from "../../provider/core/facets";
import type { RestoreResult } from "../../provider/platforms/contract";
import { layoutOf } from "../../provider/platforms/local/home";
import { creates, eventually } from "../support/data-home";
import { smallDisk } from "../support/full-disk";
import {
  digestOf,
  expectNothingLeft,
  fill,
  recordOf,
  restored,
  restores,
  stageByHand,
  type Taken,
  withAdmin,
} from "../support/restore";
import { makeSmallHome, type SmallHome } from "../support/small-home";
import { describeWith } from "../support/tools";
import { change, make, run } from "./agent-support";
import { temporaryFolder } from "./backup-support";

const SIZE_MIB = 400;
const PAGE_BYTES = 4096;

interface Prepared {
  readonly home: SmallHome;
  readonly record: AddonRecord;
  /** Backups of what it has, and of what another add-on has, with their digests. */
  readonly old: Taken & { readonly digest: string };
  readonly new: Taken & { readonly digest: string };
}

/** An add-on `cache` with data of its own on a disk that can be filled up; backups lie on another one. */
async function prepare(home: SmallHome, destination: string): Promise<Prepared> {
  const made = async (name: string, seed: string) => {
    const { record } = await make(home, name);
    await fill(record, seed);
    await withAdmin(record, (client) => client.set("random", randomBytes(5_000_000)));
    const wish = { schedule: { daily: "03:00" }, retention: { days: 7 }, destination };
    await home.platform.apply({ facet: "backups", name, claim: creates("b1"), given: [], wish }, home.task);
    const { slot } = await home.platform.backUp(name, home.task);
    const { catalogKey } = record;
    const taken: Taken & { digest: string } = {
      slot,
      from: { addon: name, backup: slot },
      source: { kind: "backup", destination, catalogKey, slot },
      digest: await digestOf(record),
    };
    return { record, taken };
  };
  const source = await made("source", "new");
  const { record, taken } = await made("cache", "old");
  return { home, record, old: taken, new: source.taken };
}

/** Which of the two the add-on has, whole, once its disk has space again, and nothing else is left. */
async function settledAs({ home, record, ...digests }: Prepared): Promise<"old" | "new"> {
  await eventually("it is settled", async () => (await recordOf(home, "cache")).restoring === undefined);
  await eventually("users may write", () => run(record, "SET", "written", "1").catch(() => undefined));
  await run(record, "DEL", "written");
  await expectNothingLeft(home, "cache");
  const found = await digestOf(record);
  if (found === digests.old.digest) return "old";
  expect(found).toBe(digests.new.digest);
  return "new";
}

function replacing(
  { home }: Prepared,
  taken: Taken,
  onStep: (message: string) => void = () => undefined,
): Promise<RestoreResult | Failure> {
  const { signal, clock } = home.task;
  const progress = ({ message }: { message: string }) => onStep(message);
  const task = { signal, clock, progress };
  return restores(home, "cache", taken, { onData: "replace", task }).catch((error: unknown) => {
    if (error instanceof Failure) return error;
    throw error;
  });
}

describeWith([smallDisk], "a data home whose disk is full", () => {
  test.each([
    ["before anything is fetched", undefined],
    ["as the backup is fetched", /^fetching/],
    ["as the safety backup's place is looked at", /^looking whether/],
    ["as the safety backup is taken", /^backing up/],
  ])("%s keeps its data, says so, and restores once there is space", async (_, step) => {
    await using home = await makeSmallHome(SIZE_MIB);
    await using elsewhere = await temporaryFolder();
    const prepared = await prepare(home, pathToFileURL(elsewhere.path).href);
    // What is left is filled in no time.
    home.fill(step === undefined ? 0 : 64 * 1024 * 1024);
    let isFull = step === undefined;
    const failure = await replacing(prepared, prepared.new, (message) => {
      if (isFull || step?.test(message) !== true) return;
      isFull = true;
      home.fill();
    });
    expect(isFull).toBe(true);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ message: expect.stringMatching(/[Ff]ree some space/) });
    home.unfill();
    expect(await settledAs(prepared)).toBe("old");

    const { restored: recorded } = await restored(home, "cache", prepared.new, { onData: "replace" });
    expect(recorded).toMatchObject({ backup: prepared.new.slot });
    expect(await settledAs(prepared)).toBe("new");
  });

  test("or nearly full, once it was recorded, ends with one of the two whole, and told which", async () => {
    await using home = await makeSmallHome(SIZE_MIB);
    await using elsewhere = await temporaryFolder();
    const prepared = await prepare(home, pathToFileURL(elsewhere.path).href);
    const layout = layoutOf(home.path);
    const outcomes: string[] = [];
    let has: "old" | "new" = "old";
    // So many keys are found, or are missing: completed, or undone. Each small file takes a page.
    for (const keys of [313, 400])
      for (let pages = 0; pages < 5; pages++) {
        // Whatever the agent had to do with it is done: what is staged by hand would be taken for a leftover.
        await change(home, "cache", {});
        const taken = has === "old" ? prepared.new : prepared.old;
        await stageByHand(home, "cache", taken);
        const since = new Date().toISOString();
        const restoring = {
          ...{ from: taken.from, backup: taken.slot, archive: "file:///an/archive", since },
          ...{ counts: { keys, expires: 1 }, safetyBackup: "20260101T000000000Z" },
        };
        await writeRestoreNote(layout.addon("cache"), { since, from: taken.from, isReplacedKnown: true });
        await saveRecord(layout, { ...(await recordOf(home, "cache")), restoring });
        home.fill(pages * PAGE_BYTES);
        const result = await replacing(prepared, taken);
        const outcome = result instanceof Failure ? result.code : result.outcome;
        outcomes.push(outcome);
        if (outcome === "no-space")
          expect(result).toMatchObject({
            cause: expect.stringMatching(/^the disk of the data home .* is full$/),
            hint: "Free some space on it: what was begun is completed then",
          });
        home.unfill();
        const now = await settledAs(prepared);
        expect({ keys, pages, outcome, isReplaced: now !== has }).toEqual({
          ...{ keys, pages, outcome },
          isReplaced: keys === 313,
        });
        has = now;
      }
    expect(new Set(outcomes)).toEqual(new Set(["no-space", "restored", "restore-undone"]));
  });
});
