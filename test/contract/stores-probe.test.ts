import { link, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import { openStore } from "../../provider/stores/open";

// A disk without hard links needs rights to mount: its one answer is what is put in its place.
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  return { ...real, link: vi.fn(real.link) };
});
afterEach(() => {
  vi.mocked(link).mockClear();
});

const never = new AbortController().signal;

async function folder() {
  const path = await mkdtemp(join(tmpdir(), "store-probe-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const on = (path: string) => openStore(pathToFileURL(path).href);

test("a folder that can keep backups is made, tried once, and left empty", async () => {
  await using root = await folder();
  const path = join(root.path, "new", "store");
  const store = await on(path);
  expect(await store.guarantees(never)).toEqual({ ifAbsent: true });
  expect(await readdir(path)).toEqual([]);
  expect(await store.guarantees(never)).toEqual({ ifAbsent: true });
  expect(link).toHaveBeenCalledOnce();
});

test("a file, or a link that leads nowhere, is told before anything is captured", async () => {
  await using root = await folder();
  await writeFile(join(root.path, "file"), "");
  await symlink("/nowhere/at/all", join(root.path, "dangling"));
  await symlink("round", join(root.path, "round"));
  const failures = async (path: string) => {
    const store = await on(join(root.path, path));
    const source = Readable.from([Buffer.from("x")], { objectMode: false });
    return [
      await store.guarantees(never).catch((error: unknown) => error),
      await store.put("a/1", source, { signal: never }).catch((error: unknown) => error),
    ];
  };
  for (const path of ["file", "file/below"])
    for (const failure of await failures(path))
      expect(failure).toMatchObject({ code: "not-a-folder", cause: "a part of the path is a file" });
  for (const path of ["dangling", "dangling/below/it"])
    for (const failure of await failures(path))
      expect(failure).toMatchObject({
        code: "not-a-folder",
        operation: "write",
        subject: pathToFileURL(join(root.path, "dangling")).href,
        cause: "it is a link to /nowhere/at/all, and that is not there",
      });
  for (const failure of await failures("round"))
    expect(failure).toMatchObject({ code: "not-a-folder", cause: expect.stringContaining("itself") });
  expect((await readdir(root.path)).sort()).toEqual(["dangling", "file", "round"]);
});

test.each([
  ["EPERM", "forbidden", "hard links"],
  ["ENOTSUP", "forbidden", "hard links"],
  ["EROFS", "forbidden", "read-only"],
  ["ENOSPC", "no-space", "full"],
])("a disk that answers %s is told by its folder, and asked again the next time", async (code, told, why) => {
  await using root = await folder();
  const store = await on(root.path);
  vi.mocked(link).mockRejectedValueOnce(Object.assign(new Error(code), { code, syscall: "link" }));
  await expect(store.guarantees(never)).rejects.toMatchObject({
    code: told,
    operation: "write",
    subject: pathToFileURL(root.path).href,
    cause: expect.stringContaining(why),
  });
  expect(await readdir(root.path)).toEqual([]);
  expect(await store.guarantees(never)).toEqual({ ifAbsent: true });
});

test("what a killed probe has left is listed nowhere, and swept once it is old", async () => {
  await using root = await folder();
  const store = await on(root.path);
  const ours = [".redis-addon-probe.7-ab.tmp", "..redis-addon-probe.7-ab.tmp.7-cd.tmp"];
  const strange = ".somebody.else.tmp";
  await mkdir(join(root.path, "a"));
  for (const name of [...ours, strange]) await writeFile(join(root.path, name), "probe");
  expect(await store.list("", never)).toEqual([]);
  expect(await store.sweep("a", never)).toBe(0);
  const old = Date.now() / 1000 - 25 * 3600;
  for (const name of [...ours, strange]) await utimes(join(root.path, name), old, old);
  expect(await store.sweep("a", never)).toBe(2);
  expect((await readdir(root.path)).sort()).toEqual([strange, "a"]);
});

test("a probe ends with the signal's reason", async () => {
  await using root = await folder();
  const reason = new Error("told to stop");
  await expect((await on(root.path)).guarantees(AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(await readdir(root.path)).toEqual([]);
});
