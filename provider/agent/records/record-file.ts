import { mkdir } from "node:fs/promises";
import type { AddonRecord } from "../../core/facets";
import type { HomeLayout } from "../../platforms/local/home";
import { readRecord } from "../../platforms/local/records";
import { writeDurably } from "../../system/files";
import { Queues } from "../queue";

/** Writers of one record, one after another. */
const turns = new Queues();

export function saveRecord(layout: HomeLayout, record: AddonRecord): Promise<void> {
  return turns.add(layout.addon(record.name).record, () => write(layout, record));
}

/** Writes `next` where the record is still `expected`; false: something newer was recorded, and stays. */
export function replaceRecord(
  layout: HomeLayout,
  expected: AddonRecord,
  next: AddonRecord,
): Promise<boolean> {
  return turns.add(layout.addon(next.name).record, async () => {
    const present = await readRecord(layout, next.name);
    if (JSON.stringify(present) !== JSON.stringify(expected)) return false;
    await write(layout, next);
    return true;
  });
}

async function write(layout: HomeLayout, record: AddonRecord): Promise<void> {
  const files = layout.addon(record.name);
  await mkdir(files.data, { recursive: true, mode: 0o700 });
  const format = record.restoring === undefined ? 1 : 2;
  await writeDurably(files.record, JSON.stringify({ ...record, format }, undefined, 1), 0o600);
}
