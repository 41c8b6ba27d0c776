import { z } from "zod";
import { EncryptionSchema } from "./encryption";
import { InstanceSchema } from "./instance";
import { PlanChoiceSchema } from "./plan-choice";
import { RestoredSchema, RestoringSchema } from "./restore";
import { RetentionSchema } from "./retention";
import { ScheduleSchema } from "./schedule";
import { StoreCredentialsSchema } from "./store-credentials";

/** Redis's eviction policies; the order is that of its documentation. */
export const EVICTION_POLICIES = [
  "noeviction",
  "allkeys-lru",
  "allkeys-lfu",
  "allkeys-random",
  "volatile-lru",
  "volatile-lfu",
  "volatile-random",
  "volatile-ttl",
] as const;

/**
 * What a server writes down of each change before it answers: `everysec` writes at once and forces it to the disk each
 * second (a power failure costs at most about two seconds, a killed server nothing), `always` forces it before each
 * answer, `none` keeps the data in memory alone.
 */
export const PERSISTENCE = ["everysec", "always", "none"] as const;

export const TIERS = ["standard", "premium"] as const;
export const ACCESS_LEVELS = ["standard", "advanced"] as const;

/** The server facet: written by RedisAddon alone. */
export const ServerWishSchema = z.object({
  plan: PlanChoiceSchema,
  tier: z.enum(TIERS),
  access: z.enum(ACCESS_LEVELS),
  evictionPolicy: z.enum(EVICTION_POLICIES),
  /** Resolved at creation and never changed by a newer server on the PATH. `7.2.4`, `valkey-8.1.8`. */
  version: z.string(),
  bind: z.string(),
  port: z.number().int(),
  // What follows came later: records and states without it mean its default.
  persistence: z.enum(PERSISTENCE).default("everysec"),
  /** Further settings of redis.conf, in the spelling that CONFIG GET answers with. */
  settings: z.record(z.string(), z.string()).default({}),
  labels: z.record(z.string(), z.string()).default({}),
  deletion: z.object({ finalBackup: z.boolean() }).default({ finalBackup: true }),
});
export type ServerWish = z.infer<typeof ServerWishSchema>;

/** How a leader is reached by TLS; everything in PEM. */
const LeaderTlsSchema = z.object({
  /** Certificates to trust instead of the system's. */
  ca: z.string().exactOptional(),
  /** The name that the leader's certificate must have; absent: its host. */
  serverName: z.string().exactOptional(),
  /** What the follower shows of itself, and its key. */
  certificate: z.string().exactOptional(),
  key: z.string().exactOptional(),
});

export type LeaderTls = z.infer<typeof LeaderTlsSchema>;

/** What became of a follower that is a leader now, by its own resource's wish; absent: it follows. */
const POSITIONS = ["promoted", "switched-over"] as const;

/** The replication facet: written by RedisFollower alone. Absent: the add-on is a leader. */
const ReplicationWishSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("addon"),
    addon: z.string(),
    /** `switched-over`: the two have exchanged their roles, and the leader that is named here follows. */
    position: z.enum(POSITIONS).exactOptional(),
  }),
  z.object({
    kind: z.literal("external"),
    host: z.string(),
    port: z.number().int(),
    username: z.string().optional(),
    password: z.string(),
    tls: LeaderTlsSchema.exactOptional(),
    position: z.literal("promoted").exactOptional(),
  }),
]);
export type ReplicationWish = z.infer<typeof ReplicationWishSchema>;

/** The backups facet: written by BackupPolicy alone. Absent: daily, kept seven days, in the data home. */
export const BackupsWishSchema = z.object({
  schedule: ScheduleSchema,
  retention: RetentionSchema,
  /** A URL; absent: the platform's own place. */
  destination: z.string().optional(),
  /** For a destination that asks for them; absent: what the environment and the user's files say. */
  credentials: StoreCredentialsSchema.optional(),
  /** Absent: archives are not encrypted. */
  encryption: EncryptionSchema.optional(),
  /** Who is told of a backup that fails or is overdue; absent: the log, the status and every preview alone. */
  alerts: z
    .object({
      /** An http or https URL that a JSON text is posted to; it may hold a token. */
      webhook: z.string(),
    })
    .exactOptional(),
});
export type BackupsWish = z.infer<typeof BackupsWishSchema>;

