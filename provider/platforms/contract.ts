import type { RestoreOrigin, RestoreSource } from "../core/restore";
import type { AddonRecord, BackupsWish, ReplicationWish, ServerWish } from "../core/facets";
import type { Secret } from "../core/secret";
import type { HomeIdentity } from "../core/status";
import type { Task } from "../core/task";
import type { VerificationOutcome } from "../core/verification";

/** Who asks: the Pulumi project and stack, and the URN for messages. */
export interface Caller {
  readonly project: string;
  readonly stack: string;
  readonly urn?: string;
}

/**
 * Under which right a facet is changed: a create stamps a new token, everything later carries the one it was given.
 * Who carries the token in force is the owner, whatever its stack is called by now.
 */
export type Claim =
  | { readonly kind: "create"; readonly token: string; readonly caller: Caller }
  | { readonly kind: "carry"; readonly token: string; readonly caller?: Caller }
  /** A person at the command line or the console: who owns the facet stays as it is. */
  | { readonly kind: "person" };

/** The server facet as it is asked for; what is absent is chosen at creation and stays as recorded afterwards. */
export type ServerRequest = Omit<ServerWish, "port" | "version"> & {
  readonly port?: number;
  readonly version?: string;
  /** The user's; kept with the credentials. */
  readonly password?: string;
};

/** A change of one facet; `wish: undefined` returns it to its default (a leader; the default backups). */
export type FacetChange = {
  readonly name: string;
  readonly claim: Claim;
  readonly given: readonly string[];
} & (
  | { readonly facet: "server"; readonly wish: ServerRequest }
  | {
      readonly facet: "replication";
      readonly wish: ReplicationWish | undefined;
      /** Matters where it is to follow and holds keys of its own; `refuse` unless given. */
      readonly onData?: OnData;
    }
  | { readonly facet: "backups"; readonly wish: BackupsWish | undefined }
);

/**
 * What happens to the keys of an add-on that is to follow. `refuse`: it fails (`holds-data`). `replace`: they are backed
 * up, verified, and then replaced. `keep`: they are a part of the leader's history already, so nothing is lost.
 */
export type OnData = "refuse" | "replace" | "keep";

export type Applied =
  | {
      readonly outcome: "applied";
      readonly record: AddonRecord;
      /** How long the server was away, where the change restarted it: until it answered and was as recorded. */
      readonly restartedMs?: number;
      /** The backup of what the leader's data replaced. */
      readonly safetyBackup?: BackupResult;
      /** Where a follower became a leader: the last byte of its leader's history that it holds. */
      readonly finalOffset?: number;
    }
  /** The claim's token has been replaced: nothing was touched. */
  | { readonly outcome: "stale" }
  /** There is no such add-on; only returning a facet to its default gets this answer, a wish fails instead. */
  | { readonly outcome: "absent" };

/** Another Pulumi project or stack shall own an add-on from now on: its next create adopts it. */
export interface HandOver {
  readonly name: string;
  readonly to: { readonly project: string; readonly stack: string };
}

export type HandOverResult =
  { readonly outcome: "handed-over"; readonly from: HandOver["to"] } | { readonly outcome: "absent" };

export interface RemovalRequest {
  readonly name: string;
  /** Absent where a person removes what no engine state owns. */
  readonly token?: string;
  /** Somebody gives the data up: no final backup is taken, whatever the add-on's `deletion` says. */
  readonly withoutBackup?: true;
}

export type Removal =
  /** Without a final backup where nobody wanted one, and where there was nothing to back up: the server never ran. */
  | {
      readonly outcome: "removed";
      readonly finalBackup?: BackupResult;
      readonly noBackup?: "not-wanted" | "no-data" | "given-up";
    }
  | { readonly outcome: "stale" }
  | { readonly outcome: "absent" };

/** The exchange of roles between a leader and a follower that are both add-ons of this platform. */
export interface SwitchOver {
  /** The follower of a pair, or the leader where the roles are to be exchanged back. */
  readonly name: string;
  readonly claim: Claim;
  /** Who shall be the leader: the add-on that follows by its declaration, or the one that it was declared to follow. */
  readonly to: "switched-over" | "declared";
  /** How long writes may be held up before everything is left as it was. */
  readonly timeoutMs: number;
  /** As those of a change of the replication facet; absent: as recorded. */
  readonly given?: readonly string[];
}

