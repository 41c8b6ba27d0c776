import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import { isRestored } from "../../core/restore-wish";
import type { Provisioned } from "../../operations/provision";
import { removedWords } from "../../operations/remove";
import { restoredWords } from "../../operations/restore/restore-words";
import type { ResourceDefinition } from "../../pulumi/definition";
import type { Row } from "../../pulumi/row";
import type { Platform } from "../../platforms/contract";
import { changed } from "../changing-addons";
import { createClaim, instanceStanding, updateClaim } from "../claims";
import { homeOf, requireHome } from "../home-guard";
import type { Operations } from "../operations";
import { PlatformInput, type Phase } from "../recorded";
import { checkRedisAddon } from "./check";
import { diffRedisAddon } from "./diff";
import { redisAddonShape, type RedisAddonInputs, serverInputs } from "./inputs";
import { addonOutputs, addonState, type RecordedRestore, RedisAddonState } from "./outputs";
import { originOf, RESTORE_SECRETS } from "./restore-input";
import { wantedRestore } from "./restore-wanted";

export type RedisAddonDefinition = ResourceDefinition<typeof redisAddonShape, RedisAddonState>;

export function redisAddonDefinition(operations: Operations): RedisAddonDefinition {
  return {
    noun: "Redis add-on",
    shape: redisAddonShape,
    state: RedisAddonState,
    computed: [
      ...["name", "host", "port", "version", "password", "redisUrl", "redisCliUrl", "createdAt"],
      ...["restoredBackup", "backupHealth"],
    ],
    // What a restore comes from may hold secrets, and a named property's value is printed.
    nameable: [
      ...["name", "plan", "tier", "access", "evictionPolicy", "version", "port", "bind", "persistence"],
      "replaceData",
    ],
    secrets: ["password", "redisUrl", "redisCliUrl", ...RESTORE_SECRETS],
    subject: ({ name }) => (typeof name === "string" ? name : undefined),

    check: (call) => checkRedisAddon(operations, call),
    diff: (call) => diffRedisAddon(operations, call),

    async create({ inputs, hidden, token, row, task }) {
      const name = nameOf(inputs);
      const platform = await operations.openPlatform(inputs.platform);
      const claim = createClaim(token, hidden, name);
      const restore = wantedRestore(inputs, undefined, await platform.load(name));
      const request = { name, claim, wish: wishOf(inputs, hidden.given), given: hidden.given, restore };
      const provisioned = await operations.provision(platform, request, task);
      await tellRestored(row, provisioned);
      const rest = { token, phase: "ready", given: hidden.given, restore: wishedRestore(inputs) } as const;
      return { id: name, state: await stateOf(platform, provisioned.record, inputs, rest) };
    },

    async update({ id, inputs, hidden, state, token, row, task }) {
      const platform = await operations.openPlatform(inputs.platform);
      await requireHome(platform, state, { operation: "change", subject: id });
      const recorded = await platform.load(id);
      const tokens = { carried: state.__instance, fresh: token };
      const claim = updateClaim(recorded?.server.instance, tokens, hidden, id);
      const restore = wantedRestore(inputs, state, recorded);
      const request = { name: id, claim, wish: wishOf(inputs, hidden.given), given: hidden.given, restore };
      const provisioned = await operations.provision(platform, request, task);
      changed(id);
      const { record, restartedMs } = provisioned;
      if (restartedMs !== undefined)
        await row.info(`the server restarted in ${restartedMs} ms and kept its data`);
      await tellRestored(row, provisioned);
      const rest = { phase: "ready", given: hidden.given, restore: wishedRestore(inputs) } as const;
      const known = recorded === undefined ? undefined : state.backupHealth;
      return stateOf(platform, record, inputs, { ...rest, token: claim.token }, known);
    },

    async leftBehind({ inputs, hidden, token, state }) {
      const platform = await operations.openPlatform(inputs.platform);
      const record = await platform.load(nameOf(inputs));
      if (record === undefined) return undefined;
      const held = record.server.instance.token === token ? token : state?.__instance;
      if (held === undefined) return undefined;
      const { restoreFrom } = inputs;
      const isDone = restoreFrom !== undefined && isRestored(record, originOf(restoreFrom));
      const rest = {
        token: held,
        phase: "provisioning",
        given: hidden.given,
        // What was not done is wished still.
        restore: isDone ? wishedRestore(inputs) : recordedRestore(state),
      } as const;
      const left = await stateOf(platform, record, inputs, rest, state?.backupHealth);
      return { id: record.name, state: left };
    },

    async read({ id, state, props, hidden }) {
      const choice = PlatformInput.parse(state?.platform ?? props["platform"]);
      const platform = await operations.openPlatform(choice);
      if (state !== undefined) await requireHome(platform, state, { operation: "read", subject: id });
      const record = await platform.load(id);
      if (state === undefined && record === undefined) throw unknownAddon(id);
      if (record === undefined) return undefined;
      // Another state's by now: an update of this one could only fail.
      const standing = state && instanceStanding(record.server.instance, state.__instance);
      if (standing === "stale") return undefined;
      const { port: _, version: __, ...wish } = record.server.wish;
      const token = state?.__instance ?? "";
      const phase = state?.__phase ?? "ready";
      const restore = recordedRestore(state);
      const rest = { token, phase, given: hidden.given, restore };
      const found = await stateOf(platform, record, { platform: choice }, rest);
      const { backupHealth } = found;
      // All that check would fill in, or the next preview would show it as added; not the restored backup, which no
      // preview can know.
      const filled = { ...addonOutputs(record), ...(backupHealth === undefined ? {} : { backupHealth }) };
      return { id, state: found, inputs: { ...wish, ...restore, platform: choice, ...filled } };
    },

    async delete({ id, state, row, task }) {
      const platform = await operations.openPlatform(state.platform);
      await requireHome(platform, state, { operation: "delete", subject: id });
      const removal = await operations.remove(platform, { name: id, token: state.__instance }, task);
      if (removal.outcome === "removed") await row.info(removedWords(id, removal));
      if (removal.outcome === "stale")
        await row.info(
          `${id} was taken over by a newer resource of the same name: nothing was deleted ` +
            `(if no stack has it any more: redis-addon delete ${id})`,
        );
    },
  };

  async function stateOf(
    platform: Platform,
    record: AddonRecord,
    { platform: choice }: Pick<RedisAddonInputs, "platform">,
    rest: { token: string; phase: Phase; given: readonly string[]; restore: RecordedRestore },
    /** Of the state before, where there is one; only a refresh finds out anew how backups are. */
    known?: string,
  ): Promise<RedisAddonState> {
    const [home, health] = await Promise.all([
      homeOf(platform, record.name),
      known ?? operations.backupHealthOf(platform, record.name).then((found) => found?.state),
    ]);
    return addonState(record, home, { platform: choice, health, ...rest });
  }
}