export const DEFAULT_BACKUPS: BackupsWish = {
  schedule: { daily: "03:00" },
  retention: { days: 7 },
};

function facet<Wish extends z.ZodType>(wish: Wish) {
  return z.object({
    wish,
    instance: InstanceSchema,
    /** Which inputs the program set, so that a refresh can return inputs and no defaults. */
    given: z.array(z.string()),
    /** ISO 8601: when this facet was first recorded. Slots before it are never due. */
    since: z.string(),
    /** Serves messages only: it goes stale with aliases and `stack rename`. */
    urn: z.string().optional(),
  });
}

const ServerFacetSchema = facet(ServerWishSchema);
/** Why its leader's snapshot can't be loaded, a sentence, and since when, ISO 8601: until then it follows nobody. */
const HaltedSchema = z.object({ why: z.string(), since: z.string() });

const ReplicationFacetSchema = facet(ReplicationWishSchema).extend({
  /** When the add-on that it follows was made: one made anew under the same name is not the same leader. */
  leaderCreatedAt: z.string().optional(),
  /**
   * Set where its leader's snapshot can't be loaded: it follows nobody then, read-only with the data from before, until
   * a change of this facet tries again.
   */
  halted: HaltedSchema.exactOptional(),
});
const BackupsFacetSchema = facet(BackupsWishSchema);

/** Everything that is wished of one add-on, with the credentials that its platform keeps. */
export const AddonRecordSchema = z.object({
  /**
   * 2 on the disk while a restore is under way, which an agent of before this was written must not take for nothing: it
   * leaves alone what it can't read.
   */
  format: z.union([z.literal(1), z.literal(2)]).transform(() => 1 as const),
  name: z.string(),
  /** The add-on's folder in every destination: `<name>-<first 8 characters of the data home's id>`. */
  catalogKey: z.string(),
  /** ISO 8601. */
  createdAt: z.string(),
  /** The Pulumi project and stack that made it. */
  owner: z.object({ project: z.string(), stack: z.string() }),
  credentials: z.object({
    /** The user's. */
    password: z.string(),
    /** The internal administrator's. */
    adminPassword: z.string(),
    /** The internal replication user's. */
    replicaPassword: z.string(),
  }),
  server: ServerFacetSchema,
  replication: ReplicationFacetSchema.optional(),
  backups: BackupsFacetSchema.optional(),
  /**
   * A switchover to that follower was begun and is not known to have ended. Roles are as they were until it is: which
   * of the two writes, the servers themselves tell, and nobody launches this one before. `aborted`: it was told to keep
   * its role, and may have taken writes since.
   */
  handingOver: z
    .object({ to: z.string(), since: z.string(), aborted: z.literal(true).exactOptional() })
    .exactOptional(),
  /** It gave its role to that add-on, which was made then, and follows it: what it starts with says so. */
  demoted: z
    .object({
      to: z.string(),
      createdAt: z.string(),
      /** The same as of a replication facet, which it need not have: a change of its server tries again. */
      halted: HaltedSchema.exactOptional(),
    })
    .exactOptional(),
  /** ISO 8601: since when the schedule in force is; slots from before it are never due. Absent: since the facet was recorded. */
  scheduledSince: z.string().exactOptional(),
  /** A restore was begun: data that are complete wait beside the folder, and whoever places the server puts them there. */
  restoring: RestoringSchema.exactOptional(),
  /** The last restore that was completed. */
  restored: RestoredSchema.exactOptional(),
  /** Set once a removal began; a crash in between is completed by the same removal called again. */
  removing: z.object({ since: z.string() }).optional(),
});
export type AddonRecord = z.infer<typeof AddonRecordSchema>;
