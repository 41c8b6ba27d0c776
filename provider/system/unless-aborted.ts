/**
 * What the work answers with, or the signal's reason as soon as that is aborted: what hangs on a share, a disk or a
 * connection heeds no signal, and goes on with nobody waiting for it.
 */
export async function unlessAborted<Answer>(
  begin: () => Promise<Answer>,
  signal: AbortSignal,
): Promise<Answer> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => {
    aborted.reject(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([begin(), aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
