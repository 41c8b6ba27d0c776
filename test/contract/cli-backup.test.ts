import { once } from "node:events";
import { access, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { constants, getPriority } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeAuthority } from "../support/certificates";
import {
  findRedisServer,
  freePort,
  startRedisServer,
  until,
  type RedisServer,
} from "../support/redis-server";
import { startVersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";
import { names, temporaryFolder, temporaryStore, unpacked } from "./backup-support";
import { AT_ONCE, makeCli, type Cli } from "./cli-support";

let cli: Cli;
let leader: RedisServer;
/** Of the leader's catalog, where no other is given. */
let name: string;

beforeAll(async () => {
  [cli, leader] = await Promise.all([
    makeCli(),
    startRedisServer({ args: ["--enable-debug-command", "yes", ...AT_ONCE] }),
  ]);
  await leader.client.call("DEBUG", "POPULATE", "2000", "key", "100");
  name = `127.0.0.1-${leader.port}`;
});
afterAll(async () => {
  await leader[Symbol.asyncDispose]();
  await cli[Symbol.asyncDispose]();
});

/** Linux' number for the class of threads that run only while nobody else wants to. */
const SCHED_IDLE = 5;

async function policyOf(pid: number, thread: string): Promise<number> {
  const stat = await readFile(`/proc/${pid}/task/${thread}/stat`, "utf8");
  // The name may hold blanks; the policy is the 41st field.
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[38]);
}

interface Taken {
  readonly slot: string;
  readonly archive: string;
  readonly verification?: { readonly outcome: string };
}

async function take(url: string, ...more: string[]): Promise<Taken> {
  const taken = await cli.run([
    ...["backup", "run", "--from", `redis://127.0.0.1:${leader.port}`, "--to", url, "--json"],
    ...more,
  ]);
  expect(taken).toMatchObject({ code: 0 });
  return JSON.parse(taken.stdout) as Taken;
}

