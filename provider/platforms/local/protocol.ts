import type { FailureReport } from "../../core/errors";
import type { Progress } from "../../core/task";
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
} from "../contract";
import type { ProcessIdentity } from "../../system/processes";
import type { FoundServer } from "./servers";

/**
 * The agent's calls, a subset of the platform's contract: what changes something. Each is `POST /<call>` with a JSON
 * argument on the socket; the answer is NDJSON, progress lines first and one result or failure last.
 */
export interface AgentCalls {
  info: { argument: Record<string, never>; result: AgentInfo };
  apply: { argument: { change: FacetChange; servers: readonly FoundServer[] }; result: Applied };
  remove: { argument: RemovalRequest; result: Removal };
  handOver: { argument: HandOver; result: HandOverResult };
  backUp: { argument: { name: string }; result: BackupResult };
  switchOver: { argument: SwitchOver; result: SwitchedOver };
  /** `process` is the one that runs; absent: none. It alone is ended, so that a call that is made twice restarts once. */
  restart: { argument: { name: string; process?: ProcessIdentity }; result: Restarted };
  trustData: { argument: { name: string }; result: Trusted };
  restore: { argument: RestoreRequest; result: RestoreResult };
  /** `url` logs in whoever opens it first, within ten minutes. */
  console: { argument: Record<string, never>; result: { url: string } };
  /** Answers once the agent accepts no more calls; it exits right after. */
  stop: { argument: { keepServers: boolean }; result: { stopped: readonly string[] } };
}

export interface AgentInfo {
  readonly program: string;
  readonly version: string;
  readonly pid: number;
}

export type AgentLine<Result> =
  | { readonly kind: "progress"; readonly progress: Progress }
  | { readonly kind: "result"; readonly result: Result }
  | { readonly kind: "failure"; readonly report: FailureReport };
