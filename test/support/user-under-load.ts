import { Redis } from "ioredis";

interface Served {
  readonly answers: number;
  /** What went wrong, each as it was told. */
  readonly errors: readonly string[];
  readonly reconnections: number;
}

/** A user who writes and reads without a pause on one connection until it is told to stop. */
export async function startUser(url: string): Promise<AsyncDisposable & { stop(): Promise<Served> }> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1, retryStrategy: () => 50 });
  const errors: string[] = [];
  let reconnections = 0;
  let answers = 0;
  let isStopped = false;
  redis.on("reconnecting", () => reconnections++);
  redis.on("error", (error) => errors.push(String(error)));
  await redis.set("under load", 0);
  const work = (async () => {
    while (!isStopped) {
      try {
        await redis.set("under load", answers);
        if ((await redis.get("under load")) !== String(answers)) errors.push(`lost write ${answers}`);
        answers++;
      } catch (error) {
        errors.push(String(error));
      }
    }
  })();
  const stop = async () => {
    isStopped = true;
    await work;
    redis.disconnect();
    return { answers, errors, reconnections };
  };
  return { stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}