describe("redis-addon backup, for any Redis and any store", () => {
  it("takes a verified backup that opens, without an agent and without a data home", async () => {
    await using store = await temporaryStore();
    const taken = await take(store.url);
    expect(taken).toMatchObject({ keys: 2000, verification: { outcome: "verified" } });
    expect(taken.archive).toBe(
      `${store.url}/${name}/${taken.slot}${/-\w+\.tar\.gz$/.exec(taken.archive)?.[0]}`,
    );
    await expect(access(cli.home)).rejects.toThrow("ENOENT");

    await using folder = await unpacked(store.store, taken.archive.slice(store.url.length + 1));
    await using server = await startRedisServer({ dir: folder.path });
    expect(await server.client.dbsize()).toBe(2000);
  });

  it("tells what it does on standard error, a line a step, and nothing but the result on standard output", async () => {
    await using store = await temporaryStore();
    const args = ["backup", "run", "--from", `redis://127.0.0.1:${leader.port}`, "--to", store.url];
    const told = await cli.run([...args, "--json"]);
    expect(told.stderr).toMatch(/^receiving the snapshot …$/m);
    expect(told.stderr).not.toContain("\u001B");
    expect(JSON.parse(told.stdout)).toMatchObject({ slot: expect.any(String) as string });
    const quiet = await cli.run(["--quiet", ...args]);
    expect(quiet).toMatchObject({ code: 0, stderr: "" });
    expect(quiet.stdout).toMatch(/^Keys +2000\nVerified +yes$/m);
  });

  it("draws one line of progress on a terminal and takes it away before the result", async () => {
    await using store = await temporaryStore();
    const from = ["--from", `redis://127.0.0.1:${leader.port}`];
    const run = cli.startInTerminal(["backup", "run", ...from, "--to", store.url]);
    expect(await run.result).toMatchObject({ code: 0 });
    const ERASE = "\r\u001B[2K";
    const drawn = run.output().split(ERASE);
    expect(drawn.some((line) => /^receiving the snapshot .*\d+ s$/.test(line))).toBe(true);
    expect(drawn.slice(0, -1).every((line) => !line.includes("\n"))).toBe(true);
    expect(drawn.at(-1)).toMatch(/^Slot +\d{8}T\d{9}Z\r\n/);
  });

  it("lists, shows, pins, unpins and deletes backups of a store by their catalog's name", async () => {
    await using store = await temporaryStore();
    const [first, second] = [await take(store.url), await take(store.url)];
    const at = ["--store", store.url];
    const catalogs = await cli.run(["backup", "list", ...at, "--json"]);
    expect(JSON.parse(catalogs.stdout)).toEqual([{ name, backups: 2, newest: second.slot }]);
    const listed = await cli.run(["backup", "list", name, ...at]);
    expect(listed.stdout).toMatch(/^SLOT +TAKEN +SIZE +KEYS +REASON +VERIFIED +PINNED +ARCHIVE$/m);
    expect(listed.stdout).toMatch(
      new RegExp(`^${first.slot} .* 2000 +on demand +yes +- +${first.archive}$`, "m"),
    );

    expect((await cli.run(["backup", "pin", name, first.slot, "--note", "before v2", ...at])).code).toBe(0);
    const shown = await cli.run(["backup", "show", name, first.slot, ...at]);
    expect(shown.stdout).toMatch(/^Pinned +before v2$/m);
    const kept = await cli.run(["backup", "delete", name, first.slot, "--yes", ...at]);
    expect(kept).toMatchObject({ code: 1, stdout: "" });
    expect(kept.stderr).toContain("pinned");

    await cli.run(["backup", "unpin", name, first.slot, ...at]);
    const asked = await cli.run(["backup", "delete", name, first.slot, ...at]);
    expect(asked).toMatchObject({ code: 1, stdout: "" });
    expect(asked.stderr).toContain(`it removes ${first.archive}`);
    expect((await cli.run(["backup", "delete", name, first.slot, "--yes", ...at])).code).toBe(0);
    const left = await cli.run(["backup", "list", name, ...at, "--json"]);
    expect(JSON.parse(left.stdout)).toMatchObject([{ slot: second.slot, pinned: false, encrypted: false }]);
  });

  it("leaves the long columns out of a list on a terminal that is too narrow for them", async () => {
    await using store = await temporaryStore();
    const { slot, archive } = await take(store.url);
    const listed = cli.startInTerminal(["backup", "list", name, "--store", store.url]);
    expect(await listed.result).toMatchObject({ code: 0 });
    expect(listed.output()).toMatch(new RegExp(`^${slot} +\\S+ KiB +2000 +on demand +yes +-\r?$`, "m"));
    expect(listed.output()).not.toContain(archive);
  });

  it("shows an archive of another size as damaged, whatever was found when it was whole", async () => {
    await using store = await temporaryStore();
    const { archive } = await take(store.url);
    await writeFile(fileURLToPath(archive), "");
    const at = ["--store", store.url];
    const listed = await cli.run(["backup", "list", name, ...at]);
    expect(listed.stdout).toMatch(/ demand +DAMAGED \(size differs\) /);
    const json = await cli.run(["backup", "list", name, ...at, "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject([{ verification: "damaged", damage: "size differs" }]);
    const shown = await cli.run(["backup", "show", name, "latest", ...at]);
    expect(shown.stdout).toMatch(/^Verified +DAMAGED \(size differs\)$/m);
    // It is no longer the newest that is known to open.
    expect((await cli.run(["backup", "delete", name, "latest", "--yes", ...at])).code).toBe(0);
  });

  it("deletes one whose manifest is damaged with every archive of its slot, and says so", async () => {
    await using store = await temporaryStore();
    const [good, bad] = [await take(store.url), await take(store.url)];
    const stray = `${store.url}/${name}/${bad.slot}-another.tar.gz`;
    const manifest = fileURLToPath(`${store.url}/${name}/${bad.slot}.json`);
    await Promise.all([writeFile(manifest, ""), writeFile(fileURLToPath(stray), "of nobody")]);
    const remove = (slot: string, ...more: string[]) =>
      cli.run(["backup", "delete", name, slot, "--store", store.url, ...more]);

    const asked = await remove(bad.slot);
    expect(asked).toMatchObject({ code: 1, stdout: "" });
    for (const told of ["a damaged manifest (it is no JSON)", bad.archive, stray])
      expect(asked.stderr).toContain(told);
    expect(await names(store.store)).toContain(`${name}/${bad.slot}.json`);

    // Its mark vouches for nothing: the older one is the newest that is known to open.
    const kept = await remove(good.slot, "--yes");
    expect(kept).toMatchObject({ code: 1, stderr: expect.stringContaining("--even-newest-verified") });
    const gone = await remove(bad.slot, "--yes");
    expect(gone).toMatchObject({ code: 0 });
    for (const told of ["a damaged manifest", bad.archive, stray]) expect(gone.stdout).toContain(told);
    expect((await names(store.store)).filter((key) => key.includes(bad.slot))).toEqual([]);
    expect(await names(store.store)).toContain(`${name}/${good.slot}.json`);
  });

  it("deletes a good one with its own archive alone", async () => {
    await using store = await temporaryStore();
    const { slot } = await take(store.url);
    const stray = fileURLToPath(`${store.url}/${name}/${slot}-another.tar.gz`);
    await writeFile(stray, "another machine's, on its way");
    const gone = await cli.run([
      ...["backup", "delete", name, slot, "--yes", "--even-newest-verified", "--store", store.url],
    ]);
    expect(gone).toMatchObject({ code: 0, stdout: `Backup ${slot} of ${name} is deleted.\n` });
    expect(await names(store.store)).toEqual([`${name}/${slot}-another.tar.gz`]);
  });

  it("steps behind the machine's servers as far as it goes while it takes a backup", async () => {
    await using store = await temporaryStore();
    // Says nothing, so that the command is still there to be looked at.
    const silent = createServer();
    await once(silent.listen(0, "127.0.0.1"), "listening");
    const { port } = silent.address() as AddressInfo;
    const run = cli.start(["backup", "run", "--from", `redis://127.0.0.1:${port}`, "--to", store.url]);
    await until("it to step back", () => getPriority(run.pid) === constants.priority.PRIORITY_LOW);
    if (process.platform === "linux") {
      const policies = async () => {
        const threads = (await readdir(`/proc/${run.pid}/task`)).filter(
          (thread) => thread !== String(run.pid),
        );
        return Promise.all(threads.map((thread) => policyOf(run.pid, thread)));
      };
      await until("its helping threads to", async () => {
        const seen = new Set(await policies());
        return seen.size === 1 && seen.has(SCHED_IDLE);
      });
      expect(await policyOf(run.pid, String(run.pid))).not.toBe(SCHED_IDLE);
    }
    run.child.kill("SIGTERM");
    expect(await run.result).toMatchObject({ code: 143 });
    silent.close();
  });

  it("finds a backup by the beginning of its slot, as the latest, and as the latest verified", async () => {
    await using store = await temporaryStore();
    const [first, second] = [await take(store.url), await take(store.url, "--no-verify")];
    const show = async (which: string) => {
      const shown = await cli.run(["backup", "show", name, which, "--store", store.url, "--json"]);
      return (JSON.parse(shown.stdout) as { entry: { slot: string } }).entry.slot;
    };
    expect(await show("latest")).toBe(second.slot);
    expect(await show("latest-verified")).toBe(first.slot);
    expect(await show(first.slot.slice(0, -1))).toBe(first.slot);
    const ambiguous = await cli.run(["backup", "show", name, first.slot.slice(0, 8), "--store", store.url]);
    expect(ambiguous).toMatchObject({ code: 2, stdout: "" });
  });

  it("removes old backups only where it is told how many or how long to keep them", async () => {
    await using store = await temporaryStore();
    for (let taken = 0; taken < 2; taken++) await take(store.url);
    const last = await take(store.url, "--keep-last", "1");
    const listed = await cli.run(["backup", "list", name, "--store", store.url, "--json"]);
    expect(JSON.parse(listed.stdout)).toMatchObject([{ slot: last.slot }]);
  });

  it("downloads an archive under its own name, or the files in it ready to be opened", async () => {
    await using store = await temporaryStore();
    await using folder = await temporaryFolder();
    const { archive } = await take(store.url);
    const at = ["--store", store.url];
    const [file, copy] = [join(folder.path, "b.tar.gz"), join(folder.path, "a copy")];
    expect((await cli.run(["backup", "download", name, "latest", "--to", file, ...at])).code).toBe(0);
    expect(await readFile(file)).toEqual(await readFile(fileURLToPath(archive)));
    const again = await cli.run(["backup", "download", name, "latest", "--to", file, ...at]);
    expect(again).toMatchObject({ code: 1, stdout: "" });

    const extracted = await cli.run(["backup", "download", name, "latest", "--extract", copy, ...at]);
    expect(extracted).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`cd '${copy}' && redis-server`),
    });
    await using server = await startRedisServer({ dir: copy });
    expect(await server.client.dbsize()).toBe(2000);
    expect((await readdir(folder.path)).sort()).toEqual(["a copy", "b.tar.gz"]);
  });

  it("encrypts to the owner of a key, who alone can have it verified and extracted", async () => {
    await using store = await temporaryStore();
    await using folder = await temporaryFolder();
    const identity = await generateIdentity();
    const keyFile = join(folder.path, "key.txt");
    await writeFile(keyFile, `# created: today\n${identity}\n`);
    const at = ["--store", store.url];
    await take(store.url, "--encrypt-to", await identityToRecipient(identity));

    const withoutKey = await cli.run(["backup", "verify", name, ...at]);
    expect(withoutKey.code).toBe(5);
    const withKey = await cli.run(["backup", "verify", name, "--identity", keyFile, "latest", ...at]);
    expect(withKey).toMatchObject({ code: 0 });
    const copy = join(folder.path, "copy");
    const extract = ["backup", "download", name, "latest", "--extract", copy, ...at];
    expect((await cli.run(extract)).code).toBe(1);
    expect((await cli.run([...extract, "--identity", keyFile])).code).toBe(0);
    expect(await readdir(copy)).toContain("dump.rdb");
  });

  it("encrypts with a passphrase from the environment, and reads it from there again", async () => {
    await using store = await temporaryStore();
    const secret = { env: { REDIS_ADDON_PASSPHRASE: "open sesame" } };
    const from = ["--from", `redis://127.0.0.1:${leader.port}`];
    const taken = await cli.run(["backup", "run", ...from, "--to", store.url, "--passphrase"], secret);
    expect(taken).toMatchObject({ code: 0, stdout: expect.stringContaining("it is decrypted first") });
    const verify = ["backup", "verify", name, "--store", store.url];
    expect((await cli.run(verify, secret)).code).toBe(0);
    expect((await cli.run(verify)).code).toBe(5);
    const wrong = await cli.run(verify, { env: { REDIS_ADDON_PASSPHRASE: "open says me" } });
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).not.toContain("open says me");
  });
});

