import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Failure } from "../../provider/core/errors";
import type { Progress } from "../../provider/core/task";
import {
  type AnyRestoreRequest,
  previewRestoreAny,
  restoreAny,
  type RestoreTarget,
} from "../../provider/operations/restore-any";
import { openPlatform } from "../../provider/operations/open-platform";
import { whereWeListen } from "../../provider/operations/restore-any/where-we-listen";
import { resolveRestore } from "../../provider/operations/restore/restore-source";
import { describeWith } from "../support/tools";
import { serverOf } from "../support/matrix";
import { freePort, startRedisServer, until, type RedisServer } from "../support/redis-server";
import { backedUpSource, debugArgs, type BackedUpSource } from "../support/restore-source";
import { digest, task, temporaryFolder, unpacked } from "./backup-support";
import { openStore } from "../../provider/stores/open";

let source: BackedUpSource;
beforeAll(async () => {
  source = await backedUpSource();
});
afterAll(() => source[Symbol.asyncDispose]());

const DEBUG = debugArgs();

function requestFor(
  target: { readonly host: string; readonly port: number },
  more: Partial<AnyRestoreRequest> = {},
): AnyRestoreRequest {
  const { backup, home } = source;
  const { host, port } = target;
  return { backup, target: { host, port }, replaceData: false, dataHome: home, ...more };
}

/** With what it holds backed up into the source's own store. */
function replacing(target: RedisServer, more: Partial<AnyRestoreRequest> = {}): AnyRestoreRequest {
  const safety = { destination: source.url, name: `target-${target.port}` };
  return requestFor(target, { replaceData: true, safety, ...more });
}

async function failureOf(restoring: Promise<unknown>): Promise<Failure> {
  return restoring.then(
    () => Promise.reject(new Error("it did not fail")),
    (error: Failure) => error,
  );
}

/** As it was: it leads, takes writes, and knows no leader. */
async function expectUntouched({ client }: RedisServer): Promise<void> {
  expect(await client.info("replication")).toMatch(/role:master/);
  expect(await client.set("written", "now")).toBe("OK");
  await client.del("written");
  for (const name of ["masteruser", "masterauth"])
    expect(await client.config("GET", name)).toEqual([name, ""]);
}

