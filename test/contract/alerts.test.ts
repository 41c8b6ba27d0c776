import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { postAlert } from "../../provider/agent/alerts/post-alert";
import { type AlertReceiver, startAlertReceiver, TOKEN } from "../support/alert-receiver";
import { until } from "../support/redis-server";
import { DETAIL, HOUR, makeAlertedHome, makeWatchedHome, receives, SLOT } from "./alerts-support";

let lines: string[] = [];
beforeEach(() => {
  lines = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    lines.push(String(text));
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  expect(lines.join("")).not.toContain(TOKEN);
});

/** Lines of the agent's log about an event itself, its delivery left out. */
const logged = (event: string) =>
  lines.filter((line) => line.includes(event) && !line.includes("delivered")).length;

const delivered = (count: number) =>
  until("it is noted as delivered", async () => lines.join("").split("was delivered").length > count);

describe("a webhook", () => {
  it("hears of the first failure of a series and of its end, each once, in words for people and for machines", async () => {
    await using home = await makeAlertedHome("verified");
    const { receiver } = home;
    await home.looks(3);
    expect(receiver.received).toEqual([]);

    await home.ran("failed");
    await receives(home, receiver, 1);
    await home.ran("failed");
    await home.looks(20);
    expect(receiver.events).toEqual(["backup-failed"]);
    const [first] = receiver.received;
    expect(first?.path).toBe(`/services/${TOKEN}?key=${TOKEN}`);
    expect(first?.headers["content-type"]).toBe("application/json");
    expect(first?.alert).toMatchObject({
      addon: "cache",
      stack: "dev",
      project: "shop",
      why: DETAIL,
      schedule: { daily: "03:00" },
      newestVerified: "2026-05-10T03:00:00.000Z",
      catalog: expect.stringMatching(/^file:\/\/.*\/home\/backups\/cache-00000000$/),
    });
    expect(first?.alert.text).toContain(DETAIL);
    expect(JSON.stringify(first?.alert)).not.toContain(TOKEN);

    await home.ran("verified");
    await receives(home, receiver, 2);
    await home.looks(5);
    expect(receiver.events).toEqual(["backup-failed", "backups-recovered"]);
    expect([logged("backup-failed"), logged("backups-recovered")]).toEqual([1, 1]);
  });

  it("hears once a day that backups are overdue, also where they are taken and nobody can verify them", async () => {
    await using home = await makeAlertedHome("verified");
    const { receiver } = home;
    home.clock.set(SLOT + 27 * HOUR);
    await home.ran("unverified");
    await receives(home, receiver, 1);
    expect(receiver.received[0]?.alert.why).toBe(
      "no verified backup since 2026-05-10T03:00:00.000Z: the schedule wants one each 24 h; the last one was not verified",
    );
    home.clock.set(SLOT + 47 * HOUR);
    await home.looks(10);
    expect(receiver.events).toEqual(["backups-overdue"]);
    home.clock.set(SLOT + 52 * HOUR);
    await home.ran("unverified");
    await receives(home, receiver, 2);
    await home.looks(10);
    expect(receiver.events).toEqual(["backups-overdue", "backups-overdue"]);
  });

  it.each([
    ["answers 500", (receiver: AlertReceiver) => (receiver.answer = 500)],
    ["is down", (receiver: AlertReceiver) => receiver.stop()],
    ["cuts connections", (receiver: AlertReceiver) => (receiver.answer = (response) => response.destroy())],
    [
      "redirects",
      (receiver: AlertReceiver) =>
        (receiver.answer = (response) => response.writeHead(307, { location: "/elsewhere" }).end()),
    ],
  ])(
    "that %s is tried a few times, then again with later looks, until it has everything",
    async (_, fail) => {
      await using home = await makeAlertedHome("verified");
      const { receiver } = home;
      await fail(receiver);
      await home.ran("failed");
      const undelivered = () => lines.filter((line) => line.includes("was not delivered"));
      await until("it was not delivered", async () => {
        await home.looks();
        return undelivered().length > 0;
      });
      expect(receiver.received.length).toBeLessThanOrEqual(3);
      expect(undelivered()[0]).toContain(`cache: backup-failed was not delivered to ${receiver.origin}: it `);
      expect(receiver.received.map(({ path }) => path)).not.toContain("/elsewhere");

      // It is over before anybody was told: both are news to the receiver.
      await home.ran("verified");
      await home.looks(2);
      receiver.answer = 200;
      await receiver.start().catch(() => undefined);
      await until("both have arrived", async () => {
        await home.looks();
        return receiver.arrived.length >= 2;
      });
      await home.looks(10);
      expect(receiver.arrived).toEqual(["backup-failed", "backups-recovered"]);
      expect(new Set(receiver.received.map(({ alert }) => alert.id)).size).toBe(2);
      expect(logged("backup-failed")).toBe(1);
    },
  );

  it("that stays away is asked less and less often", async () => {
    await using home = await makeAlertedHome("failed", 503);
    await home.looks(300);
    const rounds = lines.filter((line) => line.includes("was not delivered")).length;
    // After 1, 2, 4, 8, 16, 32, 64 and 128 looks.
    expect(rounds).toBeLessThanOrEqual(9);
    expect(rounds).toBeGreaterThan(3);
  });

  it("that never answers delays neither looks nor the alerts of another add-on", async () => {
    await using home = await makeWatchedHome();
    await using hanging = await startAlertReceiver();
    await using receiver = await startAlertReceiver();
    hanging.answer = "hang";
    await home.record(hanging.url);
    await home.record(receiver.url, "other");
    for (const name of ["cache", "other"]) await home.ran("failed", name);
    await home.agent();
    await receives(home, receiver, 1);
    await home.ran("verified", "other");
    await receives(home, receiver, 2);
    expect(receiver.events).toEqual(["backup-failed", "backups-recovered"]);
    expect(hanging.events).toEqual(["backup-failed"]);
  });

  it("that is put in place during a failure hears of it, and one that goes hears nothing more", async () => {
    await using home = await makeWatchedHome();
    await using receiver = await startAlertReceiver();
    await home.record();
    await home.ran("failed");
    await home.agent();
    await until("it is logged", async () => logged("backup-failed") === 1);
    await home.record(receiver.url);
    await receives(home, receiver, 1);
    await home.record();
    await home.looks(2);
    await home.ran("verified");
    await home.looks(3);
    expect(receiver.events).toEqual(["backup-failed"]);
    // The log tells it all the same.
    expect(logged("backups-recovered")).toBe(1);
  });
});

