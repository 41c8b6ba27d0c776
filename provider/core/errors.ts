/** What went wrong, told so that a person can act on it. Plain data: it crosses the agent's socket and a job's output. */
export interface FailureReport {
  /** Stable, machine-readable, kebab-case: `port-taken`, `leader-unreachable`. */
  readonly code: string;
  /** What was being done, in the infinitive: `create`, `follow`, `back up`. */
  readonly operation: string;
  /** What it was done to: an add-on's name, a file, a URL without credentials. */
  readonly subject: string;
  /** Why it failed, one sentence without a full stop. Never holds a secret's value. */
  readonly cause: string;
  /** What to do next, one sentence or command; empty where nothing helps. */
  readonly hint: string;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly transient: boolean;
}

/**
 * The one error type that this package throws on purpose.
 *
 * `toString` and `stack` are the message alone: the engine prints `${e}: ${e.stack}` for some calls, and a stack trace
 * there hides the sentence that helps.
 */
export class Failure extends Error implements FailureReport {
  readonly code: string;
  readonly operation: string;
  readonly subject: string;
  override readonly cause: string;
  readonly hint: string;
  readonly transient: boolean;

  constructor(report: Omit<FailureReport, "transient" | "hint"> & { hint?: string; transient?: boolean }) {
    super(sentence({ hint: "", ...report }));
    this.name = "Failure";
    this.code = report.code;
    this.operation = report.operation;
    this.subject = report.subject;
    this.cause = report.cause;
    this.hint = report.hint ?? "";
    this.transient = report.transient ?? false;
    Object.defineProperty(this, "stack", { value: "", configurable: true });
  }

  override toString(): string {
    return this.message;
  }

  /** The plain form that crosses a socket or an NDJSON line. */
  report(): FailureReport {
    const { code, operation, subject, cause, hint, transient } = this;
    return { code, operation, subject, cause, hint, transient };
  }
}

/** Anything thrown, as a Failure: ours unchanged, others (a bug, a system error) wrapped with what was being done. */
export function asFailure(error: unknown, operation: string, subject: string): Failure {
  if (error instanceof Failure) return error;
  const cause = error instanceof Error ? error.message : String(error);
  return new Failure({ code: "unexpected", operation, subject, cause });
}

function sentence(report: { operation: string; subject: string; cause: string; hint: string }): string {
  const head = `cannot ${report.operation} ${report.subject}: ${report.cause}`;
  return report.hint === "" ? head : `${head}. ${report.hint}`;
}
