import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import type { LeaderAddress } from "../../core/render";
import type { AddonLayout } from "../../platforms/local/home";
import { findData, readDataNote, removeDump, type DataFound } from "./data-files";
import { log } from "../log";
import type { ProcessNotes } from "./process-notes";

/**
 * The record to launch with: the data are loaded from where they lie, and how they are kept from then on is changed
 * while the server runs, which loses nothing at any instant.
 */
export async function loadingData(
  files: AddonLayout,
  notes: ProcessNotes,
  record: AddonRecord,
  leader: LeaderAddress | undefined,
): Promise<AddonRecord> {
  const found = await findData(files);
  if (found === "nothing") await requireNone(files, notes, record, leader);
  const persistence = keptAs(record, found);
  // Left by a sync, or loaded long ago: without an AOF the server would take it for its data.
  if (found !== "snapshot" && persistence === "none") await removeDump(files);
  return { ...record, server: { ...record.server, wish: { ...record.server.wish, persistence } } };
}

function keptAs({ server }: AddonRecord, found: DataFound) {
  const { persistence } = server.wish;
  if (found === "snapshot") return "none";
  return found === "aof" && persistence === "none" ? "everysec" : persistence;
}

/** A server that ran and finds no data would start empty, look healthy, and empty its followers too. */
async function requireNone(
  files: AddonLayout,
  notes: ProcessNotes,
  record: AddonRecord,
  leader: LeaderAddress | undefined,
): Promise<void> {
  const { name } = record;
  if (!(await notes.hasRun())) return;
  if (record.demoted !== undefined && leader !== undefined) {
    log(`${name}: its data are gone, and come back from ${record.demoted.to}, which it gave its role to`);
    return;
  }
  if ((await readDataNote(files)) !== undefined) {
    log(`${name}: its server kept the data in memory alone and is gone without saving: it starts empty`);
    return;
  }
  throw new Failure({
    code: "data-gone",
    operation: "start the server of",
    subject: name,
    cause: `its data folder ${files.data} holds no data any more`,
    hint: `Put the folder back; or give the add-on up with redis-addon delete ${name} --yes`,
  });
}
