import { realpath } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { parseDestination } from "../core/destination";
import { Failure } from "../core/errors";
import type { BackupsWish } from "../core/facets";
import { parseSlot } from "../core/slot";
import type { Task } from "../core/task";
import { destinationIn, layoutOf } from "../platforms/local/home";
import type { Placement, Platform } from "../platforms/contract";
import type { Store } from "../stores/contract";
import { systemClock } from "../system/clock";
import { unlessAborted } from "../system/unless-aborted";

/** A preview is waited for by a person, and may be followed by many others. */
const LIMIT_MS = 5_000;

/** What an add-on's backups are to be, and what they are now. */
export interface RetentionChange {
  readonly name: string;
  readonly from: BackupsWish;
  readonly to: BackupsWish;
}

export interface RetentionPreview {
  /** What the next backup's retention removes and today's would leave; absent: nothing. */
  readonly removes?: {
    readonly backups: number;
    readonly sizeBytes: number;
    /** ISO 8601. */
    readonly oldest: string;
    /** A URL without credentials. */
    readonly catalog: string;
  };
  /** How many stay where no backup goes any more; absent: the place remains the same. */
  readonly leaves?: { readonly backups: number; readonly catalog: string };
  /** Why the rest is not known. */
  readonly untold?: string;
}

/**
 * Which backups would go that stay today, found out by reading the store, or both stores. Writes nothing, never fails for
 * a store's sake, and takes some five seconds at most.
 */
export async function previewRetention(
  platform: Platform,
  change: RetentionChange,
  given: Partial<Pick<Task, "signal" | "clock">> = {},
): Promise<RetentionPreview> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  const signal = given.signal === undefined ? limit : AbortSignal.any([limit, given.signal]);
  const task: Task = { clock: given.clock ?? systemClock, signal, progress: () => undefined };
  try {
    // A share that hangs notices no signal.
    return await unlessAborted(() => preview(platform, change, task), signal);
  } catch (error) {
    given.signal?.throwIfAborted();
    if (limit.aborted) return { untold: `the store did not tell within ${LIMIT_MS / 1000} s` };
    if (error instanceof Failure) return { untold: error.cause };
    throw error;
  }
}

async function preview(
  platform: Platform,
  { name, from, to }: RetentionChange,
  task: Task,
): Promise<RetentionPreview> {
  const placement = await platform.placement(name);
  if (placement === undefined) return {};
  const layout = layoutOf(placement.home.path);
  const [here, there] = [destinationIn(layout, from), destinationIn(layout, to)];
  const isMoved = !(await isSamePlace(here, there));
  const isRuled = !isDeepStrictEqual([from.retention, from.schedule], [to.retention, to.schedule]);
  if (!isMoved && !isRuled) return {};
  const { openStore } = await import("../stores/open.js");
  const store = await openStore(there, to.credentials);
  const leaves = isMoved
    ? await left(await openStore(here, from.credentials), placement, task.signal)
    : undefined;
  const spared = isMoved ? undefined : from;
  const removes = await removals(store, placement, { spared, to }, task);
  return { ...(removes === undefined ? {} : { removes }), ...(leaves === undefined ? {} : { leaves }) };
}

/** `spared`: whose removals are none of the change's; absent: nothing is removed there today. */
async function removals(
  store: Store,
  { record, distrusted }: Placement,
  { spared, to }: { readonly spared: BackupsWish | undefined; readonly to: BackupsWish },
  task: Task,
): Promise<RetentionPreview["removes"]> {
  // Until somebody trusts the add-on's data again, no backup goes.
  if (distrusted !== undefined) return undefined;
  const { plannedRemovals } = await import("../backup/planned-removals.js");
  const { readCatalog } = await import("../backup/catalog.js");
  const { catalogKey, createdAt } = record;
  // Once for both questions: a listing of many backups takes its time.
  const catalog = await readCatalog(store, catalogKey, task.signal);
  const under = async ({ retention, schedule }: BackupsWish) =>
    (await plannedRemovals(store, { catalogKey, createdAt }, retention, schedule, task, catalog)).removals;
  const wanted = await under(to);
  if (wanted.length === 0) return undefined;
  const anyway = new Set(spared === undefined ? [] : (await under(spared)).map(({ slot }) => slot));
  const going = wanted.filter(({ slot }) => !anyway.has(slot));
  const [oldest] = going;
  if (oldest === undefined) return undefined;
  return {
    backups: going.length,
    sizeBytes: going.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    oldest: new Date(parseSlot(oldest.slot) ?? NaN).toISOString(),
    catalog: `${store.url}/${catalogKey}`,
  };
}

async function left(
  store: Store,
  { record }: Placement,
  signal: AbortSignal,
): Promise<NonNullable<RetentionPreview["leaves"]>> {
  const { readCatalog } = await import("../backup/catalog.js");
  const { backups } = await readCatalog(store, record.catalogKey, signal);
  return { backups: backups.length, catalog: `${store.url}/${record.catalogKey}` };
}

/** However it is written: by a link, with a slash at its end, with its region or without. */
async function isSamePlace(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map(placeAt));
  return isDeepStrictEqual(a, b);
}

async function placeAt(destination: string): Promise<unknown> {
  const parsed = parseDestination(destination);
  if (parsed.kind === "file") return realpath(parsed.folder).catch(() => parsed.folder);
  if (parsed.kind === "fault") return destination;
  const { bucket, prefix, endpoint } = parsed;
  return { bucket, prefix, endpoint };
}
