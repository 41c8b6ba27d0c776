import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { openStore } from "../../provider/stores/open";
import { type CompiledProgram, compileProgram } from "../support/compiled-program";
import { until } from "../support/redis-server";
import { storeSuite } from "./store-suite";

async function folder() {
  const path = await mkdtemp(join(tmpdir(), "store-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const never = new AbortController().signal;
const bytes = (content: string) => Readable.from([Buffer.from(content)], { objectMode: false });

storeSuite("file", async () => {
  const root = await folder();
  // The store's own folder does not exist yet, and its name needs escaping in a URL.
  const path = join(root.path, "our backups #1");
  const store = await openStore(pathToFileURL(path).href);
  return {
    store,
    async interrupt(name) {
      await mkdir(join(path, name), { recursive: true });
      await writeFile(join(path, name, `.archive.${name}.tmp`), "half");
    },
    async later(ms) {
      for (const temporary of globSync(join(path, "*", ".*.tmp"))) {
        const modifiedAt = (Date.now() - ms) / 1000;
        await utimes(temporary, modifiedAt, modifiedAt);
      }
      return store;
    },
    [Symbol.asyncDispose]: root[Symbol.asyncDispose],
  };
});

test("the file store's folders and files are this user's alone", async () => {
  await using root = await folder();
  const store = await openStore(pathToFileURL(join(root.path, "new", "store")).href);
  await store.put("a/1", bytes("x"), { signal: never });
  const mode = async (...path: string[]) => ((await stat(join(root.path, ...path))).mode & 0o777).toString(8);
  expect(await mode("new")).toBe("700");
  expect(await mode("new", "store", "a")).toBe("700");
  expect(await mode("new", "store", "a", "1")).toBe("600");
});

test("kill -9 in the middle of a put leaves nothing visible, and a sweep removes the rest once it is old", async () => {
  await using root = await folder();
  const url = pathToFileURL(root.path).href;
  const store = await openStore(url);
  await using program = await compileProgram();
  const child = spawn(process.execPath, ["-e", writer(program, url)], { stdio: "inherit" });
  try {
    const partial = async () => (await readdir(join(root.path, "a")).catch(() => [])).at(0);
    await until("bytes of the put", async () => {
      const name = await partial();
      return name !== undefined && (await stat(join(root.path, "a", name))).size > 100_000;
    });
    child.kill("SIGKILL");
    await once(child, "exit");
    const left = await partial();
    expect(left).toBeDefined();
    expect(await store.list("", never)).toEqual([]);
    expect(await store.list("a/", never)).toEqual([]);

    await store.put("a/1", bytes("whole"), { signal: never });
    // The writer of a young one may be alive.
    expect(await store.sweep("a", never)).toBe(0);
    await utimes(join(root.path, "a", left ?? ""), 0, Date.now() / 1000 - 25 * 3600);
    expect(await store.sweep("a", never)).toBe(1);
    expect(await readdir(join(root.path, "a"))).toEqual(["1"]);
  } finally {
    child.kill("SIGKILL");
  }
});

test("a stream from the file store fails when the file is cut while it is read", async () => {
  await using root = await folder();
  const store = await openStore(pathToFileURL(root.path).href);
  await store.put("a/1", bytes("x".repeat(3_000_000)), { signal: never });
  const stream = await store.get("a/1", never);
  const read = async () => {
    for await (const _ of stream) await writeFile(join(root.path, "a/1"), "");
  };
  await expect(read()).rejects.toMatchObject({
    cause: expect.stringMatching(/ended after \d+ of 3000000 bytes/),
  });
});

test("of many that are deleted, those that can't be are named, and the others go", async () => {
  await using root = await folder();
  const store = await openStore(pathToFileURL(root.path).href);
  for (const key of ["a/1", "a/3"]) await store.put(key, bytes("x"), { signal: never });
  // No file, which a stranger has put there.
  await mkdir(join(root.path, "a/2"));
  const failed = await store.deleteMany(["a/1", "a/2", "a/3"], never);
  expect(failed.map(({ key, failure }) => [key, failure.operation, failure.subject])).toEqual([
    ["a/2", "remove", pathToFileURL(join(root.path, "a/2")).href],
  ]);
  expect(await readdir(join(root.path, "a"))).toEqual(["2"]);
});

test("a folder that cannot be made is named, with why", async () => {
  await using root = await folder();
  await writeFile(join(root.path, "file"), "");
  for (const path of ["file", "file/below"]) {
    const store = await openStore(pathToFileURL(join(root.path, path)).href);
    await expect(store.put("a/1", bytes("x"), { signal: never })).rejects.toMatchObject({
      code: "not-a-folder",
      subject: expect.stringContaining("/file"),
    });
    expect(await store.list("", never)).toEqual([]);
  }
});

// An automounter's folders do the same. Node's own recursive mkdir never comes back from there.
test.runIf(process.platform === "linux")("a folder in which none can be made fails at once", async () => {
  const store = await openStore("file:///proc/redis-addon/backups");
  await expect(store.put("a/1", bytes("x"), { signal: never })).rejects.toMatchObject({ code: "not-found" });
});

test.each([
  ["s3://key:secret@bucket/prefix", "unsupported-destination"],
  ["s3://bucket/prefix?secretAccessKey=secret", "unsupported-destination"],
  ["gs://secret@bucket", "unsupported-destination"],
  ["/var/backups", "unsupported-destination"],
  ["file://otherhost/folder", "unsupported-destination"],
])(
  "the destination %s is refused with what is supported, and without what may be secret",
  async (url, code) => {
    const failure = await openStore(url).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code, hint: expect.stringMatching(/file:\/\/|AWS_ACCESS_KEY_ID/) });
    expect(String(failure)).not.toContain("secret");
  },
);

/** A process that puts without an end. */
const writer = (program: CompiledProgram, url: string) => `
  const { Readable } = require("node:stream");
  const { openStore } = require(${JSON.stringify(program.path("provider/stores/open.ts"))});
  async function* endless() {
    for (;;) { yield Buffer.alloc(65536); await new Promise((go) => setTimeout(go, 5)); }
  }
  openStore(${JSON.stringify(url)}).then((store) => store.put(
    "a/1", Readable.from(endless(), { objectMode: false }), { signal: new AbortController().signal }));
`;