describe("restoring a backup into any Redis", () => {
  for (const appendonly of ["no", "yes"])
    it(`loads all of it into an empty one with appendonly ${appendonly}, which leads again and keeps it`, async () => {
      await using folder = await temporaryFolder();
      const args = [...DEBUG, "--appendonly", appendonly];
      {
        await using target = await startRedisServer({ args, dir: folder.path });
        const restored = await restoreAny(requestFor(target), task());
        expect(restored).toMatchObject({ target: `127.0.0.1:${target.port}`, keys: 2005, warnings: [] });
        expect(restored).not.toHaveProperty("safetyBackup");
        expect(await digest(target.client)).toBe(source.digest);
        expect(await target.client.call("FCALL", "one", "0")).toBe(1);
        await expectUntouched(target);
        await target.stop("SIGKILL");
      }
      await using again = await startRedisServer({ args, dir: folder.path });
      expect(await digest(again.client)).toBe(source.digest);
      await expectUntouched(again);
    });

  it("replaces what one holds only when it was told to, and after a verified backup of it", async () => {
    await using target = await startRedisServer({ args: DEBUG });
    await target.client.set("old", "data");
    await target.client.config("SET", "masterauth", "of another leader");
    const before = await digest(target.client);
    const refused = await failureOf(restoreAny(requestFor(target), task()));
    expect(refused).toMatchObject({ code: "holds-data" });
    expect(refused.message).toContain("it holds 1 key");
    expect(await digest(target.client)).toBe(before);

    const doing = task();
    const { safetyBackup, ...restored } = await restoreAny(replacing(target), doing);
    expect(await digest(target.client)).toBe(source.digest);
    expect(restored.readOnlyMs).toBeGreaterThan(0);
    // What follows somebody by these credentials is given them back.
    expect(await target.client.config("GET", "masterauth")).toEqual(["masterauth", "of another leader"]);
    expect(doing.told.map(({ message }) => message)).toContain("sending the snapshot");

    const store = await openStore(source.url);
    await using folder = await unpacked(store, safetyBackup?.archive.slice(source.url.length + 1) ?? "");
    await using copy = await startRedisServer({ dir: folder.path, args: DEBUG });
    expect(await digest(copy.client)).toBe(before);
  });

  it("loses no write that was acknowledged: the backup of what it held has every one", async () => {
    await using target = await startRedisServer({ args: DEBUG });
    await target.client.set("counter", 0);
    const writer = target.connect();
    let acknowledged = 0;
    let refusal = "";
    const writing = (async () => {
      while (refusal === "")
        await writer.incr("counter").then(
          (count) => (acknowledged = count),
          (error: Error) => (refusal = error.message),
        );
    })();
    const { safetyBackup, warnings } = await restoreAny(replacing(target), task());
    await writing;
    expect(warnings).toEqual([]);
    expect(refusal).toMatch(/^(READONLY|LOADING)/);
    expect(acknowledged).toBeGreaterThan(0);
    const store = await openStore(source.url);
    await using folder = await unpacked(store, safetyBackup?.archive.slice(source.url.length + 1) ?? "");
    await using copy = await startRedisServer({ dir: folder.path });
    expect(Number(await copy.client.get("counter"))).toBe(acknowledged);
  });

  it("takes a user with no more rights than it says it needs, and a password", async () => {
    await using target = await startRedisServer({ args: [...DEBUG, "--appendonly", "yes"] });
    await target.client.set("old", "data");
    const rights =
      "+info +config|get +config|set +replicaof +psync +replconf +client|pause +client|unpause +client|info";
    await target.client.call("ACL", "SETUSER", "restorer", "on", ">pass", ...rights.split(" "));
    const { host, port } = target;
    const as = (password?: string): RestoreTarget => ({ host, port, username: "restorer", password });
    const { warnings } = await restoreAny(replacing(target, { target: as("pass") }), task());
    expect(warnings).toEqual([]);
    expect(await digest(target.client)).toBe(source.digest);
    await expect(restoreAny(requestFor(target, { target: as("wrong") }), task())).rejects.toMatchObject({
      code: "wrong-password",
    });
  });

  it("tells that writes may be lost where the user may not hold them, rather than to refuse", async () => {
    await using target = await startRedisServer({ args: DEBUG });
    await target.client.set("old", "data");
    await target.client.call("ACL", "SETUSER", "default", "-client|pause");
    const { warnings } = await restoreAny(replacing(target), task());
    expect(warnings).toEqual([
      expect.stringContaining("may not run CLIENT PAUSE, so its writers went on") as string,
    ]);
  });

  for (const [lacking, rule] of [
    ["REPLICAOF", "-replicaof"],
    ["CONFIG SET", "-config|set"],
    ["CONFIG GET", "-config|get"],
  ] as const)
    it(`says by name that its user may not run ${lacking}, and touches nothing`, async () => {
      await using target = await startRedisServer({ args: DEBUG });
      await target.client.set("old", "data");
      await target.client.call("ACL", "SETUSER", "weak", "on", ">pass", "+@all", rule);
      const { host, port } = target;
      const as: RestoreTarget = { host, port, username: "weak", password: "pass" };
      const failure = await failureOf(restoreAny(replacing(target, { target: as }), task()));
      expect(failure).toMatchObject({ code: "not-permitted" });
      expect(failure.message).toContain(`its user may not run ${lacking}`);
      expect(failure.message).toContain("--folder <path>");
      expect(await target.client.get("old")).toBe("data");
      await expectUntouched(target);
    });

  it("says by name that a command was taken away, as managed services do", async () => {
    await using target = await startRedisServer({ args: [...DEBUG, "--rename-command", "REPLICAOF", ""] });
    const failure = await failureOf(restoreAny(requestFor(target), task()));
    expect(failure).toMatchObject({ code: "command-disabled" });
    expect(failure.message).toContain("it knows no REPLICAOF");
  });

  for (const [what, code, args] of [
    ["is a node of a cluster", "is-cluster", ["--cluster-enabled", "yes"]],
    ["follows somebody", "follows", ["--replicaof", "127.0.0.1 1"]],
    ["has too few databases", "too-few-databases", ["--databases", "3"]],
    ["has too little memory", "too-little-memory", ["--maxmemory", "100kb"]],
  ] as const)
    it(`refuses one that ${what}, in the preview as well`, async () => {
      await using target = await startRedisServer({ args: [...DEBUG, ...args] });
      await expect(previewRestoreAny(requestFor(target), task())).rejects.toMatchObject({ code });
      await expect(restoreAny(requestFor(target), task())).rejects.toMatchObject({ code });
    });

  it("refuses one that Sentinels watch, who would make another one the leader meanwhile", async () => {
    await using target = await startRedisServer({ args: DEBUG });
    const sentinel = target.connect();
    await sentinel.client("SETNAME", "sentinel-1234-pubsub");
    await sentinel.subscribe("__sentinel__:hello");
    await expect(restoreAny(requestFor(target), task())).rejects.toMatchObject({
      code: "watched-by-sentinel",
    });
  });

  it("puts everything back where it can't be reached, with nothing lost", async () => {
    await using target = await startRedisServer({ args: [...DEBUG, "--appendonly", "yes"] });
    await target.client.set("old", "data");
    const announce = { host: "127.0.0.1", port: await freePort() };
    const failure = await failureOf(
      restoreAny(replacing(target, { listening: { announce }, reachMs: 1500 }), task()),
    );
    expect(failure).toMatchObject({ code: "not-reached" });
    expect(failure.message).toContain(`told to connect to 127.0.0.1:${announce.port}, it did not within 2 s`);
    expect(failure.message).toContain("it was put back as it was: it follows nobody, and holds 1 key");
    expect(failure.message).toContain("--announce");
    expect(await target.client.get("old")).toBe("data");
    await expectUntouched(target);
  });

  it("lets go of one in the middle of the transfer when it is interrupted, which keeps its data", async () => {
    await using target = await startRedisServer({ args: DEBUG });
    await target.client.set("old", "data");
    const interruption = new AbortController();
    const progress = ({ message }: Progress) => {
      if (message.startsWith("waiting for it to connect")) interruption.abort(new Error("Ctrl-C"));
    };
    const doing = task({ signal: interruption.signal, progress });
    const failure = await failureOf(restoreAny(replacing(target), doing));
    expect(failure).toMatchObject({ code: "interrupted" });
    expect(failure.message).toContain("it was put back as it was");
    expect(await target.client.get("old")).toBe("data");
    await expectUntouched(target);
  });

  it("says what to do where the target is killed in the middle, whose data come back with it", async () => {
    await using folder = await temporaryFolder();
    const args = [...DEBUG, "--appendonly", "yes"];
    await using target = await startRedisServer({ args, dir: folder.path });
    await target.client.set("old", "data");
    const progress = ({ message }: Progress) => {
      if (message.startsWith("waiting for it to connect")) process.kill(target.pid, "SIGKILL");
    };
    const failure = await failureOf(restoreAny(replacing(target), task({ progress })));
    expect(failure).toMatchObject({ code: "target-broken" });
    expect(failure.message).toContain("it was stopped, or ended, before it had loaded the data");
    expect(failure.message).toMatch(/run on it: REPLICAOF NO ONE/);
    expect(failure.message).toMatch(/What it held is in backup \d{8}T\d{9}Z/);
    await using again = await startRedisServer({ args, dir: folder.path });
    expect(await again.client.get("old")).toBe("data");
    await expectUntouched(again);
  });

  it("knows one that an earlier restore left behind, and says how to free it", async () => {
    await using target = await startRedisServer({ args: DEBUG });
    await target.client.set("old", "data");
    await target.client.config("SET", "masteruser", "redis-addon-restore-0123456789ab");
    await target.client.call("REPLICAOF", "127.0.0.1", "1");
    const failure = await failureOf(restoreAny(replacing(target), task()));
    expect(failure).toMatchObject({ code: "left-following" });
    expect(failure.message).toContain("Run on it: REPLICAOF NO ONE");
  });

  it("counts what has expired since the backup, and then drops it", async () => {
    await using backedUp = await backedUpSource(undefined, async ({ client }) => {
      await client.set("kept", "value");
      await client.set("short", "lived", "PX", 1500);
    });
    const expired = Date.now() + 1500;
    await until("it to expire", () => Date.now() > expired);
    await using target = await startRedisServer({ args: DEBUG });
    const restored = await restoreAny(requestFor(target, { backup: backedUp.backup }), task());
    expect(restored.keys).toBe(2);
    expect(await target.client.get("short")).toBeNull();
    expect(await target.client.get("kept")).toBe("value");
  });

  it("says before it touches anything that NAT lies between, and listens where it is told then", async () => {
    await using target = await startRedisServer();
    const { host, port } = target;
    const seen = { host, port, seesUsAs: "172.17.0.1" };
    const failure = await failureOf(whereWeListen({}, seen, task()));
    expect(failure).toMatchObject({ code: "not-reached" });
    expect(failure.message).toContain(
      "it sees this machine as 172.17.0.1, and this machine reaches it from 127.0.0.1",
    );
    const listen = { host: "0.0.0.0", port: 7000 };
    expect(await whereWeListen({ listen }, seen, task())).toEqual({
      listen,
      announce: { host: "172.17.0.1", port: 0 },
    });
    const own = { host, port, seesUsAs: "::ffff:127.0.0.1" };
    expect(await whereWeListen({}, own, task())).toEqual({
      listen: { host: "127.0.0.1", port: 0 },
      announce: { host: "127.0.0.1", port: 0 },
    });
  });

  it("tells no secret: not in progress, not in what it returns or fails with", async () => {
    await using target = await startRedisServer({ args: DEBUG });
    await target.client.config("SET", "masterauth", "old-secret");
    const told: Progress[] = [];
    let reading = Promise.resolve<unknown>("");
    const progress = (each: Progress) => {
      told.push(each);
      if (each.message.startsWith("waiting for it")) reading = target.client.config("GET", "masterauth");
    };
    const restored = await restoreAny(requestFor(target), task({ progress }));
    const once = String(((await reading) as string[])[1]);
    expect(once).toMatch(/^[0-9a-f]{64}$/);
    const all = JSON.stringify([told, restored]);
    for (const secret of [once, "old-secret"]) {
      expect(all).not.toContain(secret);
      expect(target.log()).not.toContain(secret);
    }
  });
});

