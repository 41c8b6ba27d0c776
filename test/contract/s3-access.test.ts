import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { PutBucketPolicyCommand } from "@aws-sdk/client-s3";
import { afterEach, expect, test, vi } from "vitest";
import { openStore } from "../../provider/stores/open";
import { type CompiledProgram, compileProgram } from "../support/compiled-program";
import { portOf } from "../support/fault-proxy";
import { freePort, until } from "../support/redis-server";
import { type S3Server, startVersityGw, type VersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";
import { allKeys, openOn, pendingUploads, PREFIX } from "./store-s3-support";

const never = new AbortController().signal;
const bytes = (content: string | Buffer) => Readable.from([Buffer.from(content)], { objectMode: false });
const urlOf = ({ bucket, endpoint }: S3Server, more = "") =>
  `s3://${bucket}/${PREFIX}?endpoint=${endpoint}${more}`;

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** Nothing of this machine's own may decide: neither its settings nor a cloud that it may run in. */
function noStandardSettings(): void {
  for (const name of Object.keys(process.env).filter((name) => name.startsWith("AWS_")))
    vi.stubEnv(name, undefined);
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
  vi.stubEnv("AWS_CONFIG_FILE", "/dev/null");
}

async function allow(
  { client, bucket }: VersityGw,
  principal: string,
  grants: readonly [string[], string][],
) {
  const Statement = grants.map(([Action, path]) => ({
    ...{ Effect: "Allow", Principal: { AWS: [principal] }, Action },
    Resource: `arn:aws:s3:::${bucket}${path}`,
  }));
  await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify({ Statement }) }));
}

