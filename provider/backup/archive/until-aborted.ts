/**
 * The items of a source until the signal is aborted, then its reason at once: a generator cannot be ended from outside
 * while it waits, so one that may wait for ever must not be waited for.
 */
export async function* untilAborted<Item>(
  source: AsyncIterable<Item>,
  signal: AbortSignal,
): AsyncGenerator<Item, void> {
  signal.throwIfAborted();
  let giveUp: (reason: unknown) => void = () => undefined;
  const onAbort = () => giveUp(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const items = source[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      // Not Promise.race against one promise of the abort: that would keep every item until the end.
      const next = await new Promise<IteratorResult<Item>>((resolve, reject) => {
        giveUp = reject;
        items.next().then(resolve, reject);
      });
      if (next.done === true) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    if (!ended) void items.return?.().catch(() => undefined);
  }
}