describe("over TLS", () => {
  it("trusts the authority it is given, shows its own certificate, and insists on the name", async () => {
    await using store = await temporaryStore();
    await using folder = await temporaryFolder();
    const authority = makeAuthority();
    const { certificate, key } = authority.issue(["db.example"]);
    const [ca, cert, keyFile] = ["ca.pem", "cert.pem", "key.pem"].map((file) => join(folder.path, file));
    await Promise.all([
      writeFile(ca ?? "", authority.certificate),
      writeFile(cert ?? "", certificate),
      writeFile(keyFile ?? "", key),
    ]);
    const port = await freePort();
    const files = ["--tls-ca-cert-file", ca, "--tls-cert-file", cert, "--tls-key-file", keyFile];
    await using server = await startRedisServer({
      args: ["--tls-port", String(port), ...files, ...AT_ONCE].map(String),
    });
    await server.client.set("treasure", "gold");

    const run = ["backup", "run", "--from", `rediss://127.0.0.1:${port}`, "--to", store.url, "--json"];
    const mine = ["--cert", cert, "--key", keyFile].map(String);
    const untrusted = await cli.run([...run, ...mine]);
    expect(untrusted).toMatchObject({ code: 1, stdout: "" });
    const trusting = [...run, ...mine, "--cacert", String(ca)];
    expect((await cli.run(trusting)).code).toBe(1);
    const named = await cli.run([...trusting, "--tls-server-name", "db.example"]);
    expect(named).toMatchObject({ code: 0 });
  });
});

