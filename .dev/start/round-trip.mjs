// Writes one key to the leader and reads it from the follower. A program of its own, so that it runs on the
// Node that set-up has found; the URLs hold passwords, so they come on stdin and not as arguments.
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";

const deadlineMs = 10_000;
const key = "redis-addon:quickstart";

const { redisUrl, followerUrl } = JSON.parse(await text(process.stdin));
const options = { connectTimeout: deadlineMs, maxRetriesPerRequest: 3 };
const leader = new Redis(redisUrl, options);
const follower = new Redis(followerUrl, options);
try {
  const value = `written by npm start at ${new Date().toISOString()}`;
  const startedAt = performance.now();
  await leader.set(key, value);
  while ((await follower.get(key)) !== value) {
    if (performance.now() - startedAt > deadlineMs) {
      throw new Error(`the follower did not have it within ${deadlineMs / 1000} s`);
    }
    await sleep(2);
  }
  console.log(JSON.stringify({ key, value, tookMs: Math.round(performance.now() - startedAt) }));
} catch (failure) {
  console.error(failure.message);
  process.exitCode = 1;
} finally {
  leader.disconnect();
  follower.disconnect();
}
