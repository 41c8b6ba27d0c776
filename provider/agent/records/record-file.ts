import { mkdir } from "node:fs/promises";
import type { AddonRecord } from "../../core/facets";
import type { HomeLayout } from "../../platforms/local/home";
import { readRecord } from "../../platforms/local/records";
import { writeDurably } from "../../system/files";

/** Writers of one record, one after another. */
const turns = new Map<string, Promise<unknown>>();

export function saveRecord(layout: HomeLayout, record: AddonRecord): Promise<void> {
  return inTurn(layout, record.name, () => write(layout, record));
}

/** Writes `next` where the record is still `expected`; false: something newer was recorded, and stays. */
export function replaceRecord(
  layout: HomeLayout,
  expected: AddonRecord,
  next: AddonRecord,
): Promise<boolean> {
  return inTurn(layout, next.name, async () => {
    const present = await readRecord(layout, next.name);
    if (JSON.stringify(present) !== JSON.stringify(expected)) return false;
    await write(layout, next);
    return true;
  });
}

async function write(layout: HomeLayout, record: AddonRecord): Promise<void> {
  const files = layout.addon(record.name);
  await mkdir(files.data, { recursive: true, mode: 0o700 });
  await writeDurably(files.record, JSON.stringify(record, undefined, 1), 0o600);
}

function inTurn<Result>(layout: HomeLayout, name: string, work: () => Promise<Result>): Promise<Result> {
  const { record } = layout.addon(name);
  const turn = (turns.get(record) ?? Promise.resolve()).then(work, work);
  const settled = turn
    .catch(() => undefined)
    .finally(() => {
      if (turns.get(record) === settled) turns.delete(record);
    });
  turns.set(record, settled);
  return turn;
}
