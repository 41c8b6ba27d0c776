/**
 * What Node is told for processes of ours that run for months. Objects that live for a moment get 2 MiB: with Node's usual
 * 16 such a process takes half as much memory again, and is no faster at what it does a few times a second.
 */
export const DAEMON_FLAGS: readonly string[] = [
  "--disable-warning=ExperimentalWarning",
  "--max-semi-space-size=2",
];