const PAIRS = [
  ["Redis 6.2", "Redis 6.2"],
  ["Redis 6.2", "Valkey 9"],
  ["Redis 7.0", "Redis 7.4"],
  ["Redis 7.2", "Valkey 8"],
  ["Valkey 8", "Redis 7.2"],
  ["Valkey 9", "Valkey 9"],
] as const;

for (const [from, to] of PAIRS)
  describeWith([serverOf(from), serverOf(to)], `from ${from} into ${to}`, () => {
    it("loads all of it", async () => {
      await using backedUp = await backedUpSource(serverOf(from));
      const { backup, home: dataHome } = backedUp;
      await using target = await startRedisServer({
        executable: serverOf(to).path ?? "",
        args: [...debugArgs(to), "--appendonly", "yes", "--repl-diskless-sync", "yes"],
      });
      await target.client.set("old", "data");
      const safety = { destination: backedUp.url, name: "target" };
      const { host, port } = target;
      await restoreAny({ backup, dataHome, target: { host, port }, replaceData: true, safety }, task());
      expect(await digest(target.client)).toBe(backedUp.digest);
      await expectUntouched(target);
    });
  });

describeWith([serverOf("Redis 7.4")], "a format that the target can't load", () => {
  it("is refused before anything is fetched or touched", async () => {
    await using backedUp = await backedUpSource(serverOf("Redis 7.4"));
    await using target = await startRedisServer();
    const doing = task();
    const { backup, home: dataHome } = backedUp;
    const { host, port } = target;
    const failure = await failureOf(
      restoreAny({ backup, dataHome, target: { host, port }, replaceData: false }, doing),
    );
    expect(failure).toMatchObject({ code: "snapshot-format" });
    expect(doing.told).toEqual([]);
  });
});