describeWith([versityGw], "access to an S3 store", () => {
  test("is told apart: an unknown key, a wrong secret, a bucket that is not there, another region", async () => {
    await using server = await startVersityGw();
    const { endpoint, accessKeyId, secretAccessKey } = server;
    const fails = async (changed: Partial<S3Server>, expected: object) => {
      const store = await openOn({ ...server, ...changed }, endpoint);
      const failures = [
        await store.list("a/", never).catch((error: unknown) => error),
        await store.put("a/1", bytes("x"), { signal: never }).catch((error: unknown) => error),
        await store.get("a/1", never).catch((error: unknown) => error),
      ];
      for (const failure of failures) {
        expect(failure).toMatchObject({ transient: false, ...expected });
        for (const secret of [secretAccessKey, "hush-hush", accessKeyId])
          expect(String(failure)).not.toContain(secret);
      }
    };
    await fails(
      { accessKeyId: "nobody" },
      { code: "unknown-access-key", hint: expect.stringContaining("pair") },
    );
    await fails({ secretAccessKey: "hush-hush" }, { code: "wrong-secret-key" });
    await fails(
      { bucket: "elsewhere" },
      { code: "no-such-bucket", cause: expect.stringContaining("elsewhere") },
    );
    await fails(
      { region: "eu-central-1" },
      { code: "wrong-region", hint: expect.stringContaining("?region=") },
    );
  });

  test("needs no more than to put, get, list and delete below the prefix", async () => {
    await using server = await startVersityGw();
    const user = await server.addUser();
    await allow(server, user.accessKeyId, [
      [["s3:ListBucket"], ""],
      [["s3:PutObject", "s3:GetObject", "s3:DeleteObject"], `/${PREFIX}/*`],
    ]);
    const store = await openOn({ ...server, ...user }, server.endpoint);
    expect(await store.guarantees(never)).toEqual({ ifAbsent: true });
    const large = Buffer.alloc(9_000_000);
    await store.put("a/large", bytes(large), { signal: never });
    await store.put("a/1", bytes("x"), { ifAbsent: true, signal: never });
    const again = store.put("a/1", bytes("y"), { ifAbsent: true, signal: never });
    await expect(again).rejects.toMatchObject({ code: "already-exists" });
    expect(await text(await store.get("a/1", never))).toBe("x");
    expect((await store.list("a/", never)).map(({ key }) => key)).toEqual(["a/1", "a/large"]);
    // What it may not look at is left, without a word.
    expect(await store.sweep("a", never)).toBe(0);
    await store.delete("a/large", never);
    await store.delete("a/1", never);
    expect(await allKeys(server)).toEqual([]);
  });

  test("below a folder alone is enough, but then nothing is promised of conditional writes", async () => {
    await using server = await startVersityGw();
    const user = await server.addUser();
    await allow(server, user.accessKeyId, [
      [["s3:ListBucket"], ""],
      [["s3:PutObject", "s3:GetObject", "s3:DeleteObject"], `/${PREFIX}/a/*`],
    ]);
    const store = await openOn({ ...server, ...user }, server.endpoint);
    expect(await store.guarantees(never)).toEqual({ ifAbsent: false });
    await store.put("a/1", bytes("x"), { ifAbsent: true, signal: never });
    const again = store.put("a/1", bytes("y"), { ifAbsent: true, signal: never });
    await expect(again).rejects.toMatchObject({ code: "already-exists" });
  });

  test("that is denied says which right is missing, and where", async () => {
    await using server = await startVersityGw();
    const user = await server.addUser();
    const store = await openOn({ ...server, ...user }, server.endpoint);
    const forbidden = (action: string, resource: string) => ({
      code: "forbidden",
      transient: false,
      cause: expect.stringContaining(action),
      hint: expect.stringContaining(`arn:aws:s3:::${server.bucket}${resource}`),
    });
    await expect(store.list("a/", never)).rejects.toMatchObject(forbidden("s3:ListBucket", ""));
    for (const content of ["x", Buffer.alloc(9_000_000)]) {
      const put = store.put("a/1", bytes(content), { signal: never });
      await expect(put).rejects.toMatchObject(forbidden("s3:PutObject", `/${PREFIX}/*`));
    }
    await expect(store.get("a/1", never)).rejects.toMatchObject(forbidden("s3:GetObject", `/${PREFIX}/*`));
    await expect(store.delete("a/1", never)).rejects.toMatchObject(
      forbidden("s3:DeleteObject", `/${PREFIX}/*`),
    );
  });

  test("takes credentials and region of the environment where none are given", async () => {
    await using server = await startVersityGw();
    noStandardSettings();
    const store = await openStore(urlOf(server));
    await expect(store.list("", never)).rejects.toMatchObject({
      code: "no-credentials",
      cause: expect.stringContaining("AWS_ACCESS_KEY_ID"),
      hint: expect.stringContaining("credentials"),
    });
    vi.stubEnv("AWS_ACCESS_KEY_ID", server.accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", server.secretAccessKey);
    await expect((await openStore(urlOf(server))).list("", never)).resolves.toEqual([]);
    vi.stubEnv("AWS_REGION", "eu-west-1");
    const elsewhere = await openStore(urlOf(server));
    await expect(elsewhere.list("", never)).rejects.toMatchObject({ code: "wrong-region" });
    await expect((await openStore(urlOf(server, "&region=us-east-1"))).list("", never)).resolves.toEqual([]);
  });

  test("prints nothing where a profile and keys are both set", async () => {
    await using server = await startVersityGw();
    noStandardSettings();
    vi.stubEnv("AWS_PROFILE", "backups");
    vi.stubEnv("AWS_ACCESS_KEY_ID", server.accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", server.secretAccessKey);
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    await (await openStore(urlOf(server))).list("", never).catch(() => undefined);
    expect(warn).not.toHaveBeenCalled();
  });

  test("to AWS itself needs a region that somebody names", async () => {
    noStandardSettings();
    await expect(openStore("s3://bucket/prefix")).rejects.toMatchObject({
      code: "no-region",
      subject: "s3://bucket/prefix",
      hint: expect.stringMatching(/\?region=.*AWS_REGION.*endpoint=/),
    });
    expect((await openStore("s3://bucket/prefix?region=eu-west-1")).url).toBe("s3://bucket/prefix");
    vi.stubEnv("AWS_REGION", "eu-west-1");
    expect((await openStore("s3://bucket")).url).toBe("s3://bucket");
  });

  test("succeeds though this machine's clock is hours off", async () => {
    await using server = await startVersityGw();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 3 * 60 * 60_000 });
    const store = await openOn(server, server.endpoint);
    await store.put("a/1", bytes("x"), { ifAbsent: true, signal: never });
    expect(await text(await store.get("a/1", never))).toBe("x");
    expect(await store.sweep("a", never)).toBe(0);
  });

  test("judges the age of what an interrupted put left by the store's own clock", async () => {
    await using server = await startVersityGw();
    const user = await openOn(server, server.endpoint);
    const source = new Readable({ read: () => undefined });
    source.push(Buffer.alloc(9_000_000));
    const abort = new AbortController();
    const put = user.put("a/1", source, { signal: abort.signal });
    await until("an upload", async () => (await pendingUploads(server)).length === 1);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 48 * 60 * 60_000 });
    const fast = await openOn(server, server.endpoint);
    expect(await fast.sweep("a", never)).toBe(0);
    abort.abort(new Error("enough"));
    await expect(put).rejects.toThrow("enough");
  });

  test("leaves nothing visible when the process is killed in the middle of a put", async () => {
    await using server = await startVersityGw();
    await using program = await compileProgram();
    noStandardSettings();
    const { PATH = "" } = process.env;
    const child = spawn(process.execPath, ["-e", writer(program, urlOf(server))], {
      stdio: "inherit",
      env: {
        ...{ PATH, AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey },
        AWS_EC2_METADATA_DISABLED: "true",
      },
    });
    try {
      await until("an upload", async () => (await pendingUploads(server)).length === 1);
      child.kill("SIGKILL");
      await once(child, "exit");
      const store = await openOn(server, server.endpoint);
      expect(await store.list("", never)).toEqual([]);
      expect(await allKeys(server)).toEqual([]);
    } finally {
      child.kill("SIGKILL");
    }
  });
});

