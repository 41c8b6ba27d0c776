import { continuation, type DataOnDisk, type DataPosition } from "../../../core/data-position";
import type { AddonRecord } from "../../../core/facets";
import type { Clock } from "../../../core/task";
import type { DataMark } from "../../../platforms/local/data-mark";
import type { AddonLayout, HomeLayout } from "../../../platforms/local/home";
import { log } from "../../log";
import { changeDataMark, isTrusted } from "./data-mark";
import { dataOnDisk } from "./data-on-disk";
import { followersHere } from "../leader/followers";

type Seen = NonNullable<DataMark["seen"]>;

/** Whether what is found continues what was seen. */
export function continues(seen: Seen, found: DataOnDisk): boolean {
  return ["proved", "likely"].includes(continuation(seen.position, Date.parse(seen.at), found));
}

/**
 * Marks what a leader with followers left behind: its server was asked to leave, and has. A mark that can't be written
 * is no reason not to stop a server; the next launch then has an earlier one to go by.
 */
export async function markWhatIsLeft(layout: HomeLayout, { name }: AddonRecord, clock: Clock): Promise<void> {
  const files = layout.addon(name);
  try {
    const { byLeader } = await followersHere(layout);
    if (!byLeader.has(name)) return;
    await changeDataMark(files, async (known) => {
      if (!isTrusted(known)) return known;
      const found = await dataOnDisk(files, known?.seen?.position);
      const position = positionOf(found);
      if (position === undefined || (known?.seen !== undefined && !continues(known.seen, found)))
        return known;
      const keys = known?.seen?.keys === undefined ? {} : { keys: known.seen.keys };
      return { seen: { at: new Date(clock.now()).toISOString(), position, ...keys } };
    });
  } catch (error) {
    log(`${name}: how far its data go can't be noted: ${String(error)}`);
  }
}

/** The AOF of a server is about to be removed on purpose: from now on its memory is all that there is. */
export async function markMemory(files: AddonLayout, clock: Clock): Promise<void> {
  await changeDataMark(files, (known) =>
    known?.seen === undefined || !isTrusted(known) || known.seen.position.lie === "memory"
      ? known
      : { seen: { ...known.seen, at: new Date(clock.now()).toISOString(), position: { lie: "memory" } } },
  );
}

export function positionOf(found: DataOnDisk): DataPosition | undefined {
  if (found.lie === "nowhere") return undefined;
  if (found.lie === "aof") return { lie: "aof", aof: found.aof };
  return { lie: "snapshot", sizeBytes: found.sizeBytes, tail: found.tail };
}
