import { encryptionProblem } from "../../provider/operations/encryption-problem";
import type { AddonRecord, ReplicationWish } from "../../provider/core/facets";
import type { BackupHealth } from "../../provider/core/backup-health";
import type { Usage } from "../../provider/core/resize";
import { adopted, standing, type Instance } from "../../provider/core/instance";
import { Failure } from "../../provider/core/errors";
import type { Applied, Claim, Finding, Placement, Platform } from "../../provider/platforms/contract";
import type { ProviderEnvironment } from "../../provider/pulumi/environment";
import { Activity } from "../../provider/pulumi/engine-watch";
import type { EngineMessage } from "../../provider/pulumi/engine-log";
import { openRow } from "../../provider/pulumi/row";
import type { FollowPreview } from "../../provider/operations/preview-follow";
import type { RetentionChange, RetentionPreview } from "../../provider/operations/preview-retention";
import type { RestorePreview, RestoreQuestion } from "../../provider/operations/preview-restore";
import type { Replicated } from "../../provider/operations/replicate";
import type { RestoreWish } from "../../provider/operations/restore";
import type { Operations } from "../../provider/resources/operations";

/** The engine's side of a handler: what it says on rows, and a clock that stands until it is moved. */
export interface FakeEngine extends ProviderEnvironment {
  readonly messages: EngineMessage[];
  /** Moves the clock: every sleep that ends by then ends. */
  advance(ms: number): Promise<void>;
}