describeWith([versityGw], "in an S3 store", () => {
  it("takes its keys from the environment, and does there what it does in a folder", async () => {
    await using s3 = await startVersityGw();
    await using folder = await temporaryFolder();
    const url = `s3://${s3.bucket}/redis?endpoint=${s3.endpoint}&region=${s3.region}`;
    const env = { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey };
    const run = (...args: string[]) => cli.run(["backup", ...args], { env });
    const taken = await run("run", "--from", `redis://127.0.0.1:${leader.port}`, "--to", url, "--json");
    expect(taken).toMatchObject({ code: 0 });
    expect(taken.stdout + taken.stderr).not.toContain(s3.secretAccessKey);
    const at = ["--store", url];
    expect(JSON.parse((await run("list", ...at, "--json")).stdout)).toMatchObject([{ name, backups: 1 }]);
    expect((await run("verify", name, ...at)).code).toBe(0);
    expect((await run("pin", name, "latest", ...at)).code).toBe(0);
    const copy = join(folder.path, "copy");
    expect((await run("download", name, "latest", "--extract", copy, ...at)).code).toBe(0);
    expect(await readdir(copy)).toContain("dump.rdb");
    expect((await run("unpin", name, "latest", ...at)).code).toBe(0);
    expect((await run("delete", name, "latest", "--yes", "--even-newest-verified", ...at)).code).toBe(0);
    expect((await run("list", name, ...at)).code).toBe(3);
  });
});