export type SwitchedOver =
  | {
      readonly outcome: "switched-over";
      /** Of the add-on that `name` named. */
      readonly record: AddonRecord;
      readonly leader: string;
      readonly follower: string;
      /** Absent where the roles were as wished already. */
      readonly measured?: {
        /** From the last write that the old leader took to the first that the new one took. */
        readonly worstStallMs: number;
        /** How many writes the old leader answered with READONLY meanwhile, and for how long. */
        readonly readonlyAnswers: number;
        readonly readonlyMs: number;
      };
    }
  | { readonly outcome: "stale" }
  | { readonly outcome: "absent" };

/** An add-on's data shall be those of a backup. */
export interface RestoreRequest {
  readonly name: string;
  readonly claim: Claim;
  /** As it was asked for; recorded, so that the same wish restores once. */
  readonly from: RestoreOrigin;
  /** What it was found to mean. */
  readonly source: RestoreSource;
  /** What happens to the keys that it holds. `refuse`: it fails (`holds-data`). `replace`: they are backed up, verified, and then replaced. */
  readonly onData: Exclude<OnData, "keep">;
}

export type RestoreResult =
  | {
      readonly outcome: "restored";
      /** With `restored`, as it was recorded. */
      readonly record: AddonRecord;
      /** The backup of what was replaced. */
      readonly safetyBackup?: BackupResult;
      /** From the moment that users' writes were refused until they could write again. Absent where it was restored already. */
      readonly downtimeMs?: number;
      /** What the user should know, each a sentence. */
      readonly warnings: readonly string[];
    }
  | { readonly outcome: "stale" }
  | { readonly outcome: "absent" };

/** How to reach a server; closing it closes a tunnel where there is one. */
export interface Access extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: Secret;
}

/** What a preview asks, before anything is touched. */
export interface ServerQuestion {
  readonly name: string;
  readonly version?: string;
  readonly port?: number;
  readonly bind: string;
  /** Absent: not known yet. */
  readonly size?: Pick<ServerWish, "plan" | "settings">;
}

/** Something that would make the change fail. The property is an input's name and never one that holds a secret. */
export interface Finding {
  readonly property: string;
  readonly reason: string;
}

/** How the last backup of an add-on went. */
export interface BackupRun {
  /** ISO 8601. */
  readonly at: string;
  readonly outcome: "backed-up" | "failed";
  /** The slot, or the cause. */
  readonly detail: string;
  readonly verification?: VerificationOutcome;
  /** What its destination can't guarantee, or why nobody could verify it; each a sentence. */
  readonly warnings?: readonly string[];
  /** The slot of the newest backup that is known to have been verified, in milliseconds since the Unix epoch. */
  readonly newestVerifiedAt?: number;
}

/** A backup that exists: its manifest is in the store. */
export interface BackupResult {
  readonly slot: string;
  /** URL of the archive. */
  readonly archive: string;
  readonly sizeBytes: number;
  /** How many keys it holds: as a verification counted them, or about so many as the source said; absent: not known. */
  readonly keys?: number | undefined;
  /** How far it was proved that it opens, and why no further; absent: a warning says why nobody could look. */
  readonly verification?: { readonly outcome: VerificationOutcome; readonly why?: string | undefined };
  /** What its destination can't guarantee, each a sentence. */
  readonly warnings: readonly string[];
}

/** What an add-on held before a leader's data replaced it. */
export interface SafetyBackup {
  readonly addon: string;
  readonly backup: BackupResult;
}

export type Trusted =
  | { readonly outcome: "trusted"; readonly safetyBackups: readonly SafetyBackup[] }
  | { readonly outcome: "absent" };

/** How a server that was asked to restart is back. */
export type Restarted =
  | {
      readonly outcome: "restarted";
      /**
       * From the moment that it was asked to leave until it answered and was as recorded; absent: another call, or an
       * agent that was killed meanwhile, had restarted it.
       */
      readonly awayMs?: number;
    }
  /** It did not run. */
  | { readonly outcome: "started" }
  | { readonly outcome: "absent" };

/** Who wrote a line: the add-on's server, or whoever looks after it. */
export const LOG_SOURCES = ["server", "agent"] as const;
export type LogSource = (typeof LOG_SOURCES)[number];

export interface LogLine {
  /** ISO 8601; absent: it goes on with what the line before it says. */
  readonly at?: string;
  readonly source: LogSource;
  readonly level: "debug" | "info" | "warning";
  /** Without its time and what else stands before it. Passwords of the add-on read `[secret]`. */
  readonly text: string;
}

