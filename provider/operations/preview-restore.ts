import { Failure } from "../core/errors";
import type { AddonRecord } from "../core/facets";
import { type HeldData, heldWords, holdsAnything } from "../core/held-data";
import { memoryText } from "../core/memory-size";
import { replacementEstimateMs } from "../core/restore-estimate";
import type { Platform } from "../platforms/contract";
import { heldData, isSet, numberIn } from "../redis/info";
import { unlessAborted } from "../system/unless-aborted";
import { connectAdmin } from "./connect-admin";
import { followersOf } from "./inspect/followers";
import { followerProblem, type RestoreWish } from "./restore";
import { keyProblem } from "./restore/key-problem";
import { resolveRestore, type ResolvedRestore } from "./restore/restore-source";
import { unfitness, type WishedServer } from "./restore/restore-target";
import { backupWords, durationText } from "./restore/restore-words";

/** A preview is waited for by a person, and may be followed by many others. */
const LIMIT_MS = 5_000;
/** Of that for the key: what else was found out is to be told whether or not there was the time to try it. */
const KEY_SHARE = 0.6;

/** What a preview can find out about restoring a backup into an add-on. */
export interface RestorePreview {
  /** What stands against it, each under the input that it is about. */
  readonly refusals: readonly {
    readonly property: "restoreFrom" | "replaceData";
    /** As a Failure's. */
    readonly code: string;
    readonly cause: string;
    readonly hint: string;
  }[];
  /** What may change until the update, or should be known. */
  readonly warnings: readonly string[];
  /** What the update will do. */
  readonly plans: readonly string[];
}

export interface RestoreQuestion {
  /** Absent: not known yet. */
  readonly name: string | undefined;
  /** As it is wished. */
  readonly server: WishedServer;
  readonly restore: RestoreWish;
}

/**
 * What restoring would meet and do, without touching anything. What can't be asked now is said, and no refusal. Takes
 * some five seconds at most.
 */
export async function previewRestore(
  platform: Platform,
  question: RestoreQuestion,
  limitMs = LIMIT_MS,
): Promise<RestorePreview> {
  const signal = AbortSignal.timeout(limitMs);
  try {
    // A file system of a network may hang in calls that know no signal.
    const forKey = AbortSignal.any([signal, AbortSignal.timeout(limitMs * KEY_SHARE)]);
    return await unlessAborted(() => preview(platform, question, { signal }, { signal: forKey }), signal);
  } catch (error) {
    if (signal.aborted) return unknown(limitMs);
    if (!(error instanceof Failure)) throw error;
    const { code, cause, hint, transient } = error;
    const subject = `${error.operation} ${error.subject}: ${cause}`;
    return transient
      ? { refusals: [], warnings: [`cannot ${subject}. ${hint}`], plans: [] }
      : {
          refusals: [{ property: "restoreFrom" as const, code, cause: `cannot ${subject}`, hint }],
          warnings: [],
          plans: [],
        };
  }
}

async function preview(
  platform: Platform,
  { name, server, restore }: RestoreQuestion,
  task: { readonly signal: AbortSignal },
  forKey: { readonly signal: AbortSignal },
): Promise<RestorePreview> {
  const record = name === undefined ? undefined : await platform.load(name);
  const follows = record && followerProblem(record);
  if (follows !== undefined) {
    return { refusals: [{ property: "restoreFrom", ...follows }], warnings: [], plans: [] };
  }
  const resolved = restore.resolved ?? (await resolveRestore(platform, restore.from, restore.secrets, task));
  const [unfit, ofKey] = await Promise.all([
    unfitness(platform, name ?? "", server, resolved),
    keyProblem(resolved, restore.secrets, forKey),
  ]);
  const problems = ofKey === undefined ? unfit : [...unfit, ofKey];
  const refusals = problems
    .filter(({ severity }) => severity === "refuse")
    .map(({ code, cause, hint }) => ({ property: "restoreFrom" as const, code, cause, hint }));
  const warnings = [
    ...resolved.passedOver,
    ...problems.filter(({ severity }) => severity === "warn").map(({ cause, hint }) => `${cause}. ${hint}`),
  ];
  if (record === undefined)
    return { refusals, warnings, plans: [`its data will be those of ${backupWords(resolved)}`] };
  const held = await heldBy(platform, record, task);
  const told = inPlace(record.name, held, resolved, restore.replaceData);
  const followers = (await followersOf(platform, record, undefined)).map(({ addon }) => addon ?? "");
  const follow = followers.length === 0 ? [] : [`its followers take these data too: ${followers.join(", ")}`];
  return {
    refusals: [...refusals, ...told.refusals],
    warnings: [...warnings, ...told.warnings],
    plans: [...told.plans, ...follow],
  };
}

type Held = HeldData & { readonly usedBytes: number };

/** Absent: the server doesn't answer, or is still loading. */
async function heldBy(
  platform: Platform,
  record: AddonRecord,
  task: { readonly signal: AbortSignal },
): Promise<Held | undefined> {
  try {
    await using server = await connectAdmin(platform, record, task);
    const info = await server.info();
    if (isSet(info, "loading")) return undefined;
    return { ...heldData(info), usedBytes: numberIn(info, "used_memory") ?? 0 };
  } catch (error) {
    task.signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    return undefined;
  }
}

/** What becomes of an add-on that is there already. */
function inPlace(
  name: string,
  held: Held | undefined,
  resolved: ResolvedRestore,
  replaceData: boolean,
): RestorePreview {
  const backup = backupWords(resolved);
  const away = (heldBytes: number | undefined) => {
    const restoredBytes = (resolved.manifest ?? resolved.snapshot)?.usedMemoryBytes;
    return `its users can't write for about ${durationText(replacementEstimateMs({ heldBytes, restoredBytes }))}`;
  };
  if (held === undefined)
    return {
      refusals: [],
      warnings: [
        `its server doesn't answer, so nobody knows what would be replaced by ${backup}` +
          (replaceData ? "" : ": with keys of its own it is refused without `replaceData: true`"),
      ],
      plans: [],
    };
  if (!holdsAnything(held))
    return {
      refusals: [],
      warnings: [],
      plans: [`its data will be those of ${backup}; ${away(undefined)}`],
    };
  if (replaceData)
    return {
      refusals: [],
      warnings: [
        `${heldWords(held)} (${memoryText(held.usedBytes)}) of ${name} will be replaced by ${backup}; ` +
          `a verified backup of them is taken first; ${away(held.usedBytes)}`,
      ],
      plans: [],
    };
  return {
    refusals: [
      {
        property: "replaceData",
        code: "holds-data",
        cause: `${name} holds ${heldWords(held)} (${memoryText(held.usedBytes)}), which ${backup} would replace`,
        hint: "To have them replaced, set `replaceData: true`: a verified backup of them is taken first. Or restore into a new add-on",
      },
    ],
    warnings: [],
    plans: [],
  };
}

function unknown(limitMs: number): RestorePreview {
  const warning = `its backup could not be looked up within ${limitMs / 1000} s: the update looks again`;
  return { refusals: [], warnings: [warning], plans: [] };
}
