import { z } from "zod";
import { ServerWishSchema, type AddonRecord, type ServerWish } from "../../core/facets";
import type { HomeIdentity } from "../../core/status";
import { reachableHost } from "../../core/settings";
import { redisCliUrl, redisUrl } from "../../core/uri";
import { recordedShape, type Phase } from "../recorded";
import type { RedisAddonInputs } from "./inputs";

/** What a RedisAddon records. Loose: a newer version's additions pass through older code. */
export const RedisAddonState = z.looseObject({
  ...recordedShape,
  ...ServerWishSchema.shape,
  name: z.string(),
  host: z.string(),
  password: z.string(),
  redisUrl: z.string(),
  redisCliUrl: z.string(),
  createdAt: z.string(),
  /** The wish that was fulfilled last: what a program asks for still is not asked for again. */
  restoreFrom: z.record(z.string(), z.unknown()).optional(),
  replaceData: z.boolean().optional(),
  restoredBackup: z.string().optional(),
  backupHealth: z.string().optional(),
});
export type RedisAddonState = z.infer<typeof RedisAddonState>;

/** What follows from the record alone, so that previews know it. */
export type AddonOutputs = Pick<
  RedisAddonState,
  "name" | "host" | "port" | "version" | "password" | "redisUrl" | "redisCliUrl" | "createdAt"
>;

/** The outputs of an add-on as recorded, or as they will be once `change` is made. */
export function addonOutputs(
  record: AddonRecord,
  change: Partial<Pick<ServerWish, "bind" | "port" | "version"> & { readonly password: string }> = {},
): AddonOutputs {
  const { bind, port, version, password } = { ...record.server.wish, ...record.credentials, ...change };
  const host = reachableHost(bind);
  return {
    name: record.name,
    host,
    port,
    version,
    password,
    redisUrl: redisUrl({ host, port, password }),
    redisCliUrl: redisCliUrl({ host, port, password }),
    createdAt: record.createdAt,
  };
}

/** The wish that was fulfilled last, as a state records it. */
export type RecordedRestore = Partial<Pick<RedisAddonState, "restoreFrom" | "replaceData">>;

export function addonState(
  record: AddonRecord,
  home: HomeIdentity,
  rest: {
    readonly platform: RedisAddonInputs["platform"];
    readonly token: string;
    readonly phase: Phase;
    readonly given: readonly string[];
    readonly restore: RecordedRestore;
    readonly health: string | undefined;
  },
): RedisAddonState {
  const { restoreFrom, replaceData } = rest.restore;
  const restored = record.restored?.backup;
  return {
    ...record.server.wish,
    ...addonOutputs(record),
    ...(restoreFrom === undefined ? {} : { restoreFrom }),
    ...(replaceData === undefined ? {} : { replaceData }),
    ...(restored === undefined ? {} : { restoredBackup: restored }),
    ...(rest.health === undefined ? {} : { backupHealth: rest.health }),
    platform: rest.platform,
    __instance: rest.token,
    __home: { id: home.id, host: home.host, path: home.path },
    __phase: rest.phase,
    __given: [...rest.given],
  };
}
