import type { Copying } from "../../../core/access";
import { continuation, type Continuation } from "../../../core/data-position";
import type { AddonRecord } from "../../../core/facets";
import { followed } from "../../../core/followed";
import type { Clock } from "../../../core/task";
import { readDataMark, type DataMark } from "../../../platforms/local/data-mark";
import type { HomeLayout } from "../../../platforms/local/home";
import type { RedisClient } from "../../../redis/client";
import { totalKeys } from "../../../redis/info";
import { log } from "../../log";
import { changeDataMark, isTrusted } from "./data-mark";
import { dataOnDisk } from "./data-on-disk";
import { asKept, knownFollowers } from "../leader/followers";

/**
 * Whether a server that is about to be launched, after others of its add-on, may be copied: not before its data were
 * compared with what is known of them. A follower takes whatever its leader has within milliseconds of its answer.
 */
export async function copyingAtLaunch(
  layout: HomeLayout,
  record: AddonRecord,
  clock: Clock,
): Promise<Copying> {
  const files = layout.addon(record.name);
  const { followers, complete } = await knownFollowers(layout, record.name);
  const mark = await changeDataMark(files, async (known) => {
    if (followers.length === 0 && (complete || known === undefined)) return undefined;
    // Other data on purpose: what is known is of those that come back where these can't be loaded.
    if (record.restoring !== undefined) return { ...known, unchecked: true as const };
    const judged = await compared(layout, record, known, clock);
    if (known?.distrusted !== undefined && judged?.distrusted === undefined)
      log(`${record.name}: its data are those that it had`);
    // Judged now, because a rewrite makes an older AOF look newer; and once more when it is loaded, because a server
    // cuts off what it can't read.
    if (judged?.distrusted !== undefined || (await isSnapshot(layout, record))) return judged;
    return judged && { ...judged, unchecked: true as const };
  });
  return copyingOf(record, mark);
}

/** Whether the data of a server that runs and has loaded them may be copied. */
export async function copyingNow(
  layout: HomeLayout,
  record: AddonRecord,
  server: RedisClient,
  clock: Clock,
): Promise<Copying> {
  // Looked at once it is completed, or undone.
  if (record.restoring !== undefined) return "refused";
  const files = layout.addon(record.name);
  const before = await readDataMark(files);
  if (before === undefined) return copyingOf(record, undefined);
  const { followers, complete } = await knownFollowers(layout, record.name);
  const keys = totalKeys(await server.info());
  const mark = await changeDataMark(files, async (known) => {
    if (known === undefined || (followers.length === 0 && complete)) return undefined;
    const judged = known.unchecked === undefined ? known : await compared(layout, record, known, clock);
    if (judged?.distrusted === undefined) return judged;
    const why = distrustWords(judged, keys, followers);
    return { ...judged, distrusted: { ...judged.distrusted, why } };
  });
  if (mark?.distrusted !== undefined && mark.distrusted.why !== before.distrusted?.why)
    log(`${record.name}: ${mark.distrusted.why}`);
  if (mark?.distrusted === undefined && before.distrusted !== undefined)
    log(`${record.name}: its data may be copied again`);
  return copyingOf(record, mark);
}

/**
 * A follower that is being removed leads for its final backup alone. One that has lost its data gets none then, and
 * those that follow it would lose theirs.
 */
function copyingOf(record: AddonRecord, mark: DataMark | undefined): Copying {
  const leadsForItsBackup = record.removing !== undefined && followed(asKept(record)) !== undefined;
  return !leadsForItsBackup && isTrusted(mark) ? "allowed" : "refused";
}

/** The mark with what is found now. */
async function compared(
  layout: HomeLayout,
  { name }: AddonRecord,
  known: DataMark | undefined,
  clock: Clock,
): Promise<DataMark | undefined> {
  const seen = known?.seen;
  const found = await dataOnDisk(layout.addon(name), seen?.position);
  const verdict: Continuation =
    seen === undefined
      ? found.lie === "nowhere"
        ? "gone"
        : "likely"
      : continuation(seen.position, Date.parse(seen.at), found);
  const rest = seen === undefined ? {} : { seen };
  if (verdict === "proved") return rest;
  // What a distrusted server wrote looks like a continuation of what it had.
  if (verdict === "likely" && known?.distrusted === undefined) return known && rest;
  const since = known?.distrusted?.since ?? new Date(clock.now()).toISOString();
  const worst = verdict === "likely" ? (known?.distrusted?.found ?? "other") : verdict;
  return { ...rest, distrusted: { found: worst, since, why: FOUND[worst] } };
}

/** One that is loaded is loaded whole, or its server leaves. */
async function isSnapshot(layout: HomeLayout, { name }: AddonRecord): Promise<boolean> {
  return (await dataOnDisk(layout.addon(name), undefined)).lie !== "aof";
}

const FOUND = {
  older: "its data are older than when they were last seen",
  other: "its data are not those that it had when they were last seen",
  gone: "its server kept its data in memory alone and was lost, so they are gone",
  unknown: "what was known of its data is damaged, so nobody can tell whether it still has them",
} as const;

function distrustWords(mark: DataMark, keys: number, followers: readonly string[]): string {
  const { seen, distrusted } = mark;
  const found = distrusted?.found ?? "other";
  const then = seen?.keys === undefined ? "" : `${counted(seen.keys)} at ${seen.at}, `;
  const names = followers.join(", ");
  const theirs =
    followers.length === 1 ? `its follower ${names} keeps its own` : `its followers ${names} keep theirs`;
  const restore = found === "gone" || found === "unknown" ? "" : "put the right data folder back, ";
  return (
    `${FOUND[found]} (${then}${counted(keys)} now): nobody gets a copy of them, and ${theirs}. ` +
    `Promote one (remove its RedisFollower), ${restore}or accept what it has now: ` +
    `redis-addon follower resync ${followers[0] ?? "<follower>"}`
  );
}

function counted(keys: number): string {
  return keys === 1 ? "1 key" : `${keys} keys`;
}
