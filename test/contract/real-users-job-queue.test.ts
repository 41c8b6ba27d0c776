import { FlowProducer, Queue, QueueEvents, Worker, type Job } from "bullmq";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { describeRealUsers, startStandardAddon, type StandardAddon } from "../support/clients-addon";
import { until } from "../support/redis-server";

const DEADLINE_MS = 20_000;

// BullMQ warns on the console where a server isn't what it needs: an eviction policy, an old version.
const warn = vi.spyOn(console, "warn");
beforeEach(() => void warn.mockReset());
afterEach(() => expect(warn).not.toHaveBeenCalled());

describeRealUsers((server) => {
  test("BullMQ's jobs are done, their results and events arrive, and failed ones are tried again", async () => {
    await using addon = await startStandardAddon(server);
    await using bull = openBull(addon);
    const attempts: number[] = [];
    const queue = bull.queue("mail");
    const events = bull.events("mail");
    bull.worker("mail", async (job) => {
      await job.updateProgress(50);
      attempts.push(job.attemptsMade);
      if (job.name === "shaky" && job.attemptsMade < 2) throw new Error("not yet");
      return `sent to ${String(job.data.to)}`;
    });
    await events.waitUntilReady();

    const sent = await queue.addBulk(["a", "b", "c"].map((to) => ({ name: "send", data: { to } })));
    const results = await Promise.all(sent.map((job) => job.waitUntilFinished(events, DEADLINE_MS)));
    expect(results).toEqual(["sent to a", "sent to b", "sent to c"]);

    const backoff = { type: "fixed", delay: 10 };
    const shaky = await queue.add("shaky", { to: "d" }, { attempts: 3, backoff });
    expect(await shaky.waitUntilFinished(events, DEADLINE_MS)).toBe("sent to d");
    expect(attempts.toSorted((a, b) => a - b)).toEqual([0, 0, 0, 0, 1, 2]);
    expect(await queue.getJobCounts("completed", "failed", "waiting")).toEqual({
      completed: 4,
      failed: 0,
      waiting: 0,
    });
    // By CLIENT SETNAME and CLIENT LIST.
    expect(await queue.getWorkers()).toHaveLength(1);
    await queue.obliterate({ force: true });
    expect(await addon.refusals()).toEqual([]);
  });

  test("BullMQ's delayed jobs wait for their time, repeated ones come again and again", async () => {
    await using addon = await startStandardAddon(server);
    await using bull = openBull(addon);
    const done: string[] = [];
    const queue = bull.queue("reports");
    const events = bull.events("reports");
    bull.worker("reports", async (job) => void done.push(job.name));
    await events.waitUntilReady();

    const tomorrow = await queue.add("tomorrow", {}, { delay: 86_400_000 });
    const soon = await queue.add("soon", {}, { delay: 50 });
    await queue.upsertJobScheduler("tick", { every: 50 }, { name: "tick" });
    await soon.waitUntilFinished(events, DEADLINE_MS);
    await until("three ticks", () => done.filter((name) => name === "tick").length >= 3);
    await queue.removeJobScheduler("tick");

    expect(done).toContain("soon");
    expect(done).not.toContain("tomorrow");
    expect(await tomorrow.getState()).toBe("delayed");
    await tomorrow.promote();
    await tomorrow.waitUntilFinished(events, DEADLINE_MS);
    expect(await addon.refusals()).toEqual([]);
  });

  test("BullMQ's flows end with the parent, once every child is done", async () => {
    await using addon = await startStandardAddon(server);
    await using bull = openBull(addon);
    const order: string[] = [];
    const events = bull.events("shop");
    bull.worker("shop", async (job) => {
      order.push(job.name);
      return Object.keys(await job.getChildrenValues()).length;
    });
    await events.waitUntilReady();
    const child = (name: string) => ({ name, queueName: "shop", data: {} });
    const { job } = await bull.flow().add({ ...child("ship"), children: [child("pick"), child("pack")] });
    expect(await job.waitUntilFinished(events, DEADLINE_MS)).toBe(2);
    expect(order.toSorted()).toEqual(["pack", "pick", "ship"]);
    expect(order.at(-1)).toBe("ship");
    expect(await addon.refusals()).toEqual([]);
  });
});

/** BullMQ's parts on an add-on by its URL; disposing closes all of them. An error that one of them reports fails the test. */
function openBull({ url }: StandardAddon) {
  const errors: Error[] = [];
  const opened: { close(): Promise<unknown> }[] = [];
  const open = <
    Part extends { on(event: "error", listener: (error: Error) => void): unknown; close(): Promise<unknown> },
  >(
    part: Part,
  ): Part => {
    part.on("error", (error) => errors.push(error));
    opened.push(part);
    return part;
  };
  const options = { connection: { url } };
  return {
    queue: (name: string) => open(new Queue(name, options)),
    events: (name: string) => open(new QueueEvents(name, options)),
    flow: () => open(new FlowProducer(options)),
    worker: (name: string, work: (job: Job) => Promise<unknown>) => open(new Worker(name, work, options)),
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((part) => part.close()));
      expect(errors).toEqual([]);
    },
  };
}
