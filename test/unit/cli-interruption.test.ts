import { expect, it } from "vitest";
import { heedSignals, interruptedExitCode, interruption } from "../../provider/cli/interruption";

it("a command that an agent may go on with tells who interrupts it how to see what became of it", () => {
  const before = process.listeners("SIGTERM");
  heedSignals({ isWatching: false, afterwards: "redis-addon info cache" });
  const [listener] = process.listeners("SIGTERM").filter((one) => !before.includes(one));
  try {
    listener?.("SIGTERM");
  } finally {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.removeAllListeners(signal);
    for (const one of before) process.on("SIGTERM", one);
  }
  expect(interruptedExitCode()).toBe(143);
  expect(interruption.reason).toMatchObject({
    code: "interrupted",
    hint: "See what became of it: redis-addon info cache",
  });
});
