import { setFlagsFromString } from "node:v8";

/**
 * Prepares a process that is about to list hundreds of thousands of objects; to be called before it does.
 *
 * Most of what a listing makes lives for a moment. V8 gives such things more and more room as some of them stay, and
 * collects the rest so late that twice as much memory is held as is needed: so that room keeps the size that it begins
 * with.
 */
export function expectManyObjects(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