export interface LogQuery {
  readonly sources: readonly LogSource[];
  /** The newest lines, at most so many; or what was written after an earlier answer, as far as it is still there. */
  readonly lines: { readonly newest: number } | { readonly after: string };
}

/** Lines in the order of their times; those of one source in the order in which they were written. */
export interface LogExcerpt {
  readonly lines: readonly LogLine[];
  /** Where this reading came to its end, for `after` in the next query; only the platform understands it. */
  readonly end: string;
}

/** What a platform knows of an add-on without asking its server. */
export interface Placement {
  readonly record: AddonRecord;
  readonly home: HomeIdentity;
  readonly process:
    | { readonly state: "starting" }
    /** `trouble`: why it isn't as recorded, where it isn't. */
    | { readonly state: "running"; readonly pid: number; readonly trouble?: string }
    | { readonly state: "stopped"; readonly why: string };
  /** What runs servers and ticks schedules is not running, and why that matters; absent: it runs. */
  readonly unattended?: string;
  /** The destination, without the add-on's own folder. */
  readonly destination: string;
  readonly lastRun?: BackupRun;
  /** Of a follower: since when it has been in sync, or until when it was; ISO 8601. Absent: it never was. */
  readonly sync?: { readonly state: "synced" | "behind"; readonly since: string };
  /** Of a leader: why its data are not those that it had, so that nobody gets a copy of them until somebody says so. */
  readonly distrusted?: string;
  /** Of a follower: why it doesn't take the data of its leader, which is none of this platform. */
  readonly mistrusts?: string;
  /** On the disk that holds its data; absent: not known. */
  readonly freeBytes?: number;
}

/**
 * A place where servers run. Every call may be repeated after a crash at any point, or made twice at once.
 *
 * - `home`, `check`, `names`, `load`, `placement` and `log` only read: previews call them. None of them starts anything.
 * - `load` returns the record with its credentials; absent: undefined.
 * - `log` reads a bounded part of what was written about an add-on; absent: undefined.
 * - `apply` records the change first, then places what it needs: when it returns, the server runs, answers and is as
 *   recorded (settings, users, who it follows; not yet synced). A create by another project is refused, naming both.
 * - `remove` takes the final backup, stops the server and deletes its data; it never touches backups. Absent is success.
 *   A final backup that fails leaves everything as it was.
 * - `connect` reaches the server as the internal administrator; nothing is sent before the first use.
 * - `backUp` joins the running backup of the same add-on.
 * - `switchOver` records the intent first; cut off anywhere, the platform finds out who writes and completes the records.
 *   It returns once the new leader is as recorded, and fails with everything as it was.
 * - `restore` puts the data of a backup in place of an add-on's own: fetched, proved and complete beside them first, then
 *   the intent is recorded and the folders are exchanged. Cut off anywhere, it ends with one of the two, whole; what it
 *   was asked for once it doesn't do again: the same origin, recorded as restored, is success.
 * - `restart` ends the server, its data written down, and starts it again; one that doesn't run is started. When it
 *   returns, the server is as `apply` leaves it. Nothing is recorded, so that a call that is repeated restarts once.
 * - `trustData` lets an add-on take the data of the leader that it follows, of this platform or not, although these were
 *   found to be older than they had been, or gone; other followers of that leader take them too. What each of them has
 *   is backed up first. Already trusted is success, and backs nothing up.
 */
export interface Platform {
  readonly kind: "local";
  home(): Promise<HomeIdentity | undefined>;
  check(question: ServerQuestion): Promise<Finding[]>;
  names(): Promise<string[]>;
  load(name: string): Promise<AddonRecord | undefined>;
  placement(name: string): Promise<Placement | undefined>;
  log(name: string, query: LogQuery): Promise<LogExcerpt | undefined>;
  apply(change: FacetChange, task: Task): Promise<Applied>;
  remove(request: RemovalRequest, task: Task): Promise<Removal>;
  handOver(request: HandOver, task: Task): Promise<HandOverResult>;
  connect(record: AddonRecord): Promise<Access>;
  backUp(name: string, task: Task): Promise<BackupResult>;
  switchOver(request: SwitchOver, task: Task): Promise<SwitchedOver>;
  restart(name: string, task: Task): Promise<Restarted>;
  trustData(name: string, task: Task): Promise<Trusted>;
  restore(request: RestoreRequest, task: Task): Promise<RestoreResult>;
}
