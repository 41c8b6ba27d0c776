import { Redis } from "ioredis";

interface Written {
  /** Acknowledged, by the list that it was appended to. */
  readonly acknowledged: Readonly<Record<string, number>>;
  /** How writes were refused, each kind of answer once. */
  readonly refusals: readonly string[];
}

const PAUSE_AFTER_REFUSAL_MS = 2;

/** Users who append to a list each, one write after the other, and go on trying where one is refused. */
export async function startWriters(
  url: string,
  count: number,
): Promise<AsyncDisposable & { acknowledged(): number; stop(): Promise<Written> }> {
  const acknowledged: Record<string, number> = {};
  const refusals = new Set<string>();
  let isStopped = false;
  const append = async (list: string) => {
    const redis = new Redis(url, { maxRetriesPerRequest: 1, retryStrategy: () => 50 });
    redis.on("error", () => undefined);
    acknowledged[list] = 0;
    while (!isStopped)
      try {
        await redis.rpush(list, acknowledged[list]);
        acknowledged[list] += 1;
      } catch (error) {
        refusals.add(
          String(error)
            .replace(/^\w*Error: /, "")
            .split(" ")[0] ?? "",
        );
        await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_REFUSAL_MS));
      }
    redis.disconnect();
  };
  const work = Array.from({ length: count }, (_, i) => append(`list:${i}`));
  const stop = async () => {
    isStopped = true;
    await Promise.all(work);
    return { acknowledged, refusals: [...refusals] };
  };
  return {
    acknowledged: () => Object.values(acknowledged).reduce((sum, each) => sum + each, 0),
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}