describeWith([serverOf("Redis 7.2")], "a snapshot that the target turns out to be unable to load", () => {
  /** A backup whose manifest promises an older format than its snapshot has, and that passes for verified. */
  async function misleading() {
    const backedUp = await backedUpSource(serverOf("Redis 7.2"));
    const { manifest, verification, ...backup } = backedUp.backup;
    if (manifest === undefined || verification === undefined) throw new Error("it was looked at");
    const claims = {
      ...manifest,
      server: { name: "redis" as const, version: "7.0.15" },
      rdb: { ...manifest.rdb, magic: "REDIS0010", version: 10 },
    };
    const passes = { ...verification, outcome: "verified" as const };
    return { ...backedUp, backup: { ...backup, manifest: claims, verification: passes } };
  }

  it("stops at the first proof, and leaves an AOF as it is: a restart brings everything back", async () => {
    await using backedUp = await misleading();
    await using folder = await temporaryFolder();
    const args = [...DEBUG, "--appendonly", "yes"];
    await using target = await startRedisServer({ args, dir: folder.path });
    await target.client.set("old", "data");
    const failure = await failureOf(restoreAny(replacing(target, { backup: backedUp.backup }), task()));
    expect(failure).toMatchObject({ code: "target-broken" });
    expect(failure.message).toContain("it had every byte, and could not load them");
    expect(failure.message).toContain("its data from before are in its AOF alone; it was not promoted");
    expect(failure.message).toContain("Restart it");
    expect(target.log().match(/Full resync from master/g)).toHaveLength(1);
    expect(target.log()).not.toContain("MASTER MODE enabled");
    expect(await target.client.config("GET", "masterauth")).toEqual(["masterauth", ""]);
    expect(await target.client.info("replication")).toContain("master_port:1\r");
    await target.stop();
    await using again = await startRedisServer({ args, dir: folder.path });
    expect(await again.client.get("old")).toBe("data");
    await expectUntouched(again);
  });

  it("says that the data are gone where there is no AOF, and how they come back", async () => {
    await using backedUp = await misleading();
    await using target = await startRedisServer({ args: DEBUG });
    await target.client.set("old", "data");
    const before = await digest(target.client);
    const request = replacing(target, { backup: backedUp.backup });
    const failure = await failureOf(restoreAny(request, task()));
    expect(failure).toMatchObject({ code: "target-broken" });
    expect(failure.message).toContain("it follows nobody again, and its data are gone");
    const [, name, slot] =
      /redis-addon backup restore (\S+) (\S+) --store (\S+) --to/.exec(failure.message) ?? [];
    await expectUntouched(target);
    const platform = await openPlatform({ kind: "local", dataHome: source.home });
    const origin = { url: `${source.url}/${name ?? ""}`, backup: slot ?? "" };
    const backup = await resolveRestore(platform, origin, {}, task());
    await restoreAny(requestFor(target, { backup }), task());
    expect(await digest(target.client)).toBe(before);
  });
});