async function tellRestored(row: Row, { restored }: Provisioned): Promise<void> {
  if (restored === undefined) return;
  for (const warning of restored.warnings) await row.warning(warning);
  await row.info(restoredWords(restored));
}

/** As a state records it. */
function wishedRestore({ restoreFrom, replaceData }: RedisAddonInputs): RecordedRestore {
  return { ...(restoreFrom === undefined ? {} : { restoreFrom }), replaceData };
}

function recordedRestore(state: RedisAddonState | undefined): RecordedRestore {
  const { restoreFrom, replaceData } = state ?? {};
  return {
    ...(restoreFrom === undefined ? {} : { restoreFrom }),
    ...(replaceData === undefined ? {} : { replaceData }),
  };
}

/** What the program asks for. A port, version or password that check merely filled in is no wish. */
function wishOf(inputs: RedisAddonInputs, given: readonly string[]) {
  const { port, version, password, ...wish } = serverInputs(inputs);
  return {
    ...wish,
    ...(password !== undefined && given.includes("password") ? { password } : {}),
    ...(port !== undefined && given.includes("port") ? { port } : {}),
    ...(version !== undefined && given.includes("version") ? { version } : {}),
  };
}

function nameOf({ name }: Pick<RedisAddonInputs, "name">): string {
  if (name !== undefined) return name;
  throw new Failure({
    code: "name-missing",
    operation: "create",
    subject: "the Redis add-on",
    cause: "it has no name, and none can be made without the hidden input `__urn`",
    hint: "Declare it with the class RedisAddon of pulumi-redis-addon, or give it a `name`",
  });
}

function unknownAddon(name: string): Failure {
  return new Failure({
    code: "no-such-addon",
    operation: "read",
    subject: name,
    cause: "there is no add-on of that name",
    hint: "See what there is: redis-addon list",
  });
}
