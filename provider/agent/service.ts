import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../core/errors";
import type { AddonRecord } from "../core/facets";
import { adopted, standing, type Instance } from "../core/instance";
import type { HomeIdentity } from "../core/status";
import type { Task } from "../core/task";
import type {
  Applied,
  BackupResult,
  Claim,
  FacetChange,
  HandOver,
  HandOverResult,
  Removal,
  RemovalRequest,
} from "../platforms/contract";
import type { HomeLayout } from "../platforms/local/home";
import { readRecord, recordedNames } from "../platforms/local/records";
import type { FoundServer } from "../platforms/local/servers";
import { syncFolder, writeDurably } from "../system/files";
import type { BackupRunner } from "./backup-runner";
import { choosePort } from "./choose-port";
import { keepServer } from "./keep-server";
import { log } from "./log";
import type { Supervisor } from "./supervisor";

/** The platform's changing calls, in process. All changes of one add-on stand in one queue. */
export class AgentService {
  readonly #queues = new Map<string, Promise<unknown>>();
  /** Ports are chosen and recorded one after another, or two creates at once would choose the same. */
  #ports: Promise<unknown> = Promise.resolve();

  constructor(
    readonly layout: HomeLayout,
    readonly identity: HomeIdentity,
    readonly supervisor: Supervisor,
    readonly backups: BackupRunner,
    /** What goes on when the caller of a call has gone, until the agent leaves. */
    readonly background: Task,
  ) {}

  apply(change: FacetChange, servers: readonly FoundServer[], task: Task): Promise<Applied> {
    return this.#inQueue(change.name, async () => {
      const existing = await readRecord(this.layout, change.name);
      if (existing === undefined && change.facet !== "server") {
        if (change.wish === undefined) return { outcome: "absent" };
        throw noSuchAddon(change.name, this.identity);
      }
      if (existing === undefined && change.claim.kind === "carry")
        throw noSuchAddon(change.name, this.identity);
      if (existing !== undefined) refuseForeign(existing, change.claim);

      const facet = existing?.[change.facet];
      const instance = claimed(facet?.instance, change.claim);
      if (instance === "stale") return { outcome: "stale" };

      const record = await this.#recorded(existing, change, instance, servers, task);
      await this.supervisor.place(record, task);
      await this.#placeFollowersOf(record, task);
      return { outcome: "applied", record };
    });
  }

  remove(request: RemovalRequest, task: Task): Promise<Removal> {
    return this.#inQueue(request.name, async () => {
      const existing = await readRecord(this.layout, request.name);
      if (existing === undefined) return { outcome: "absent" };
      if (request.token !== undefined && standing(existing.server.instance, request.token).kind !== "current")
        return { outcome: "stale" };

      const since = existing.removing?.since ?? new Date(task.clock.now()).toISOString();
      const record: AddonRecord = { ...existing, removing: { since } };
      await this.#save(record);
      try {
        // Users are shut out first: a write that is acknowledged after the final backup would be lost.
        await this.supervisor.place(record, task);
        const finalBackup = await this.backups.final(record, task);
        await this.supervisor.stop(record, task);
        await this.#discard(record);
        return { outcome: "removed", finalBackup };
      } catch (error) {
        // An agent that leaves leaves the rest to its successor, whom the caller asks again.
        if (!this.background.signal.aborted) await this.#letUsersIn(record);
        throw error;
      }
    });
  }

  handOver({ name, to }: HandOver): Promise<HandOverResult> {
    return this.#inQueue(name, async () => {
      const record = await readRecord(this.layout, name);
      if (record === undefined) return { outcome: "absent" };
      await this.#save({ ...record, owner: to });
      return { outcome: "handed-over", from: record.owner };
    });
  }

  async backUp(name: string, task: Task): Promise<BackupResult> {
    const record = await readRecord(this.layout, name);
    if (record === undefined) throw noSuchAddon(name, this.identity);
    return this.backups.onDemand(record, task);
  }

  async #recorded(
    existing: AddonRecord | undefined,
    change: FacetChange,
    instance: Instance,
    servers: readonly FoundServer[],
    task: Task,
  ): Promise<AddonRecord> {
    const since = existing?.[change.facet]?.since ?? new Date(task.clock.now()).toISOString();
    const urn = change.claim.caller?.urn ?? existing?.[change.facet]?.urn;
    const rest = { instance, given: [...change.given], since, ...(urn === undefined ? {} : { urn }) };

    if (change.facet === "server") {
      const previous = existing?.server.wish;
      const version = await keepServer(this.layout, change.wish.version ?? previous?.version, servers);
      const { port: wanted, version: _, ...wish } = change.wish;
      return this.#oneAfterAnother(async () => {
        const port = await choosePort(
          this.layout,
          this.identity.id,
          change.name,
          wish.bind,
          wanted ?? previous?.port,
        );
        const facet = { ...rest, wish: { ...wish, version, port } };
        const { removing: __, ...kept } = existing ?? this.#born(change, since);
        const owner = change.claim.caller ?? kept.owner;
        return this.#save({ ...kept, owner: { project: owner.project, stack: owner.stack }, server: facet });
      });
    }
    if (existing === undefined) throw noSuchAddon(change.name, this.identity);
    if (change.wish === undefined) {
      const others = { ...existing };
      delete others[change.facet];
      return this.#save(others);
    }
    return change.facet === "replication"
      ? this.#save({ ...existing, replication: { ...rest, wish: change.wish } })
      : this.#save({ ...existing, backups: { ...rest, wish: change.wish } });
  }

  #born(change: FacetChange, createdAt: string): Omit<AddonRecord, "server"> {
    if (change.claim.kind !== "create") throw noSuchAddon(change.name, this.identity);
    const { project, stack } = change.claim.caller;
    return {
      format: 1,
      name: change.name,
      catalogKey: `${change.name}-${this.identity.id.slice(0, 8)}`,
      createdAt,
      owner: { project, stack },
      credentials: {
        password: newPassword(),
        adminPassword: newPassword(),
        replicaPassword: newPassword(),
      },
    };
  }

  async #save(record: AddonRecord): Promise<AddonRecord> {
    const layout = this.layout.addon(record.name);
    await mkdir(layout.data, { recursive: true, mode: 0o700 });
    await writeDurably(layout.record, JSON.stringify(record, undefined, 1), 0o600);
    return record;
  }

  /** A removal that failed, or whose caller went away, ends with the add-on as it was. */
  async #letUsersIn(record: AddonRecord): Promise<void> {
    const { removing: _, ...kept } = record;
    await this.#save(kept);
    await this.supervisor.place(kept, this.background).catch((error: unknown) => {
      log(`${record.name}: ${String(error)}`);
    });
  }

  /** One rename makes the add-on gone; what is slow comes after it and may be repeated at the next start. */
  async #discard(record: AddonRecord): Promise<void> {
    const discarded = join(this.layout.trash, `${record.name}-${randomUUID()}`);
    await rename(this.layout.addon(record.name).root, discarded);
    await syncFolder(this.layout.addons);
    await rm(discarded, { recursive: true, force: true });
  }

  /** A leader's port or replication password may have changed: its followers must hear of it. */
  async #placeFollowersOf(leader: AddonRecord, task: Task): Promise<void> {
    for (const name of await recordedNames(this.layout)) {
      const record = await readRecord(this.layout, name);
      const follows = record?.replication?.wish;
      if (record === undefined || follows?.kind !== "addon" || follows.addon !== leader.name) continue;
      // A follower's own trouble shows in its own status; the leader's change is made.
      await this.supervisor.place(record, task).catch((error: unknown) => {
        log(`${name}: ${String(error)}`);
      });
    }
  }

  #inQueue<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const turn = (this.#queues.get(name) ?? Promise.resolve()).then(work, work);
    this.#queues.set(
      name,
      turn.catch(() => undefined),
    );
    return turn;
  }

  #oneAfterAnother<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#ports.then(work, work);
    this.#ports = turn.catch(() => undefined);
    return turn;
  }
}

