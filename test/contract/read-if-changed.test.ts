import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readIfChanged } from "../../provider/agent/records/read-if-changed";
import { writeDurably } from "../../provider/system/files";

/** Files of a folder, read as the agent does, and how often one was read. */
async function files() {
  const folder = await mkdtemp(join(tmpdir(), "changed-"));
  let reads = 0;
  const read = readIfChanged(
    (name) => join(folder, name),
    async (name) => {
      reads += 1;
      return readFile(join(folder, name), "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        throw error;
      });
    },
  );
  return {
    read,
    reads: () => reads,
    write: (name: string, text: string) => writeDurably(join(folder, name), text, 0o600),
    remove: (name: string) => rm(join(folder, name)),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

it("a file is read once for as long as it is the same, each by its name", async () => {
  await using folder = await files();
  await folder.write("a", "one");
  await folder.write("b", "other");
  for (let look = 0; look < 3; look++) {
    expect(await folder.read("a")).toBe("one");
    expect(await folder.read("b")).toBe("other");
  }
  expect(folder.reads()).toBe(2);
});

it("a file that was replaced is read anew at the next look, however soon and alike", async () => {
  await using folder = await files();
  for (let i = 0; i < 100; i++) {
    const text = String(i).padStart(3);
    await folder.write("a", text);
    expect(await folder.read("a")).toBe(text);
  }
});

it("a file that comes, goes and comes back is seen at each look", async () => {
  await using folder = await files();
  expect(await folder.read("a")).toBeUndefined();
  for (const text of ["one", "two"]) {
    await folder.write("a", text);
    expect(await folder.read("a")).toBe(text);
    await folder.remove("a");
    expect(await folder.read("a")).toBeUndefined();
  }
});

it("what could not be read is read again at the next look", async () => {
  let failures = 2;
  const read = readIfChanged(
    () => process.execPath,
    async () => {
      if (failures-- > 0) throw new Error("too many open files");
      return "read";
    },
  );
  await expect(read("a")).rejects.toThrow("too many");
  await expect(read("a")).rejects.toThrow("too many");
  expect(await read("a")).toBe("read");
});
