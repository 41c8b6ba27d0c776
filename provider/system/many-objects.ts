import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const LOOK_EVERY_MS = 50;
/** What may gather before anybody looks: below it a process takes no more than it does with a few objects. */
const LEAST_BYTES = 48 * 1024 * 1024;
/** How many times as much as is needed may be held. */
const MOST_TIMES = 2;

/**
 * Prepares a process that is about to list hundreds of thousands of objects; to be called before it does.
 *
 * Most of what a listing makes lives for a moment, but V8 takes its time: as long as the machine has memory it lets four
 * times as much gather as is needed. So the young keep the room that they begin with, and what was promoted out of it is
 * collected earlier.
 */
export function expectManyObjects(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  let mostBytes = LEAST_BYTES;
  const look = () => {
    if (getHeapStatistics().used_heap_size < mostBytes) return;
    collect();
    mostBytes = Math.max(LEAST_BYTES, MOST_TIMES * getHeapStatistics().used_heap_size);
  };
  setInterval(look, LOOK_EVERY_MS).unref();
}