function claimed(existing: Instance | undefined, claim: Claim): Instance | "stale" {
  if (claim.kind === "create") return adopted(existing, claim.token);
  // A facet that went back to its default has no instance; the state that still carries one may set it anew.
  if (existing === undefined) return { token: claim.token, confirmed: true };
  const verdict = standing(existing, claim.token);
  return verdict.kind === "stale" ? "stale" : verdict.instance;
}

function refuseForeign(record: AddonRecord, claim: Claim): void {
  if (claim.kind !== "create") return;
  const { project, stack } = claim.caller;
  if (record.owner.project === project && record.owner.stack === stack) return;
  const [theirs, ours] = [`${record.owner.project}/${record.owner.stack}`, `${project}/${stack}`];
  throw new Failure({
    code: "foreign-owner",
    operation: "create",
    subject: record.name,
    cause: `an add-on of that name was made by the stack ${theirs}, and this is ${ours}`,
    hint: `Choose another name, or hand it over: redis-addon hand-over ${record.name} --to ${ours}`,
  });
}

function noSuchAddon(name: string, home: HomeIdentity): Failure {
  return new Failure({
    code: "no-such-addon",
    operation: "find the add-on",
    subject: name,
    cause: `the data home ${home.path} on ${home.host} has none of that name`,
    hint: "See what there is: redis-addon list",
  });
}

/** 256 bits, safe in shells and URLs. */
function newPassword(): string {
  return randomBytes(32).toString("base64url");
}