describe("the exit code", () => {
  it("is 4 where a verification finds damage, whatever it finds in others", async () => {
    await using store = await temporaryStore();
    const [, second] = [await take(store.url), await take(store.url)];
    const path = fileURLToPath(second.archive);
    const bytes = await readFile(path);
    const middle = bytes.length >> 1;
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
    await writeFile(path, bytes);
    const all = await cli.run(["backup", "verify", name, "--all", "--store", store.url, "--json"]);
    expect(all.code).toBe(4);
    expect(JSON.parse(all.stdout)).toMatchObject([{ outcome: "verified" }, { outcome: "damaged" }]);
    const listed = await cli.run(["backup", "list", name, "--store", store.url]);
    expect(listed.stdout).toContain("DAMAGED");
  });

  it("is 5 where a backup could be checked but not loaded, and 0 for the run that took it, with a warning", async () => {
    await using store = await temporaryStore();
    const env = { PATH: "/nonexistent" };
    const from = ["--from", `redis://127.0.0.1:${leader.port}`];
    const taken = await cli.run(["backup", "run", ...from, "--to", store.url, "--json"], { env });
    expect(taken.code).toBe(0);
    expect(taken.stderr).toMatch(/^! the backup was checked byte by byte, but not loaded: /m);
    const verified = await cli.run(["backup", "verify", name, "--store", store.url], { env });
    expect(verified.code).toBe(5);
    expect(verified.stdout).toContain("structure checked");
    // The data home's servers count as much as those on the PATH.
    expect(findRedisServer()).not.toContain("/nonexistent");
    expect((await cli.run(["backup", "verify", name, "--store", store.url])).code).toBe(0);
  });

  it("is 3 for what is not there", async () => {
    await using store = await temporaryStore();
    const missing = await cli.run(["backup", "list", "nobody", "--store", store.url]);
    expect(missing).toMatchObject({ code: 3, stdout: "" });
    expect(missing.stderr).toContain(`redis-addon backup list --store ${store.url}`);
    expect((await cli.run(["backup", "verify", "nobody", "--all", "--store", store.url])).code).toBe(3);
    await take(store.url);
    expect((await cli.run(["backup", "show", name, "19990101", "--store", store.url])).code).toBe(3);
    for (const command of ["run", "list", "verify"])
      expect((await cli.run(["backup", command, "nobody"])).code).toBe(3);
  });

  it("is 2 for what makes no sense, before anything is done", async () => {
    const to = ["--to", "file:///nowhere"];
    const from = ["--from", "redis://127.0.0.1:1"];
    for (const args of [
      ["run"],
      ["run", ...from],
      ["run", ...to],
      ["run", "cache", ...from, ...to],
      ["run", "cache", "--keep-last", "3"],
      ["run", ...from, ...to, "--keep-last", "none"],
      ["run", ...from, ...to, "--name", "../up"],
      ["run", ...from, ...to, "--cacert", "/dev/null"],
      ["run", ...from, ...to, "--encrypt-to", "bob"],
      ["run", ...from, ...to, "--encrypt-to", "age1x", "--passphrase"],
      ["list"],
      ["show", "cache"],
      ["verify", "cache", "latest", "--all"],
      ["download", "cache", "latest", "--to", "x", "--extract", "y"],
    ]) {
      const refused = await cli.run(["backup", ...args]);
      expect({ args, code: refused.code, stdout: refused.stdout }).toEqual({ args, code: 2, stdout: "" });
    }
  });

  it("is 1 for other failures, which leave nothing in the store and say what to do", async () => {
    await using store = await temporaryStore();
    const from = ["--from", `redis://127.0.0.1:${leader.port}`];
    const env = { REDISCLI_AUTH: "not-the-password" };
    const failed = await cli.run(["backup", "run", ...from, "--to", store.url, "--json"], { env });
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toMatch(/^redis-addon: cannot back up .*it has no password, and one was given/m);
    expect(failed.stderr).not.toContain("not-the-password");
    expect(await names(store.store)).toEqual([]);
  });
});