export function fakeEngine(): FakeEngine {
  const messages: EngineMessage[] = [];
  const sleepers = new Set<{ at: number; wake: () => void }>();
  let now = Date.UTC(2026, 0, 1);
  let tokens = 0;
  const clock: FakeEngine["clock"] = {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason as Error);
        const sleeper = { at: now + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", () => {
          sleepers.delete(sleeper);
          reject(signal.reason as Error);
        });
      }),
  };
  return {
    clock,
    activity: new Activity(),
    messages,
    newToken: () => `token-${++tokens}`,
    row: (urn) =>
      openRow(
        (message) => {
          messages.push(message);
          return Promise.resolve();
        },
        clock,
        urn,
      ),
    advance: async (ms) => {
      now += ms;
      for (const sleeper of sleepers)
        if (sleeper.at <= now) {
          sleepers.delete(sleeper);
          sleeper.wake();
        }
      // Whoever was woken runs before the test looks.
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/** Data homes in memory, with the real rules about instance tokens. */
export class FakeWorld {
  readonly records = new Map<string, AddonRecord>();
  findings: Finding[] = [];
  home: { id: string; host: string; path: string } | undefined = {
    id: "home-1-xxxx",
    host: "alpha",
    path: "/data",
  };
  running: Pick<Placement, "process" | "unattended"> = { process: { state: "running", pid: 1 } };
  /** Thrown by the next change, before or after it was recorded. */
  fault: { when: "before" | "after"; error: Error } | undefined;

  readonly platform = {
    kind: "local",
    home: () => Promise.resolve(this.home),
    check: () => Promise.resolve(this.findings),
    names: () => Promise.resolve([...this.records.keys()]),
    load: (name: string) => Promise.resolve(this.records.get(name)),
    placement: (name: string) => {
      const record = this.records.get(name);
      return Promise.resolve(
        record && { record, home: this.home, destination: "file:///data/backups", ...this.running },
      );
    },
  } as unknown as Platform;

  /** What the server holds; absent: it doesn't answer. */
  usage: Usage | undefined;
  /** What a change of replication tells beside the record. */
  replicated: Omit<Replicated, "record"> = {};
  /** What a preview finds out about a follower, and whom it was asked about. */
  followPreview: FollowPreview = { findings: [] };
  readonly previewed: { readonly name: string | undefined; readonly wish: ReplicationWish }[] = [];
  replicationId: string | undefined = "0123456789abcdef0123456789abcdef01234567";
  /** How long an update's restart takes; absent: it needs none. */
  restartedMs: number | undefined;

  /** What a preview finds out about the backups that would go, and what it was asked. */
  retentionPreview: RetentionPreview = {};
  readonly retentionChanges: RetentionChange[] = [];

  health: BackupHealth = { state: "fresh" };
  /** What a preview finds out about a restore, and what it was asked. */
  restorePreview: RestorePreview = { refusals: [], warnings: [], plans: [] };
  readonly restoresPreviewed: RestoreQuestion[] = [];
  /** The slots that restores find, in turn. */
  readonly slots = ["20260501T030000000Z", "20260502T030000000Z", "20260503T030000000Z"];
  /** Thrown by the next restore, once the add-on is made. */
  restoreFault: Error | undefined;

  readonly operations: Operations = {
    openPlatform: () => Promise.resolve(this.platform),
    usageOf: () => Promise.resolve(this.usage),
    previewRestore: (_, question) => {
      this.restoresPreviewed.push(question);
      return Promise.resolve(this.restorePreview);
    },
    backupHealthOf: (_, name) => Promise.resolve(this.records.has(name) ? this.health : undefined),
    provision: async (_, { name, claim, wish: { password, ...wish }, given, restore }) => {
      const record = await this.#change(() => {
        const existing = this.records.get(name);
        if (existing === undefined && claim.kind !== "create") throw problem("no-such-addon", name);
        const port = wish.port ?? existing?.server.wish.port ?? 7001;
        const version = wish.version ?? existing?.server.wish.version ?? "7.0.15";
        const base = existing ?? bornRecord(name, claim);
        const instance = claimed(existing?.server.instance, claim, name);
        const facet = {
          wish: { ...wish, port, version },
          instance,
          given: [...given],
          since: "2026-01-01T00:00:00Z",
        };
        const credentials = { ...base.credentials, ...(password === undefined ? {} : { password }) };
        return { ...base, credentials, server: facet };
      });
      const made = { record, restartedMs: this.restartedMs };
      return restore === undefined ? made : { ...made, ...this.#restore(record, restore) };
    },
    previewFollow: (_, asked) => {
      this.previewed.push(asked);
      return Promise.resolve(this.followPreview);
    },
    replicate: async (_, { name, claim, wish, given }) => {
      const record = await this.#change(() => {
        const record = this.#existing(name);
        const instance = claimed(record.replication?.instance, claim, name);
        return {
          ...record,
          replication: {
            wish,
            instance,
            given: [...given],
            since: "2026-01-01T00:00:00Z",
            ...(wish.kind === "addon" ? { leaderCreatedAt: "2026-01-01T00:00:00.000Z" } : {}),
          },
        };
      });
      return { record, ...this.replicated };
    },
    replicationId: () => Promise.resolve(this.replicationId),
    setBackups: (_, { name, claim, wish, given }) =>
      this.#change(() => {
        const record = this.#existing(name);
        const instance = claimed(record.backups?.instance, claim, name);
        const urn = claim.kind === "person" ? undefined : claim.caller?.urn;
        const rest = {
          given: [...given],
          since: "2026-01-01T00:00:00Z",
          ...(urn === undefined ? {} : { urn }),
        };
        return { ...record, backups: { wish, instance, ...rest } };
      }),
    remove: (_, { name, token }) => {
      const record = this.records.get(name);
      if (record === undefined) return Promise.resolve({ outcome: "absent" });
      if (token !== undefined && standing(record.server.instance, token).kind !== "current")
        return Promise.resolve({ outcome: "stale" });
      this.records.delete(name);
      return Promise.resolve({
        outcome: "removed",
        finalBackup: {
          slot: "20260101T000000000Z",
          archive: "file:///data/backups/final.tar.gz",
          sizeBytes: 1,
          verification: { outcome: "verified" },
          warnings: [],
        },
      });
    },
    stopFollowing: (_, { name, token }) => {
      const outcome = this.#reset(name, "replication", token);
      return Promise.resolve(outcome === "applied" ? { outcome: "promoted", finalOffset: 42 } : { outcome });
    },
    encryptionProblem,
    previewRetention: (_, change) => {
      this.retentionChanges.push(change);
      return Promise.resolve(this.retentionPreview);
    },
    resetBackups: async (_, { name, token }) => outcomeOf(this.#reset(name, "backups", token), "reset"),
  };

  #restore(before: AddonRecord, { from, replaceData }: RestoreWish) {
    const fault = this.restoreFault;
    this.restoreFault = undefined;
    if (fault !== undefined) throw fault;
    const backup = this.slots.shift() ?? "none left";
    const safetyBackup = { slot: "20260601T000000000Z", archive: "a", sizeBytes: 1, warnings: [] };
    const restored = { from, backup, archive: "a", at: "2026-06-01T00:00:00Z", keys: 3 };
    const record = { ...before, restored };
    this.records.set(record.name, record);
    const told = replaceData ? { safetyBackup, downtimeMs: 800 } : {};
    return { record, restored: { record, tookMs: 2_300, warnings: [], ...told } };
  }

  #existing(name: string): AddonRecord {
    const record = this.records.get(name);
    if (record === undefined) throw problem("no-such-addon", name);
    return record;
  }

  #change(make: () => AddonRecord): Promise<AddonRecord> {
    const { fault } = this;
    this.fault = undefined;
    if (fault?.when === "before") return Promise.reject(fault.error);
    try {
      const record = make();
      this.records.set(record.name, record);
      return fault === undefined ? Promise.resolve(record) : Promise.reject(fault.error);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #reset(name: string, facet: "replication" | "backups", token: string): Applied["outcome"] {
    const record = this.records.get(name);
    if (record === undefined) return "absent";
    const instance = record[facet]?.instance;
    if (instance !== undefined && standing(instance, token).kind !== "current") return "stale";
    const others = { ...record };
    delete others[facet];
    this.records.set(name, others);
    return "applied";
  }
}

function outcomeOf<Done extends string>(outcome: Applied["outcome"], done: Done): Done | "stale" | "absent" {
  return outcome === "applied" ? done : outcome;
}

function claimed(existing: Instance | undefined, claim: Claim, name: string): Instance {
  if (claim.kind === "person") throw problem("no-person-here", name);
  if (claim.kind === "create") return adopted(existing, claim.token);
  if (existing === undefined) return { token: claim.token, confirmed: true };
  const verdict = standing(existing, claim.token);
  if (verdict.kind === "stale") throw problem("stale-instance", name);
  return verdict.instance;
}

function bornRecord(name: string, claim: Claim): Omit<AddonRecord, "server"> {
  if (claim.kind !== "create") throw problem("no-such-addon", name);
  const { project, stack } = claim.caller;
  return {
    format: 1,
    name,
    catalogKey: `${name}-home-1-x`,
    createdAt: "2026-01-01T00:00:00.000Z",
    owner: { project, stack },
    credentials: { password: "user-password", adminPassword: "admin-pw", replicaPassword: "replica-pw" },
  };
}

function problem(code: string, subject: string): Failure {
  return new Failure({ code, operation: "change", subject, cause: "of the test" });
}
