import { Failure } from "../../core/errors";
import type { AddonRecord, ServerWish } from "../../core/facets";
import { changeNeeds } from "../../core/settings";
import type { DiffAnswer, DiffCall } from "../../pulumi/definition";
import type { Platform } from "../../platforms/contract";
import { instanceStanding, staleFailure } from "../claims";
import { movesHome, requireHome } from "../home-guard";
import type { Operations } from "../operations";
import { resolvedVersion } from "./check";
import type { RedisAddonInputs } from "./inputs";
import type { RedisAddonState } from "./outputs";

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
  const changed = await announced(call, record);
  const moved = await announcedMove(call, record);
  const down = await announcedDown(platform, call);
  return { changes: unfinished || changed || moved || down || unknown.size > 0, replaces: [] };
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
    await row.warning(`the server is not running (${process.why}): an update starts it`);
  else if (unattended !== undefined) await row.info(`${unattended}: an update starts it`);
  return process.state === "stopped" || unattended !== undefined;
}

async function replacing(platform: Platform, { inputs, state }: Call): Promise<string[]> {
  const replaces: string[] = [];
  if (inputs.name !== undefined && inputs.name !== state.name) replaces.push("name");
  if (await movesHome(platform, inputs.platform, state)) replaces.push("platform");
  return replaces;
}

/** Whether the wish differs from what is recorded; says in the preview what the change will interrupt. */
async function announced({ inputs, hidden, state, row }: Call, record: AddonRecord): Promise<boolean> {
  const from = record.server.wish;
  const { plan, tier, access, evictionPolicy, bind, port, version } = inputs;
  const asked = Object.entries({ plan, tier, access, evictionPolicy, bind }).filter(
    ([, value]) => value !== undefined,
  );
  const to: ServerWish = { ...from, ...Object.fromEntries(asked) };
  if (port !== undefined && hidden.given.includes("port")) to.port = port;
  if (version !== undefined && hidden.given.includes("version"))
    to.version = resolvedVersion(record, version);

  const needs = changeNeeds(from, to);
  if (needs.kind === "refused")
    throw new Failure({
      code: "change-refused",
      operation: `change the ${needs.property} of`,
      subject: state.name,
      cause: needs.cause,
      hint: needs.hint,
    });
  if (needs.kind === "restart")
    await row.info(`the server will restart and keep its data: ${needs.because.join(", ")}`);
  return needs.kind !== "nothing";
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
