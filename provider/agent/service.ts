import { randomUUID } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../core/errors";
import { nameProblem } from "../core/addon-name";
import { ServerWishSchema, type AddonRecord } from "../core/facets";
import { claimsRoleOf } from "../core/hand-over";
import { standing, type Instance } from "../core/instance";
import { scheduledFrom } from "../core/schedule-in-force";
import type { HomeIdentity } from "../core/status";
import type { Task } from "../core/task";
import type {
  Applied,
  BackupResult,
  FacetChange,
  HandOver,
  HandOverResult,
  Removal,
  RemovalRequest,
  RestoreRequest,
  RestoreResult,
  SwitchedOver,
  SwitchOver,
  Trusted,
} from "../platforms/contract";
import type { HomeLayout } from "../platforms/local/home";
import { readRecord } from "../platforms/local/records";
import type { FoundServer } from "../platforms/local/servers";
import { syncFolder } from "../system/files";
import { backUpBeforeUpgrade } from "./backups/backup-before-upgrade";
import type { BackupRunner } from "./backups/backup-runner";
import { choosePort } from "./server/choose-port";
import { changeRecord } from "./records/change-record";
import { callerOf, claimed, ended, noSuchAddon, refuseForeign } from "./records/claims";
import { triedAgain } from "./replication/watch/halt";
import { letGoOfLeader } from "./replication/change/let-go";
import { prepareToFollow } from "./replication/change/prepare-to-follow";
import { recordedReplication, refuseHalfSwitchover } from "./replication/change/recorded-replication";
import { afterFollowing, releaseOldLeader } from "./replication/switch-over/old-leader";
import { switchOver } from "./replication/switch-over/switch-over";
import { followersOf } from "./replication/leader/leader-of";
import { trustData } from "./replication/lineage/trust-data";
import { restore } from "./restore/restore";
import { saveBesideRestore } from "./restore/save-beside-restore";
import { keepFallback, runsAlike } from "./records/fallback";
import { keepServer } from "./server/keep-server";
import { log } from "./log";
import { Queue, Queues } from "./queue";
import { newRecord } from "./records/new-record";
import { ProcessNotes } from "./server/process-notes";
import { refuseOwnFolders } from "./records/refuse-own-folders";
import { refuseSecondPolicy } from "./records/refuse-second-policy";
import { refuseUnfitSettings } from "./records/refuse-unfit-settings";
import type { Supervisor } from "./supervisor";

/** The platform's changing calls, in process. All changes of one add-on stand in one queue. */
export class AgentService {
  readonly #queues = new Queues();
  /** Ports are chosen and recorded one after another, or two creates at once would choose the same. */
  readonly #ports = new Queue();

  constructor(
    readonly layout: HomeLayout,
    readonly identity: HomeIdentity,
    readonly supervisor: Supervisor,
    readonly backups: BackupRunner,
    /** What goes on when the caller of a call has gone, until the agent leaves. */
    readonly background: Task,
  ) {}

