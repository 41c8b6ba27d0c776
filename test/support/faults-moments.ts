import type { RunOptions } from "./faults";
import type { S3FaultProxy, S3Request } from "./s3-fault-proxy";

/** What a job tells, step by step. */
export const STEPS = {
  waiting: "waiting for the leader's snapshot",
  receiving: "receiving the snapshot",
  storing: "storing the snapshot",
  checking: "checking the archive",
  looking: "checking the snapshot",
  loading: "loading it with a scratch server, redis-server",
  loadingByConf: "loading it with a scratch server, redis-server ./redis.conf",
  pruning: "removing backups that are no longer kept",
} as const;

/** All that a job tells that takes the snapshot of a leader from its memory, stores it and verifies it. */
export function stepsFor({ port }: { readonly port: number }): readonly string[] {
  return [`connecting to 127.0.0.1:${port}`, ...Object.values(STEPS)];
}

/** A request to the store by which a job that writes there can be struck. */
export interface Moment {
  readonly name: string;
  readonly is: (request: S3Request) => boolean;
  /** The store does what it asks for, and the job doesn't hear of it. */
  readonly done: boolean;
  /** The backup is stored by then. */
  readonly isStored: boolean;
}

const isArchive = ({ path }: S3Request) => path.endsWith(".tar.gz");
const isProbe = ({ path }: S3Request) => path.includes("redis-addon-probe-");
const KINDS: readonly (readonly [name: string, is: Moment["is"], isStored?: boolean])[] = [
  ["the first question", () => true],
  ["the end of the first question's object", (request) => isProbe(request) && request.method === "DELETE"],
  ["an upload's begin", (r) => isArchive(r) && r.method === "POST" && r.query.has("uploads")],
  ["a part", (r) => isArchive(r) && r.method === "PUT" && r.query.get("partNumber") === "2"],
  ["an upload's end", (r) => isArchive(r) && r.method === "POST" && r.query.has("uploadId")],
  ["the manifest", ({ path, method }) => method === "PUT" && /\/\d{8}T\d{9}Z\.json$/.test(path), true],
];

/** Each request once before it is passed on, and once when it is done. */
export const MOMENTS: readonly Moment[] = KINDS.flatMap(([name, is, isStored = false]) => [
  { name, is, done: false, isStored: false },
  { name: `${name}, done`, is, done: true, isStored },
]);

/** Sends the job a signal at a moment: the first request of its kind, or the repetition of one whose answer is lost. */
export function striking(
  proxy: S3FaultProxy,
  { is, done }: Pick<Moment, "is" | "done">,
  signal: "SIGKILL" | "SIGTERM",
): { readonly onStart: NonNullable<RunOptions["onStart"]>; struck(): boolean } {
  let pid = 0;
  let struck = false;
  let lost: string | undefined;
  proxy.set((request) => {
    if (struck || !is(request)) return undefined;
    const about = `${request.method} ${request.path}`;
    if (done && lost === undefined) {
      lost = about;
      return { kind: "lose-answer" };
    }
    if (lost !== undefined && about !== lost) return undefined;
    struck = true;
    process.kill(pid, signal);
    return signal === "SIGKILL" ? { kind: "reset", when: "before" } : undefined;
  });
  return { onStart: (jobPid) => (pid = jobPid), struck: () => struck };
}
