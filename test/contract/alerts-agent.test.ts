import { readFile, writeFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { startAgent, stopAgent } from "../../provider/operations/agent";
import { inspect } from "../../provider/operations/inspect";
import type { FacetChange } from "../../provider/platforms/contract";
import { layoutOf } from "../../provider/platforms/local/home";
import { readBackupState } from "../../provider/platforms/local/process-state";
import { readRecord } from "../../provider/platforms/local/records";
import { startAlertReceiver, TOKEN, type AlertReceiver } from "../support/alert-receiver";
import { creates, eventually, makeTestHome, SMALL, type TestHome } from "../support/data-home";
import { provision } from "../support/provision";

const DAY = 86_400_000;

function policy(home: TestHome, receiver: AlertReceiver, folder: string): FacetChange {
  return {
    facet: "backups",
    name: "cache",
    claim: creates("b1"),
    given: [],
    wish: {
      schedule: { daily: "03:00" },
      retention: { days: 7 },
      destination: `file://${home.path}/${folder}`,
      alerts: { webhook: receiver.url },
    },
  };
}

const spelt = (instant: string | undefined) => instant?.replace(/[-:.]/g, "");

it("an agent tells its webhook of backups that fail and that are well again, once each, although it is killed", async () => {
  await using home = await makeTestHome();
  await using receiver = await startAlertReceiver();
  await provision(
    home.platform,
    { name: "cache", claim: creates("t1"), wish: SMALL, given: ["plan"] },
    home.task,
  );
  const first = await home.platform.backUp("cache", home.task);
  await home.platform.apply(policy(home, receiver, "agent.log/not-a-folder"), home.task);
  expect((await inspect(home.platform, "cache", home.task))?.backups.health).toEqual({ state: "fresh" });

  await expect(home.platform.backUp("cache", home.task)).rejects.toThrow("cache");
  await eventually("the failure is told", async () => receiver.events.length > 0);
  const detail = (await readBackupState(layoutOf(home.path).addon("cache")))?.detail;
  expect(receiver.received[0]?.alert).toMatchObject({ event: "backup-failed", why: detail, stack: "dev" });
  const failing = await inspect(home.platform, "cache", home.task);
  expect(spelt(failing?.backups.newestVerified)).toBe(first.slot);
  expect(failing).toMatchObject({
    health: "degraded",
    backups: { health: { state: "failing", why: detail } },
  });
  expect(failing?.problems.filter((problem) => problem === detail)).toHaveLength(1);

  const log = () => readFile(layoutOf(home.path).agentLog, "utf8");
  await eventually("its delivery is noted", async () => (await log()).includes("was delivered"));
  process.kill(await home.agentPid(), "SIGKILL");
  await startAgent(home.path, home.task);
  await home.platform.apply(policy(home, receiver, "elsewhere"), home.task);
  const { slot } = await home.platform.backUp("cache", home.task);
  await eventually("the recovery is told", async () => receiver.events.includes("backups-recovered"));
  // What the killed agent had told is not told again by the one that has looked since.
  expect(receiver.events).toEqual(["backup-failed", "backups-recovered"]);
  const well = await inspect(home.platform, "cache", home.task);
  expect(well?.backups.health).toEqual({ state: "fresh" });
  expect(spelt(well?.backups.newestVerified)).toBe(slot);
  const logged = await log();
  expect(logged).toContain(`delivered to ${receiver.origin}\n`);
  expect(logged).not.toContain(TOKEN);
});

it("overdue backups show without an agent, and a new schedule begins anew", async () => {
  await using home = await makeTestHome();
  await using receiver = await startAlertReceiver();
  await provision(
    home.platform,
    { name: "cache", claim: creates("t1"), wish: SMALL, given: ["plan"] },
    home.task,
  );
  await home.platform.backUp("cache", home.task);
  await stopAgent(home.path, false, home.task);
  const files = layoutOf(home.path).addon("cache");
  const [record, state] = [await readRecord(layoutOf(home.path), "cache"), await readBackupState(files)];
  const longAgo = Date.now() - 3 * DAY;
  await writeFile(files.record, JSON.stringify({ ...record, createdAt: new Date(longAgo).toISOString() }));
  await writeFile(files.backups, JSON.stringify({ ...state, newestVerifiedAt: longAgo }));

  const seen = await inspect(home.platform, "cache", home.task);
  expect(seen?.backups).toMatchObject({
    health: { state: "overdue", why: expect.stringContaining("the schedule wants one each 24 h") },
    newestVerified: new Date(longAgo).toISOString(),
  });
  expect(seen?.problems).toContain(seen?.backups.health.why);

  await startAgent(home.path, home.task);
  const before = Date.now();
  await home.platform.apply(policy(home, receiver, "elsewhere"), home.task);
  const since = (await home.platform.load("cache"))?.scheduledSince;
  expect(Date.parse(since ?? "")).toBeGreaterThanOrEqual(before);
  expect((await inspect(home.platform, "cache", home.task))?.backups.health).toEqual({ state: "fresh" });
  // The same again changes nothing; its end does.
  await home.platform.apply(
    { ...policy(home, receiver, "elsewhere"), claim: { kind: "carry", token: "b1" } },
    home.task,
  );
  expect((await home.platform.load("cache"))?.scheduledSince).toBe(since);
  await home.platform.apply(
    { facet: "backups", name: "cache", claim: { kind: "carry", token: "b1" }, given: [], wish: undefined },
    home.task,
  );
  const returned = await home.platform.load("cache");
  expect(returned?.backups).toBeUndefined();
  expect(Date.parse(returned?.scheduledSince ?? "")).toBeGreaterThan(Date.parse(since ?? ""));
});
