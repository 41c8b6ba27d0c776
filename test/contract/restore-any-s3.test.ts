import { once } from "node:events";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { DecryptionKey, Encryption } from "../../provider/core/encryption";
import { backUpAny } from "../../provider/operations/backup-any";
import { openPlatform } from "../../provider/operations/open-platform";
import { type AnyRestoreRequest, restoreAny } from "../../provider/operations/restore-any";
import { restoreFolder } from "../../provider/operations/restore/restore-folder";
import { resolveRestore, type ResolvedRestore } from "../../provider/operations/restore/restore-source";
import { bucketPlace, type Place } from "../support/faults-places";
import { freePort, startRedisServer, type RedisServer } from "../support/redis-server";
import { debugArgs } from "../support/restore-source";
import { type S3FaultProxy, startS3FaultProxy } from "../support/s3-fault-proxy";
import { startVersityGw, type VersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";
import { digest, task, temporaryFolder } from "./backup-support";

const DEBUG = debugArgs();
const PASSPHRASE = { passphrase: "several words of some length" };

describeWith([versityGw], "restoring a backup of an S3 store into any Redis", () => {
  let server: VersityGw;
  let proxy: S3FaultProxy;
  let place: Place;
  let source: RedisServer;
  let sourceDigest: string;
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    server = await startVersityGw();
    [proxy, source, scratch] = await Promise.all([
      startS3FaultProxy(server.endpoint),
      startRedisServer({ args: DEBUG }),
      temporaryFolder(),
    ]);
    place = await bucketPlace(server, proxy.endpoint);
    await source.client.call("DEBUG", "POPULATE", 20_000, "key", 100);
    sourceDigest = await digest(source.client);
  });
  afterAll(async () => {
    for (const resource of [place, source, proxy, scratch, server]) await resource[Symbol.asyncDispose]();
  });

  const dataHome = () => `${scratch.path}/home`;

  async function backUp(name: string, encryption?: Encryption): Promise<void> {
    const { host, port } = source;
    const { url: destination, credentials } = place;
    await backUpAny(
      {
        source: { host, port },
        destination,
        credentials,
        name,
        encryption,
        verify: true,
        dataHome: dataHome(),
      },
      task(),
    );
  }

  async function find(name: string, key?: DecryptionKey): Promise<ResolvedRestore> {
    const platform = await openPlatform({ kind: "local", dataHome: dataHome() });
    const url = place.url.replace("?", `/${name}?`);
    return resolveRestore(
      platform,
      { url, backup: "latest" },
      { credentials: place.credentials, key },
      task(),
    );
  }

  /** With what it holds backed up into the same store. */
  function replacing(target: RedisServer, backup: ResolvedRestore): AnyRestoreRequest {
    const { host, port } = target;
    const { url: destination, credentials } = place;
    const safety = { destination, credentials, name: `target-${port}` };
    return { backup, target: { host, port }, replaceData: true, safety, dataHome: dataHome() };
  }

  /** Nothing that held a backup, or that tried the store, is left. */
  async function expectTidy(): Promise<void> {
    const left = await place.everything();
    expect(left.filter((name) => /restoring|probe|\.sgwtmp\/./.test(name))).toEqual([]);
  }

  async function expectUntouched({ client }: RedisServer): Promise<void> {
    expect(await client.get("old")).toBe("data");
    expect(await client.info("replication")).toMatch(/role:master/);
    expect(await client.set("written", "now")).toBe("OK");
  }

  it.each(["recipients", "a passphrase"])(
    "loads one that is encrypted to %s, and what it replaces is encrypted likewise",
    async (to) => {
      const age = await import("age-encryption");
      const identity = await age.generateX25519Identity();
      const recipients = [await age.identityToRecipient(identity)];
      const [encryption, key] =
        to === "recipients" ? [{ recipients }, { identities: [identity] }] : [PASSPHRASE, PASSPHRASE];
      const name = to === "recipients" ? "recipients" : "passphrase";
      await backUp(name, encryption);
      await using target = await startRedisServer({ args: DEBUG });
      await target.client.set("old", "data");
      const before = await digest(target.client);
      const doing = task();
      const done = await restoreAny(replacing(target, await find(name, key)), doing);
      expect(done).toMatchObject({ keys: 20_000, warnings: [] });
      expect(await digest(target.client)).toBe(sourceDigest);

      const safety = await find(`target-${target.port}`, key);
      expect(safety.backup).toBe(done.safetyBackup?.slot);
      expect(safety.manifest?.encryption).toMatchObject(
        to === "recipients" ? { recipients } : { format: "age" },
      );
      const stored = await place.store.get(
        `target-${target.port}/${safety.manifest?.archive.name}`,
        task().signal,
      );
      const [head] = (await once(stored, "data")) as [Buffer];
      stored.destroy();
      expect(head.toString("latin1")).toMatch(/^age-encryption\.org\/v1\n/);
      const folder = `${scratch.path}/${name}`;
      await restoreFolder(safety, { folder, dataHome: dataHome() }, task());
      await using copy = await startRedisServer({ dir: folder, args: DEBUG });
      expect(await digest(copy.client)).toBe(before);
      await expectTidy();
      const said = JSON.stringify([doing.told, done]);
      for (const secret of [identity, PASSPHRASE.passphrase, server.secretAccessKey])
        expect(said).not.toContain(secret);
    },
  );

  it("touches nothing where the key that was given doesn't open it", async () => {
    await backUp("locked", PASSPHRASE);
    await using target = await startRedisServer({ args: DEBUG });
    await target.client.set("old", "data");
    const backup = await find("locked", { passphrase: "another one" });
    await expect(restoreAny(replacing(target, backup), task())).rejects.toMatchObject({ code: "wrong-key" });
    expect(await target.client.info("commandstats")).not.toContain("client|pause");
    await expectUntouched(target);
    await expectTidy();
  });

  it("goes on where its connections are reset in the middle", async () => {
    await backUp("reset");
    let resets = 0;
    proxy.set(({ method, path }) =>
      method === "GET" && path.endsWith(".tar.gz") && resets++ < 2
        ? { kind: "reset", when: "in-answer" }
        : undefined,
    );
    await using target = await startRedisServer({ args: DEBUG });
    const { host, port } = target;
    const backup = await find("reset");
    await restoreAny({ backup, target: { host, port }, replaceData: false, dataHome: dataHome() }, task());
    expect(resets).toBeGreaterThan(2);
    expect(await digest(target.client)).toBe(sourceDigest);
    await expectTidy();
  });

  it("holds up no writer for a store that doesn't answer where what is replaced should be kept", async () => {
    await backUp("dead");
    await using target = await startRedisServer({ args: DEBUG });
    await target.client.set("old", "data");
    const { host, port } = target;
    const destination = `s3://backups/here?endpoint=http://127.0.0.1:${await freePort()}&region=us-east-1`;
    const safety = { destination, credentials: place.credentials, name: "target" };
    const request: AnyRestoreRequest = {
      ...{ backup: await find("dead"), target: { host, port }, replaceData: true, safety },
      dataHome: dataHome(),
    };
    await expect(restoreAny(request, task())).rejects.toMatchObject({
      subject: `127.0.0.1:${port}`,
      cause: expect.stringMatching(
        /could not be backed up before it is replaced: cannot .* s3:\/\/backups\/here/,
      ),
      hint: expect.stringContaining("Nothing was replaced, and its users went on writing"),
    });
    expect(await target.client.info("commandstats")).not.toContain("client|pause");
    await expectUntouched(target);
    await expectTidy();
  });
});
