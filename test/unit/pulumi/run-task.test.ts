import { expect, test } from "vitest";
import { runTask, type TaskOptions } from "../../../provider/pulumi/run-task";
import type { Task } from "../../../provider/core/task";
import { fakeEngine, type FakeEngine } from "../../support/pulumi-fakes";

function options(engine: FakeEngine, more: Partial<TaskOptions> = {}): TaskOptions {
  const { clock, activity } = engine;
  const row = engine.row("urn");
  return {
    clock,
    row,
    gone: activity.gone,
    deadlineMs: 60_000,
    operation: "follow",
    subject: "cache",
    ...more,
  };
}

const untilAborted = (task: Task) =>
  new Promise<never>((_, reject) => {
    task.signal.addEventListener("abort", () => reject(task.signal.reason as Error));
  });

test("an operation that waits too long ends with how long and what was last heard", async () => {
  const engine = fakeEngine();
  const run = runTask(options(engine), (task) => {
    task.progress({ message: "waiting for the leader's snapshot" });
    return untilAborted(task);
  });
  const failed = expect(run).rejects.toMatchObject({
    code: "deadline",
    message: expect.stringContaining(
      "it took longer than 1 min; the last that was heard: waiting for the leader's snapshot",
    ),
  });
  await engine.advance(60_000);
  await failed;
});

test("an operation that doesn't listen is given up ten seconds later", async () => {
  const engine = fakeEngine();
  const run = runTask(options(engine), () => new Promise<never>(() => undefined));
  const failed = expect(run).rejects.toMatchObject({ code: "deadline" });
  await engine.advance(60_000);
  await engine.advance(10_000);
  await failed;
});

test("everything is aborted when the engine is gone", async () => {
  const engine = fakeEngine();
  const run = runTask(options(engine), untilAborted);
  const failed = expect(run).rejects.toThrow("the engine has gone");
  await engine.activity.end(new Error("the engine has gone"), engine.clock);
  await failed;
});

test("one that ends in time leaves no timer behind", async () => {
  const engine = fakeEngine();
  await expect(runTask(options(engine), () => Promise.resolve("done"))).resolves.toBe("done");
  await engine.advance(120_000);
  expect(engine.messages).toEqual([]);
});
