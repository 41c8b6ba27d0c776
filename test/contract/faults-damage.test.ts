import { cp, readdir, readFile, rename, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pathToFileURL } from "node:url";
import { startRedisServer } from "../support/redis-server";
import { temporaryFolder } from "./backup-support";
import { AT_ONCE, makeCli, type Cli } from "./cli-support";

let cli: Cli;
/** Two backups that nobody harms. */
let master: Awaited<ReturnType<typeof temporaryFolder>>;
const NAME = "cache";

beforeAll(async () => {
  await using leader = await startRedisServer({ args: ["--enable-debug-command", "yes", ...AT_ONCE] });
  [cli, master] = await Promise.all([makeCli(), temporaryFolder()]);
  const from = `redis://127.0.0.1:${leader.port}`;
  const to = pathToFileURL(master.path).href;
  for (const keys of ["1000", "2000"]) {
    await leader.client.call("DEBUG", "POPULATE", keys, "key", 100);
    const taken = await cli.run(["backup", "run", "--from", from, "--to", to, "--name", NAME]);
    expect(taken).toMatchObject({ code: 0 });
  }
});
afterAll(async () => {
  await cli[Symbol.asyncDispose]();
  await master[Symbol.asyncDispose]();
});

/** The two backups in a folder of a test's own. */
async function copied() {
  const folder = await temporaryFolder();
  await cp(master.path, folder.path, { recursive: true });
  const catalog = join(folder.path, NAME);
  const files = (await readdir(catalog)).sort();
  const slots = files.flatMap((file) => /^(\w+)\.json$/.exec(file)?.[1] ?? []);
  const of = (slot = "") => ({
    slot,
    manifest: join(catalog, `${slot}.json`),
    archive: join(catalog, files.find((file) => file.startsWith(`${slot}-`)) ?? ""),
    download: join(folder.path, slot),
  });
  const store = ["--store", pathToFileURL(folder.path).href];
  return {
    first: of(slots[0]),
    second: of(slots[1]),
    run: (command: string, ...args: string[]) => cli.run(["backup", command, NAME, ...args, ...store]),
    [Symbol.asyncDispose]: folder[Symbol.asyncDispose],
  };
}
type Harmed = Awaited<ReturnType<typeof copied>>;

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  await writeFile(path, bytes);
}

async function swap(one: string, other: string): Promise<void> {
  await rename(one, `${one}.own`);
  await rename(other, one);
  await rename(`${one}.own`, other);
}

/** After the end of the header that begins the archive's second entry. */
async function cutBetweenEntries(path: string): Promise<void> {
  const tar = gunzipSync(await readFile(path));
  const sizeBytes = Number.parseInt(tar.toString("latin1", 124, 135), 8);
  await writeFile(path, gzipSync(tar.subarray(0, 512 + Math.ceil(sizeBytes / 512) * 512)));
}

async function edited(path: string, change: (text: string) => string): Promise<void> {
  await writeFile(path, change(await readFile(path, "utf8")));
}

describe("a stored backup that was harmed since", () => {
  it.each<[string, RegExp, (harmed: Harmed) => Promise<void>]>([
    ["an archive that was cut", /ends after \d+ of \d+ bytes/, ({ first }) => truncate(first.archive, 5_000)],
    [
      "an archive that was cut between two entries and packed again",
      /ends after \d+ of \d+ bytes|not those that were written/,
      ({ first }) => cutBetweenEntries(first.archive),
    ],
    ["one bit of an archive", /not those that were written/, ({ first }) => flip(first.archive, 5_001)],
    [
      "an archive in the place of another's",
      /ends after|longer than|not those/,
      ({ first, second }) => swap(first.archive, second.archive),
    ],
  ])("is told, marked, and not given out: %s", async (_, why, harm) => {
    await using harmed = await copied();
    const { first, run } = harmed;
    await harm(harmed);
    // Nobody has looked since: it is not given out none the less.
    const refused = await run("download", first.slot, "--to", first.download);
    expect(refused).toMatchObject({ code: 4, stdout: "" });
    expect(refused.stderr).toMatch(/^redis-addon: cannot .*redis-addon backup list/m);
    const extracted = await run("download", first.slot, "--extract", first.download);
    expect(extracted).toMatchObject({ code: 4, stdout: "" });
    expect((await readdir(join(first.download, ".."))).sort()).toEqual([NAME]);

    const verified = await run("verify", first.slot, "--json");
    expect(verified.code).toBe(4);
    expect(JSON.parse(verified.stdout)).toMatchObject([
      { slot: first.slot, outcome: "damaged", why: expect.stringMatching(why) },
    ]);
    const listed = await run("list");
    expect(listed.stdout).toMatch(new RegExp(`${first.slot}.*DAMAGED`));
  });

  it.each<[string, RegExp, (harmed: Harmed) => Promise<void>]>([
    [
      "another backup's manifest",
      /it is that of backup \d{8}T\d{9}Z/,
      async ({ first, second }) => writeFile(first.manifest, await readFile(second.manifest)),
    ],
    [
      "a manifest that names another backup's archive",
      /it names an archive of another backup/,
      ({ first, second }) =>
        edited(first.manifest, (text) =>
          text.replace(
            /"name": "\w+-\w+\.tar\.gz"/,
            `"name": "${second.archive.slice(second.archive.lastIndexOf("/") + 1)}"`,
          ),
        ),
    ],
    ["a manifest that was cut", /it is no JSON/, ({ first }) => truncate(first.manifest, 700)],
    ["an empty manifest", /it is no JSON/, ({ first }) => truncate(first.manifest, 0)],
  ])("is told and not given out: %s", async (_, why, harm) => {
    await using harmed = await copied();
    const { first, second, run } = harmed;
    await harm(harmed);
    for (const args of [["verify"], ["show"], ["download", "--to", first.download]]) {
      const [command = "", ...more] = args;
      const refused = await run(command, first.slot, ...more);
      expect(refused).toMatchObject({ code: 4, stdout: "" });
      expect(refused.stderr).toMatch(why);
    }
    const listed = await run("list");
    expect(listed.stdout).not.toContain(first.slot);
    expect(listed.stdout).toContain(second.slot);
    expect(listed.stderr).toMatch(why);
    const all = await run("verify", "--all", "--json");
    expect(all.code).toBe(4);
    expect(JSON.parse(all.stdout)).toMatchObject([{ slot: second.slot, outcome: "verified" }]);
  });
});