test("an endpoint where nobody listens is named, and may be there later", async () => {
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const store = await openOn({ ...KEYS, bucket: "bucket", region: "us-east-1" }, endpoint);
  await expect(store.list("a/", never)).rejects.toMatchObject({
    code: "unreachable",
    cause: `${endpoint} cannot be reached: nothing listens there`,
    transient: true,
  });
});

test("an endpoint whose certificate nobody vouches for is told from one that has none", async () => {
  const folder = await mkdtemp(join(tmpdir(), "certificate-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-days", "1", "-nodes", "-newkey", "rsa:2048"];
  await promisify(execFile)("openssl", ["req", "-x509", ...subject, "-keyout", key, "-out", cert]);
  const files = { key: await readFile(key), cert: await readFile(cert) };
  const server = createServer(files, (_request, response) => response.end()).listen(0, "127.0.0.1");
  try {
    const port = await portOf(server);
    const on = (endpoint: string) => openOn({ ...KEYS, bucket: "bucket", region: "us-east-1" }, endpoint);
    await expect((await on(`https://127.0.0.1:${port}`)).list("a/", never)).rejects.toMatchObject({
      code: "untrusted-certificate",
      hint: expect.stringContaining("NODE_EXTRA_CA_CERTS"),
      transient: false,
    });
  } finally {
    server.close();
    server.closeAllConnections();
    await rm(folder, { recursive: true });
  }
  await using plain = await startVersityGw();
  const store = await openOn(plain, plain.endpoint.replace("http:", "https:"));
  await expect(store.list("a/", never)).rejects.toMatchObject({
    code: "no-tls",
    hint: expect.stringContaining("http://"),
  });
});

const KEYS = { accessKeyId: "key", secretAccessKey: "secret" };

/** A process that puts without an end, and without haste. */
const writer = (program: CompiledProgram, url: string) => `
  const { Readable } = require("node:stream");
  const { openStore } = require(${JSON.stringify(program.path("provider/stores/open.ts"))});
  async function* endless() {
    for (;;) { yield Buffer.alloc(1048576); await new Promise((go) => setTimeout(go, 5)); }
  }
  openStore(${JSON.stringify(url)}).then((store) => store.put(
    "a/1", Readable.from(endless(), { objectMode: false }), { signal: new AbortController().signal }));
`;
