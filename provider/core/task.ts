/** The one door for time. Real programs pass the system's clock, tests one that they move. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Resolves after `ms`; rejects with the signal's reason once it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** How far something is, for a person who waits. Bytes and fractions are absent where they are not known. */
export interface Progress {
  /** What is going on, in a few words: `waiting for the leader's snapshot`. */
  readonly message: string;
  readonly doneBytes?: number | undefined;
  readonly totalBytes?: number | undefined;
  /** About how many bytes there are, where the total is not known: off by half as easily as not. */
  readonly estimatedBytes?: number | undefined;
  /** Since the wait began, where it may be long and whoever shows it doesn't count by itself. */
  readonly elapsedSeconds?: number | undefined;
}

/** What every call that can take long is given: a way to stop it, the time, and somewhere to say how far it is. */
export interface Task {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  progress(progress: Progress): void;
}
