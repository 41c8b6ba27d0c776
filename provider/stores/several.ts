/**
 * Begins something with each of them, so many at once, in their order; `done` is called when it has ended, with what it
 * failed with. After the first failure nothing more is begun, and what was under way has ended before anybody hears of it.
 *
 * By callbacks, as hundreds of thousands of files are looked at and removed by it: a promise for each costs as much again
 * as the call itself.
 */
export function eachOf<T>(
  items: readonly T[],
  atOnce: number,
  begin: (item: T, done: (failure?: unknown) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let next = 0;
    let underWay = 0;
    let failed: { readonly why: unknown } | undefined;
    const proceed = () => {
      while (underWay < atOnce && next < items.length && failed === undefined) {
        underWay++;
        begin(items[next++] as T, done);
      }
      if (underWay > 0) return;
      if (failed === undefined) resolve();
      else reject(failed.why);
    };
    const done = (failure?: unknown) => {
      underWay--;
      if (failure !== undefined) failed ??= { why: failure };
      proceed();
    };
    proceed();
  });
}
