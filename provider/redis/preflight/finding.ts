/** Something that a preflight found. Its words are a Failure's: cause without a full stop, hint what to do. */
export interface Finding {
  readonly code: string;
  /** `refuse`: following would lose data or never work. `warn`: it works, and somebody should know. */
  readonly severity: "refuse" | "warn";
  readonly cause: string;
  readonly hint: string;
  /** Whether it may go away by itself. */
  readonly transient: boolean;
}

export function refusal(code: string, cause: string, hint: string): Finding {
  return { code, severity: "refuse", cause, hint, transient: false };
}

export function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024 ** 2)} MiB`;
}
