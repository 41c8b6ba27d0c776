import type { Redis } from "ioredis";
import { expect, it } from "vitest";
import { desiredServer } from "../../provider/core/render";
import { converge } from "../../provider/redis/converge";
import { following, testRecord, testTask } from "../support/local-addon";
import { until } from "../support/redis-server";
import { describeWith } from "../support/tools";
import { addonServers, fieldOf, startOn, type AddonOnMatrix } from "./rights-support";

const advanced = testRecord({ access: "advanced" });
const secrets = Object.values(advanced.credentials);

/** What would change users, replication or the process, or reach beyond them, were it allowed. */
const DANGEROUS = [
  "REPLICAOF NO ONE",
  "REPLICAOF 127.0.0.1 1",
  "SLAVEOF NO ONE",
  "FAILOVER ABORT",
  "SHUTDOWN NOSAVE",
  "MODULE LOAD /x.so",
  "MODULE LOADEX /x.so",
  "DEBUG SLEEP 0",
  "DEBUG SEGFAULT",
  "DEBUG CHANGE-REPL-ID",
  "SCRIPT DEBUG SYNC",
  "ACL SETUSER default +@all nopass",
  "ACL SETUSER redis-addon-admin off",
  "ACL DELUSER redis-addon-replica",
  "ACL LOAD",
  "ACL SAVE",
  "CONFIG SET dir /tmp",
  "CONFIG SET dbfilename x",
  "CONFIG SET sanitize-dump-payload no",
  "CONFIG SET requirepass x",
  "CONFIG SET masterauth x",
  "CONFIG SET maxmemory 0 appendonly no",
  "CONFIG SET bind 0.0.0.0 protected-mode no",
  "CONFIG REWRITE",
  "MIGRATE 127.0.0.1 1 k 0 1",
  "SWAPDB 0 1",
  "SAVE",
];