describe("an agent that was killed", () => {
  it("repeats nothing of what arrived", async () => {
    await using home = await makeAlertedHome("failed");
    const { receiver } = home;
    await receives(home, receiver, 1);
    await delivered(1);
    for (let restart = 0; restart < 3; restart++) {
      await home.agent();
      await home.looks(5);
    }
    expect(receiver.events).toEqual(["backup-failed"]);
    expect(logged("backup-failed")).toBe(1);
  });

  it("before its alert arrived leaves it to the next one", async () => {
    await using home = await makeAlertedHome("failed", "hang");
    const { receiver } = home;
    await receives(home, receiver, 1);
    receiver.answer = 200;
    await home.agent();
    await receives(home, receiver, 2);
    await home.looks(5);
    const [first, second, ...more] = receiver.received.map(({ alert }) => alert);
    expect(second).toEqual(first);
    expect(more).toEqual([]);
    expect(logged("backup-failed")).toBe(1);
  });

  it("leaves nothing to an add-on of the same name that was made anew", async () => {
    await using home = await makeAlertedHome("failed");
    const { receiver } = home;
    await receives(home, receiver, 1);
    await delivered(1);
    await rm(home.path("cache"), { recursive: true });
    await home.record(receiver.url, "cache", { createdAt: "2026-05-10T03:30:00.000Z" });
    await home.ran("failed");
    await receives(home, receiver, 2);
    expect(receiver.events).toEqual(["backup-failed", "backup-failed"]);
  });
});

describe("nobody is alarmed", () => {
  it("twice because what was told can't be written down", async () => {
    await using home = await makeWatchedHome();
    await using receiver = await startAlertReceiver();
    await home.record(receiver.url);
    await mkdir(join(home.path("cache"), "alerts.json"));
    await home.ran("failed");
    await home.agent();
    await receives(home, receiver, 1);
    await delivered(1);
    await home.looks(10);
    expect(receiver.events).toEqual(["backup-failed"]);
  });

  it("by a machine that slept for three days and backs up at once; but by one that takes long", async () => {
    await using home = await makeAlertedHome("verified");
    const { receiver } = home;
    home.clock.set(SLOT + 75 * HOUR);
    await home.looks(3);
    home.running.add("cache");
    await home.looks(100);
    await home.ran("verified");
    home.running.delete("cache");
    await home.looks(3);
    expect(receiver.received).toEqual([]);

    home.clock.set(SLOT + 200 * HOUR);
    home.running.add("cache");
    await home.looks(355);
    expect(receiver.received).toEqual([]);
    await receives(home, receiver, 1);
    expect(receiver.events).toEqual(["backups-overdue"]);
  });

  it("about an add-on that is being removed", async () => {
    await using home = await makeWatchedHome();
    await using receiver = await startAlertReceiver();
    await home.record(receiver.url, "cache", { removing: { since: "2026-05-10T03:30:00.000Z" } });
    await home.ran("failed");
    await home.agent();
    await home.looks(5);
    expect(receiver.received).toEqual([]);
    expect(logged("backup")).toBe(0);
  });
});

describe("posting", () => {
  const alert = {
    event: "backup-failed",
    id: "cache-00000000/backup-failed/2026-05-10T03:00:00.000Z",
    text: "a sentence",
    ...{
      addon: "cache",
      project: "shop",
      stack: "dev",
      host: "box1",
      catalog: "file:///backups/cache-00000000",
    },
    at: "2026-05-10T03:00:00.000Z",
    schedule: { daily: "03:00" },
  } as const;
  const never = new AbortController().signal;

  it("waits for a receiver so long and no longer", async () => {
    await using receiver = await startAlertReceiver();
    receiver.answer = "hang";
    await expect(postAlert(receiver.url, alert, never, 50)).rejects.toThrow(
      /^it did not answer within 0.05 s$/,
    );
  });

  it("sends a user's name and password as such, and tells neither", async () => {
    await using receiver = await startAlertReceiver();
    const url = receiver.url.replace("http://", "http://me:s%40cret@");
    await postAlert(url, alert, never);
    expect(receiver.received[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from("me:s@cret").toString("base64")}`,
    );
    await receiver.stop();
    await expect(postAlert(url, alert, never)).rejects.toThrow(/^it can't be reached: ECONNREFUSED$/);
  });

  it.each([
    ["no URL at all", /^it is no http or https URL$/],
    ["ftp://host/secret", /^it is no http or https URL$/],
    ["http://127.0.0.1:6666/secret", /^it can't be reached$/],
    ["http://%E0%A4@host/secret", /^it can't be reached|^it is no http/],
  ])("to %s fails without repeating it", async (url, message) => {
    await expect(postAlert(url, alert, never)).rejects.toThrow(message);
  });
});