  apply(change: FacetChange, servers: readonly FoundServer[], task: Task): Promise<Applied> {
    return this.inQueue(change.name, async () => {
      const existing = await this.#settled(change.name, task);
      if (existing === undefined && change.facet !== "server") {
        if (change.wish === undefined) return { outcome: "absent" };
        throw noSuchAddon(change.name, this.identity);
      }
      if (existing === undefined && change.claim.kind !== "create")
        throw noSuchAddon(change.name, this.identity);
      if (existing !== undefined) {
        refuseForeign(existing, change.claim);
        refuseSecondPolicy(existing, change);
      }

      await refuseOwnFolders(this.layout, change);

      const facet = existing?.[change.facet];
      const instance = (change.wish === undefined ? ended : claimed)(facet?.instance, change.claim);
      if (instance === "stale") return { outcome: "stale" };

      if (existing !== undefined && change.facet === "replication" && change.wish !== undefined)
        await refuseHalfSwitchover(this.layout, existing, change.wish);

      // Before anything is recorded: a call that is cut off anywhere from here on is completed by the supervisor.
      this.supervisor.touch(change.name);
      const prepared =
        existing !== undefined && change.facet === "replication"
          ? await prepareToFollow(this, existing, change, task)
          : undefined;
      if (existing !== undefined && change.facet === "replication")
        await letGoOfLeader(existing, change.wish, task);
      // What was prepared is completed, or taken back where nothing was recorded, at the supervisor's next look.
      const record = await this.#recorded(existing, change, instance, servers, task).finally(() => {
        if (prepared !== undefined) this.supervisor.touch(change.name);
      });
      for (const follower of await followersOf(this.layout, record.name)) this.supervisor.touch(follower);
      const { finalOffset, ...placed } = await this.supervisor.place(record.name, task);
      const promoted = change.facet === "replication" && finalOffset !== undefined ? { finalOffset } : {};
      await this.#requireKept(record);
      await this.#placeOldLeader(existing, record);
      return { outcome: "applied", record, ...prepared, ...placed, ...promoted };
    });
  }

  remove(request: RemovalRequest, task: Task): Promise<Removal> {
    return this.inQueue(request.name, async () => {
      const existing = await this.#settled(request.name, task);
      if (existing === undefined) return { outcome: "absent" };
      if (request.token !== undefined && standing(existing.server.instance, request.token).kind !== "current")
        return { outcome: "stale" };

      const since = existing.removing?.since ?? new Date(task.clock.now()).toISOString();
      const record: AddonRecord = { ...existing, removing: { since } };
      this.supervisor.touch(record.name);
      await this.#save(record);
      let finalBackup: BackupResult | undefined;
      try {
        // Users are shut out first: a write that is acknowledged after the final backup would be lost.
        if (!record.server.wish.deletion.finalBackup) {
          log(`${record.name}: removed without a final backup, as its deletion.finalBackup says`);
        } else if (!(await this.supervisor.isEmpty(record.name))) {
          const placed = await this.#placeForRemoval(record, task);
          finalBackup = await this.backups.final(placed, task);
        }
        await this.supervisor.stop(record.name, task, "the add-on is being removed");
      } catch (error) {
        // An agent that leaves leaves the rest to its successor, whom the caller asks again.
        if (!this.background.signal.aborted) await this.#letUsersIn(record.name);
        throw error;
      }
      const oldLeader = await releaseOldLeader(this.layout, record);
      await this.#discard(record);
      if (oldLeader !== undefined) await this.placeInBackground(oldLeader);
      if (finalBackup !== undefined) return { outcome: "removed", finalBackup };
      const isWanted = record.server.wish.deletion.finalBackup;
      return { outcome: "removed", noBackup: isWanted ? "no-data" : "not-wanted" };
    });
  }

  handOver({ name, to }: HandOver): Promise<HandOverResult> {
    return this.inQueue(name, async () => {
      const record = await readRecord(this.layout, name);
      if (record === undefined) return { outcome: "absent" };
      await changeRecord(this.layout, name, (present) => ({ ...present, owner: to }));
      return { outcome: "handed-over", from: record.owner };
    });
  }

  async backUp(name: string, task: Task): Promise<BackupResult> {
    const record = await readRecord(this.layout, name);
    if (record === undefined) throw noSuchAddon(name, this.identity);
    return this.backups.onDemand(record, task);
  }

  switchOver(request: SwitchOver, task: Task): Promise<SwitchedOver> {
    return switchOver(this, request, task);
  }

  restore(request: RestoreRequest, task: Task): Promise<RestoreResult> {
    return this.inQueue(request.name, () => restore(this, request, task));
  }

  trustData(name: string, task: Task): Promise<Trusted> {
    return this.inQueue(name, () => trustData(this, name, task));
  }

  async #recorded(
    existing: AddonRecord | undefined,
    change: FacetChange,
    instance: Instance,
    servers: readonly FoundServer[],
    task: Task,
  ): Promise<AddonRecord> {
    const since = existing?.[change.facet]?.since ?? new Date(task.clock.now()).toISOString();
    const urn = callerOf(change.claim)?.urn ?? existing?.[change.facet]?.urn;
    const rest = { instance, given: [...change.given], since, ...(urn === undefined ? {} : { urn }) };

    if (change.facet === "server") {
      const previous = existing?.server.wish;
      const version = await keepServer(
        this.layout,
        change.wish.version ?? previous?.version,
        servers,
        previous?.version,
      );
      const settings = change.wish.settings ?? previous?.settings ?? {};
      refuseUnfitSettings(change.name, { settings, plan: change.wish.plan, version });
      const backup =
        existing === undefined || version === existing.server.wish.version
          ? undefined
          : await backUpBeforeUpgrade(existing, version, this, task);
      const { port: wanted, version: _, password, ...wish } = change.wish;
      return this.#ports.add(async () => {
        const port = await choosePort(
          this.layout,
          this.identity.id,
          change.name,
          wish.bind,
          wanted ?? previous?.port,
        );
        // A caller of an earlier version sends no more than it knows.
        const facet = { ...rest, wish: ServerWishSchema.parse({ ...wish, version, port }) };
        const { removing: __, ...kept } = existing ?? this.#newRecord(change, since);
        const owner = callerOf(change.claim) ?? kept.owner;
        const changed = {
          ...triedAgain(kept),
          owner: { project: owner.project, stack: owner.stack },
          credentials: { ...kept.credentials, ...(password === undefined ? {} : { password }) },
          server: facet,
        };
        if (existing !== undefined) await this.#keepFallback(existing, changed, backup);
        return this.#save(changed);
      });
    }
    if (existing === undefined) throw noSuchAddon(change.name, this.identity);
    if (change.wish === undefined) {
      const others =
        change.facet === "replication"
          ? await afterFollowing(this.layout, existing)
          : { ...existing, ...scheduledFrom(existing, undefined, task.clock.now()) };
      delete others[change.facet];
      return this.#save(others);
    }
    if (change.facet === "backups") {
      const from = scheduledFrom(existing, change.wish, task.clock.now());
      return this.#save({ ...existing, ...from, backups: { ...rest, wish: change.wish } });
    }
    return this.#save(await recordedReplication(this.layout, existing, change.wish, rest));
  }

  #newRecord({ name, claim }: FacetChange, createdAt: string): Omit<AddonRecord, "server"> {
    if (claim.kind !== "create") throw noSuchAddon(name, this.identity);
    return newRecord(name, claim.caller, createdAt, this.identity);
  }

  async #keepFallback(
    existing: AddonRecord,
    changed: AddonRecord,
    backup: string | undefined,
  ): Promise<void> {
    const files = this.layout.addon(existing.name);
    if (runsAlike(existing, changed) || !(await new ProcessNotes(files).hasRun())) return;
    await keepFallback(files, existing, backup);
  }

  /** The supervisor may have undone what an interrupted call recorded, while this one made it again. */
  async #requireKept(record: AddonRecord): Promise<void> {
    const present = await readRecord(this.layout, record.name);
    if (present === undefined || runsAlike(present, record)) return;
    throw new Failure({
      code: "change-undone",
      operation: "change",
      subject: record.name,
      cause: "no server could run with the change, so it was undone",
      hint: `Read ${this.layout.addon(record.name).log} and ${this.layout.agentLog}`,
    });
  }

  #save(record: AddonRecord): Promise<AddonRecord> {
    return saveBesideRestore(this.layout, record);
  }

  /** Its record, once it is known who leads, and a restore that was begun has come to its end, unless that is held up. */
  async #settled(name: string, task: Task): Promise<AddonRecord | undefined> {
    const record = await this.supervisor.handOvers.settled(name, task);
    if (record?.restoring === undefined) return record;
    await this.supervisor.place(name, task).catch((error: unknown) => {
      task.signal.throwIfAborted();
      log(`${name}: ${String(error)}`);
    });
    return readRecord(this.layout, name);
  }

  /** Its own port may be a stranger's by now; for a last backup any other will do. */
  async #placeForRemoval(record: AddonRecord, task: Task): Promise<AddonRecord> {
    try {
      await this.supervisor.place(record.name, task);
      return record;
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "port-taken") throw error;
    }
    const bind = "127.0.0.1";
    const port = await choosePort(this.layout, this.identity.id, `${record.name}/removal`, bind, undefined);
    const elsewhere = (found: AddonRecord): AddonRecord => ({
      ...found,
      server: { ...found.server, wish: { ...found.server.wish, bind, port } },
    });
    await this.supervisor.place(record.name, task, elsewhere);
    return elsewhere(record);
  }

  /** A removal that failed, or whose caller went away, ends with the add-on as it was. */
  async #letUsersIn(name: string): Promise<void> {
    await changeRecord(this.layout, name, ({ removing: _, ...kept }) => kept);
    await this.placeInBackground(name);
  }

  /** Whose role a RedisFollower no longer says that it has: both lead now, each with its data. */
  async #placeOldLeader(before: AddonRecord | undefined, now: AddonRecord): Promise<void> {
    const wish = before?.replication?.wish;
    if (before === undefined || wish?.kind !== "addon") return;
    if (claimsRoleOf(before, wish.addon) && !claimsRoleOf(now, wish.addon))
      await this.placeInBackground(wish.addon);
  }

  /** Also once its caller has gone. Should this fail, the supervisor tries again and its status says why. */
  async placeInBackground(name: string): Promise<void> {
    this.supervisor.touch(name);
    await this.supervisor.place(name, this.background).catch((error: unknown) => {
      log(`${name}: ${String(error)}`);
    });
  }

  /** One rename makes the add-on gone; what is slow comes after it, and the next start of an agent does it again. */
  async #discard(record: AddonRecord): Promise<void> {
    const discarded = join(this.layout.trash, `${record.name}-${randomUUID()}`);
    await rename(this.layout.addon(record.name).root, discarded);
    await syncFolder(this.layout.addons);
    await rm(discarded, { recursive: true, force: true }).catch((error: unknown) => {
      log(`${record.name}: what is left of it stays in ${discarded}: ${String(error)}`);
    });
  }

  /** Work on one add-on, after all that was asked for before; whoever needs two takes them in the order of their names. */
  inQueue<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const problem = nameProblem(name);
    // A name that comes from somebody's state must not lead out of the data home.
    if (problem !== undefined)
      return Promise.reject(
        new Failure({
          code: "bad-name",
          operation: "find the add-on",
          subject: JSON.stringify(name),
          cause: problem,
        }),
      );
    return this.#queues.add(name, work);
  }
}