for (const server of addonServers)
  describeWith([server], server.name, () => {
    it("advanced users change neither users nor replication nor the process, by no way of calling", async () => {
      await using leader = await startOn(server, advanced);
      await using follower = await startOn(server, following(advanced), leader.address);
      await linked(follower);
      for (const addon of [leader, follower]) {
        const before = await fingerprint(addon);
        const user = addon.user();
        for (const line of DANGEROUS) expect(await refusals(user, line), line).toBe("direct, MULTI, script");
        expect(await fingerprint(addon)).toEqual(before);
      }
      await linked(follower);
    });

    it("users of a follower can't promote it, which whoever may PSYNC could", async () => {
      await using leader = await startOn(server, advanced);
      await using follower = await startOn(server, following(advanced), leader.address);
      await linked(follower);
      const info = await follower.info();
      const next = Number(fieldOf(info, "master_repl_offset")) + 1;
      const promotion = `PSYNC ${fieldOf(info, "master_replid")} ${next} FAILOVER`;
      const { password, adminPassword } = follower.record.credentials;

      const user = await follower.raw("default", password);
      for (const line of ["REPLCONF listening-port 1", promotion, "SYNC"]) user.send(line);
      await until("three refusals", () => user.received().split("NOPERM").length === 4);
      expect(fieldOf(await follower.info(), "role")).toBe("slave");

      const admin = await follower.raw("redis-addon-admin", adminPassword);
      admin.send(promotion);
      await until("the promotion", async () => fieldOf(await follower.info(), "role") === "master");
    });

    it("killing connections costs a reconnection and a partial resync, no data and no role", async () => {
      await using leader = await startOn(server, advanced);
      await using follower = await startOn(server, following(advanced), leader.address);
      await linked(follower);
      const [user, admin, before] = [leader.user(), leader.admin(), await leader.info()];
      await user.set("k", "v");
      await admin.ping();
      expect(await user.call("CLIENT", "KILL", "USER", "redis-addon-admin")).toBeGreaterThan(0);
      await expect(admin.ping()).rejects.toThrow();
      const resyncs = async () => Number(fieldOf(await leader.info(), "sync_partial_ok"));
      const first = await resyncs();
      expect(await user.call("CLIENT", "KILL", "TYPE", "replica")).toBe(1);
      await until("the link after its leader's user cut it", async () => (await resyncs()) > first);
      await linked(follower);
      const second = await resyncs();
      expect(await follower.user().call("CLIENT", "KILL", "TYPE", "master")).toBe(1);
      await until("the link after its own user cut it", async () => (await resyncs()) > second);
      await linked(follower);
      for (const field of ["role", "run_id", "sync_full"])
        expect(fieldOf(await leader.info(), field), field).toBe(fieldOf(before, field));
      expect(await follower.user().get("k")).toBe("v");
    });

    it("a pause of writes is taken back; one of everything holds up the administrator, and a restart ends it", async () => {
      await using addon = await startOn(server, advanced);
      const [user, admin] = [addon.user(), addon.admin()];
      await user.set("k", "v");
      await user.call("CLIENT", "PAUSE", "3600000", "WRITE");
      expect(await admin.call("CLIENT", "UNPAUSE")).toBe("OK");
      expect(await user.set("k", "w")).toBe("OK");

      const monitoring = await addon.raw("default", addon.record.credentials.password);
      monitoring.send("MONITOR");
      await until("the monitor", () => monitoring.received().includes("+OK\r\n+OK"));
      await user.call("CLIENT", "PAUSE", "3600000", "ALL");
      const unpaused = admin.call("CLIENT", "UNPAUSE").then(
        () => "answered",
        () => "cut off",
      );
      await until("the administrator's UNPAUSE to be held up", () => {
        monitoring.send("CLIENT LIST");
        return /flags=b .*cmd=client\|unpause/.test(monitoring.received());
      });
      await addon.restart();
      expect(await unpaused).toBe("cut off");
      expect(await addon.user().get("k")).toBe("w");
    });

    it("what advanced users see of the configuration, other clients and slow commands holds no secret", async () => {
      await using addon = await startOn(server, advanced);
      await using client = await addon.client();
      await client.command("CONFIG", "SET", "slowlog-log-slower-than", "0");
      const [user, monitor] = [addon.user(), await addon.raw("default", addon.record.credentials.password)];
      monitor.send("MONITOR");
      await until("the monitor", () => monitor.received().includes("+OK\r\n+OK"));

      const leader = { host: "127.0.0.1", port: 1, username: "someone", password: "leader-pw" };
      const settings = await user.call("CONFIG", "GET", "*");
      await converge(client, desiredServer(following(advanced), leader), testTask());
      await converge(client, desiredServer(advanced, undefined), testTask());
      await addon.admin().ping();
      await user.set("last", "1");
      await until("everything that was to be seen", () => monitor.received().includes('"last"'));
      const seen = [settings, await user.call("CONFIG", "GET", "*"), await user.call("SLOWLOG", "GET", "-1")];
      const text = JSON.stringify(seen) + monitor.received();
      for (const secret of [...secrets, "leader-pw"]) expect(text).not.toContain(secret);
      expect(text).not.toMatch(/#?[0-9a-f]{64}/);
    });

    it("a leader's password can't be asked for before a server follows and read afterwards", async () => {
      await using addon = await startOn(server, advanced);
      await using client = await addon.client();
      const user = addon.user();
      const ask = () => user.call("CONFIG", "GET", "masterauth");
      expect(await ask()).toEqual(["masterauth", ""]);
      const queued = addon.user();
      await queued.call("MULTI");
      await queued.call("CONFIG", "GET", "masterauth");

      const leader = { host: "127.0.0.1", port: 1, username: "someone", password: "leader-pw" };
      const answers: unknown[] = [];
      const changed = new AbortController();
      const asking = (async () => {
        while (!changed.signal.aborted) answers.push(await ask().catch(refusalOf));
        return "asked all the while";
      })().catch(String);
      try {
        await converge(client, desiredServer(following(advanced), leader), testTask());
        answers.push(await ask().catch(refusalOf), await queued.call("EXEC").catch(refusalOf));
        await converge(client, desiredServer(advanced, undefined), testTask());
      } finally {
        changed.abort();
      }
      expect(await asking).toBe("asked all the while");
      const shown = JSON.stringify(answers.map(String));
      expect(shown).toMatch(/NOPERM|EXECABORT/);
      expect(shown).not.toContain("leader-pw");
      expect(await ask()).toEqual(["masterauth", ""]);
    });
  });

async function linked(follower: AddonOnMatrix): Promise<void> {
  await until("the link", async () => fieldOf(await follower.info(), "master_link_status") === "up");
}

/** What was refused for want of rights; any other error is one of the test. */
function refusalOf(error: unknown): string {
  if (/NOPERM|EXECABORT/.test(String(error))) return String(error);
  throw error;
}

/** Users, settings, role and process, as the administrator sees them. */
async function fingerprint(addon: AddonOnMatrix): Promise<unknown> {
  const [admin, info] = [addon.admin(), await addon.info()];
  const fields = ["run_id", "process_id", "role", "master_replid", "master_host", "master_port"];
  return {
    users: await admin.call("ACL", "LIST"),
    // In no order: servers reorganise their table now and then.
    settings: new Set(pairs(await admin.config("GET", "*"))),
    modules: await admin.call("MODULE", "LIST"),
    process: fields.map((field) => fieldOf(info, field)),
  };
}

function pairs(answer: unknown): string[] {
  const words = answer as readonly string[];
  return words.flatMap((name, i) => (i % 2 === 0 ? [`${name} ${words[i + 1]}`] : []));
}

/** In which ways of calling the command was refused for want of rights. */
async function refusals(user: Redis, line: string): Promise<string> {
  const [name = "", ...args] = line.split(" ");
  const direct = await user.call(name, ...args).catch(String);
  await user.call("MULTI");
  await user.call(name, ...args).catch(String);
  const transaction = await user.call("EXEC").catch(String);
  const call = [name, ...args].map((word) => `'${word}'`).join(",");
  const script = await user.call("EVAL", `return redis.call(${call})`, 0).catch(String);
  const refused = {
    // DEBUG and MODULE are closed to everybody, which a server looks at before rights.
    direct: /NOPERM|enable-(debug|module)-command/.test(String(direct)),
    MULTI: /NOPERM|EXECABORT/.test(String(transaction)),
    script: /NOPERM|ACL failure|can't run this command|not allowed from script/.test(String(script)),
  };
  return Object.entries(refused)
    .filter(([, was]) => was)
    .map(([way]) => way)
    .join(", ");
}
