import { nameProblem } from "../core/addon-name";
import { Failure } from "../core/errors";
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
  Restarted,
  RestoreRequest,
  RestoreResult,
  SwitchedOver,
  SwitchOver,
  Trusted,
} from "../platforms/contract";
import type { HomeLayout } from "../platforms/local/home";
import { readRecord } from "../platforms/local/records";
import type { FoundServer } from "../platforms/local/servers";
import type { BackupRunner } from "./backups/backup-runner";
import { apply } from "./calls/apply";
import { remove } from "./calls/remove";
import { restart, type RestartCall } from "./calls/restart";
import { log } from "./log";
import { Queue, Queues } from "./queue";
import { changeRecord } from "./records/change-record";
import { noSuchAddon } from "./records/claims";
import { trustData } from "./replication/lineage/trust-data";
import { switchOver } from "./replication/switch-over/switch-over";
import { restore } from "./restore/restore";
import { tellOfRestore } from "./restore/under-way";
import type { Supervisor } from "./supervisor";

/** The platform's changing calls, in process. All changes of one add-on stand in one queue. */
export class AgentService {
  readonly #queues = new Queues();
  /** Ports are chosen and recorded one after another, or two creates at once would choose the same. */
  readonly ports = new Queue();

  constructor(
    readonly layout: HomeLayout,
    readonly identity: HomeIdentity,
    readonly supervisor: Supervisor,
    readonly backups: BackupRunner,
    /** What goes on when the caller of a call has gone, until the agent leaves. */
    readonly background: Task,
  ) {}

  apply(change: FacetChange, servers: readonly FoundServer[], task: Task): Promise<Applied> {
    return this.inQueue(change.name, () => apply(this, change, servers, task), task);
  }

  remove(request: RemovalRequest, task: Task): Promise<Removal> {
    return this.inQueue(request.name, () => remove(this, request, task), task);
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
    return this.inQueue(request.name, () => restore(this, request, task), task);
  }

  restart(call: RestartCall, task: Task): Promise<Restarted> {
    return this.inQueue(call.name, () => restart(this, call, task), task);
  }

  trustData(name: string, task: Task): Promise<Trusted> {
    return this.inQueue(name, () => trustData(this, name, task), task);
  }

  /** Also once its caller has gone. Should this fail, the supervisor tries again and its status says why. */
  async placeInBackground(name: string): Promise<void> {
    this.supervisor.touch(name);
    await this.supervisor.place(name, this.background).catch((error: unknown) => {
      log(`${name}: ${String(error)}`);
    });
  }

  /** Work on one add-on, after all that was asked for before; whoever needs two takes them in the order of their names. */
  inQueue<Result>(name: string, work: () => Promise<Result>, task?: Task): Promise<Result> {
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
    if (task !== undefined) tellOfRestore(this.layout.addon(name), name, task);
    return this.#queues.add(name, work);
  }
}
