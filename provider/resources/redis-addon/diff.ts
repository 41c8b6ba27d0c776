import { isDeepStrictEqual } from "node:util";
import { changeRefused } from "../../core/change-refused";
import type { AddonRecord, ServerWish } from "../../core/facets";
import { planOf } from "../../core/plans";
import { closedConnections, resizeProblem, restartEstimateMs } from "../../core/resize";
import { changeNeeds } from "../../core/settings";
import { durationText } from "../../operations/restore/restore-words";
import type { DiffAnswer, DiffCall } from "../../pulumi/definition";
import type { Platform } from "../../platforms/contract";
import { aboutToChange } from "../changing-addons";
import { instanceStanding, staleFailure } from "../claims";
import { movesHome, requireHome } from "../home-guard";
import type { Operations } from "../operations";
import { isChecked } from "./checked";
import { type RedisAddonInputs, serverInputs } from "./inputs";
import type { RedisAddonState } from "./outputs";
import { resolvedVersion } from "./resolved-version";
import { announcedRestore } from "./restore-preview";

/** A preview may be followed by many others in a row. */
const LOOK_LIMIT_MS = 15_000;

type Call = DiffCall<RedisAddonInputs, RedisAddonState>;

/** Compares with what is recorded here, not only with the state: a plain `pulumi up` doesn't refresh. */
export async function diffRedisAddon(operations: Operations, call: Call): Promise<DiffAnswer> {
  const { inputs, unknown, state } = call;
  const platform = await operations.openPlatform(inputs.platform ?? state.platform);
  const replaces = await replacing(platform, call);
  if (replaces.length > 0) {
    await warnOfReplacement(operations, call, replaces);
    return { changes: true, replaces };
  }
  const subject = state.name;
  await requireHome(platform, state, { operation: "compare", subject });
  const record = await platform.load(state.name);
  const standing = instanceStanding(record?.server.instance, state.__instance);
  if (standing === "stale") throw staleFailure(subject, state.__urn);
  if (record === undefined) {
    await call.row.warning(
      `${subject} is gone from ${state.__home.path}: it will be made again, without its data`,
    );
    return { changes: true, replaces: [] };
  }
  const unfinished = state.__phase !== "ready" || standing === "taken-over" || record.removing !== undefined;
  const changed = await announced(operations, platform, call, record);
  if (changed) aboutToChange(subject);
  const restores = await announcedRestore(operations, platform, call, record);
  const moved = await announcedMove(call, record);
  const down = await announcedDown(platform, call);
  const drifted = await announcedHealth(operations, platform, call);
  const changes = unfinished || changed || restores || moved || down || drifted || unknown.size > 0;
  return { changes, replaces: [] };
}

/**
 * Whether the resource, its stack or its project is called otherwise than when it was recorded: by the recorded URN a
 * forced replacement, which is told nothing of the old state, finds its add-on again.
 */
async function announcedMove({ hidden, row }: Call, { server }: AddonRecord): Promise<boolean> {
  if (hidden.urn === undefined || server.urn === undefined || hidden.urn === server.urn) return false;
  await row.info(`it is recorded as ${server.urn}: an update records its new name, and touches nothing else`);
  return true;
}

/** Whether the server wants starting, or somebody to look after it: after a reboot nothing else would notice. */
async function announcedDown(platform: Platform, { state, row }: Call): Promise<boolean> {
  const placement = await platform.placement(state.name);
  if (placement === undefined) return false;
  const { process, unattended } = placement;
  if (process.state === "stopped")
    await row.warning(`the server is not running (${process.why}): an update tries to start it`);
  else if (unattended !== undefined) await row.info(`${unattended}: an update starts it`);
  return process.state === "stopped" || unattended !== undefined;
}

/**
 * Warns while backups aren't fresh, which no update puts right: that they have changed since the last refresh is a change
 * to a refresh alone.
 */
async function announcedHealth(
  operations: Operations,
  platform: Platform,
  { news, hidden, state, row }: Call,
): Promise<boolean> {
  const health = await operations.backupHealthOf(platform, state.name);
  if (health === undefined) return false;
  if (health.why !== undefined) await row.warning(`its backups are ${health.state}: ${health.why}`);
  // An update by a version that knew nothing of it has left nothing to compare with.
  const before = news["backupHealth"] ?? health.state;
  return !isChecked(hidden.urn) && before !== health.state;
}

async function replacing(platform: Platform, { inputs, state }: Call): Promise<string[]> {
  const replaces: string[] = [];
  if (inputs.name !== undefined && inputs.name !== state.name) replaces.push("name");
  if (await movesHome(platform, inputs.platform, state)) replaces.push("platform");
  return replaces;
}

/** Whether the wish differs from what is recorded; says in the preview what the change will interrupt. */
async function announced(
  operations: Operations,
  platform: Platform,
  { inputs, hidden, state, row }: Call,
  record: AddonRecord,
): Promise<boolean> {
  const from = record.server.wish;
  const { port, version, password, ...wish } = serverInputs(inputs);
  const asked = Object.entries(wish).filter(([, value]) => value !== undefined);
  const to: ServerWish = { ...from, ...Object.fromEntries(asked) };
  if (port !== undefined && hidden.given.includes("port")) to.port = port;
  if (version !== undefined && hidden.given.includes("version"))
    to.version = resolvedVersion(record, version);

  const needs = changeNeeds(from, to);
  if (needs.kind === "refused") throw changeRefused(state.name, needs.property, needs);
  const isResized = !isDeepStrictEqual(from.plan, to.plan);
  const usage =
    isResized || needs.kind === "restart"
      ? await operations.usageOf(platform, record, { signal: AbortSignal.timeout(LOOK_LIMIT_MS) })
      : undefined;
  if (isResized && usage !== undefined) {
    const [before, after] = [planOf(from.plan), planOf(to.plan)];
    const problem = resizeProblem(before, after, usage);
    if (problem !== undefined) throw changeRefused(state.name, "plan", problem);
    const closed = closedConnections(after, usage);
    if (closed > 0)
      await row.warning(
        `${usage.connections} connections are open and the new plan allows ${after.connections}: the newest ${closed} are closed`,
      );
  }
  if (needs.kind === "restart") {
    const about = usage === undefined ? "" : `, which takes about ${durationText(restartEstimateMs(usage))}`;
    await row.info(`the server will restart and keep its data${about}: ${needs.because.join(", ")}`);
    if (from.version !== to.version)
      await row.info("a verified backup is taken before it changes its version");
  }
  const passwordChanges =
    hidden.given.includes("password") && password !== undefined && password !== record.credentials.password;
  if (passwordChanges)
    await row.info("the password changes: connections that are open stay open, new ones need the new one");
  return needs.kind !== "nothing" || passwordChanges;
}

async function warnOfReplacement(
  operations: Operations,
  { inputs, state, row }: Call,
  replaces: string[],
): Promise<void> {
  // The old one may live in another data home, or be gone: the warning is worth nothing then.
  const old = await operations.openPlatform(state.platform);
  if ((await old.load(state.name).catch(() => undefined)) === undefined) return;
  const what = replaces.includes("name")
    ? `the name changes from ${state.name} to ${inputs.name}`
    : `the data home changes from ${state.__home.path}`;
  await row.warning(
    `${what}: a new, empty add-on is made and ${state.name} is deleted with its data (a final backup is taken first). ` +
      (replaces.includes("name")
        ? `To keep it, leave \`name: "${state.name}"\`; a resource that is merely renamed in the program keeps its add-on with the resource option aliases`
        : "To keep it, leave `platform.dataHome` as it was"),
  );
}
