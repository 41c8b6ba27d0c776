import { expect, test } from "vitest";
import { addressAsLeader } from "../../provider/core/as-leader";
import { asGiver } from "../../provider/core/hand-over";
import { desiredServer } from "../../provider/core/render";
import { converge, prepareToBeLed } from "../../provider/redis/converge";
import { beforeAcknowledgement, beginFailover, standingOf } from "../../provider/redis/failover";
import { guardWrites } from "../../provider/redis/write-guard";
import { probeWrites } from "../../provider/redis/write-probe";
import { waitSynced } from "../../provider/redis/wait-synced";
import { eventually, following, startAddon, testRecord, testTask } from "../support/local-addon";
import { describeWith } from "../support/tools";
import { supported } from "./agent-support";

for (const server of supported)
  describeWith([server], server.name, () => {
    test("a follower that is guarded takes a failover and no write, until it is converged to one of the two roles", async () => {
      const options = { executable: server.path };
      await using leader = await startAddon(
        { ...testRecord({ access: "advanced" }), name: "lead" },
        undefined,
        options,
      );
      const declared = { ...following(testRecord()), name: "copy" };
      await using follower = await startAddon(declared, leader.address, options);
      const task = testTask();
      const [old, next] = [await leader.admin(), await follower.admin()];
      await waitSynced(next, leader.address, task, { deadlineMs: 20_000, name: "copy" });

      await guardWrites(next);
      const { users } = desiredServer(asGiver(leader.record, follower.record), follower.address);
      await prepareToBeLed(old, users, addressAsLeader(follower.record));
      const user = await leader.user();
      // Those who may look at it on a leader don't see the other one's password.
      await expect(user.command("CONFIG", "GET", "masterauth")).rejects.toMatchObject({
        code: "not-permitted",
      });
      await user.command("SET", "kept", "yes");

      const probe = probeWrites(await leader.admin(), await follower.admin(), task);
      const target = { host: "127.0.0.1", port: follower.server.port };
      await beforeAcknowledgement(old, target, task);
      await beginFailover(old, target, 10_000);
      await eventually(
        () => standingOf(old),
        (standing) => standing === "follows",
      );
      expect(await standingOf(next)).toBe("leads");
      const writer = await follower.user();
      expect(await writer.command("GET", "kept")).toBe("yes");
      const script = "return redis.call('SET', 'kept', 'lost')";
      await expect(writer.command("SET", "kept", "lost")).rejects.toThrow(/NOREPLICAS/);
      await expect(writer.command("EVAL", script, "0")).rejects.toThrow(/NOREPLICAS/);

      // It was decided that it leads: it takes writes, and the probe has seen when.
      const leads = { ...follower.record, replication: undefined };
      await converge(next, desiredServer({ ...leads, name: "copy" }, undefined), task);
      expect(await writer.command("SET", "kept", "new")).toBe("OK");
      const { stallMs, readonlyMs, readonlyProbes } = await probe.stop();
      expect(Math.min(stallMs, readonlyMs, readonlyProbes)).toBeGreaterThan(0);

      // It was decided that it follows: guarded, it takes no write on the way there.
      await guardWrites(next);
      const answers: unknown[] = [];
      const writing = (async () => {
        for (let i = 0; i < 200; i++) answers.push(await writer.command("SET", "kept", "lost").catch(String));
      })();
      await converge(old, desiredServer(leader.record, undefined), task);
      await converge(next, desiredServer(follower.record, leader.address), task);
      await writing;
      expect(answers).toHaveLength(200);
      expect(answers).not.toContain("OK");
      expect((await next.config("min-replicas-to-write")).get("min-replicas-to-write")).toBe("0");
      expect((await old.config("masterauth")).get("masterauth")).toBe("");
    });
  });
