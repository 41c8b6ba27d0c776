import { expect, test } from "vitest";
import { parseRestoreUrl } from "../../provider/core/restore-url";

const ARCHIVE = "20260501T030000000Z-aaaa.tar.gz";
const SLOT = "20260501T030000000Z";

test.each([
  ["file:///backups/cache-1a2b3c4d", "file:///backups", "cache-1a2b3c4d"],
  ["file:///backups/cache-1a2b3c4d/", "file:///backups", "cache-1a2b3c4d"],
  ["s3://bucket/cache", "s3://bucket", "cache"],
  [
    "s3://bucket/a/b/cache?endpoint=http://127.0.0.1:9000/x&pathStyle=true",
    "s3://bucket/a/b?endpoint=http://127.0.0.1:9000/x&pathStyle=true",
    "cache",
  ],
])("%s is a catalog below its destination", (url, destination, catalogKey) => {
  expect(parseRestoreUrl(url)).toEqual({ kind: "catalog", destination, catalogKey });
});

test.each([
  [
    `file:///backups/cache/${ARCHIVE}`,
    { file: ARCHIVE, slot: SLOT, within: { destination: "file:///backups", catalogKey: "cache" } },
  ],
  [
    `s3://bucket/p/cache/${ARCHIVE}.age?region=eu-west-1`,
    {
      file: `${ARCHIVE}.age`,
      slot: SLOT,
      within: { destination: "s3://bucket/p?region=eu-west-1", catalogKey: "cache" },
    },
  ],
  ["file:///my%20backup.tar.gz", { file: "my backup.tar.gz" }],
  ["file:///tmp/old.tar.gz", { file: "old.tar.gz" }],
  ["s3://bucket/old.tar.gz", { file: "old.tar.gz" }],
  [
    "s3://bucket/folder/old.tar.gz",
    { file: "old.tar.gz", within: { destination: "s3://bucket", catalogKey: "folder" } },
  ],
  [`file:///a b/${ARCHIVE}`, { file: ARCHIVE, slot: SLOT }],
])("%s is an archive", (url, archive) => {
  expect(parseRestoreUrl(url)).toEqual({ kind: "archive", ...archive });
});

test.each([
  ["/backups/cache", /it is no URL/],
  ["https://host/cache", /https: is not supported/],
  ["s3://bucket", /names no catalog in its bucket/],
  ["s3://key:hush-hush@bucket/cache", /credentials/],
  ["s3://bucket/cache?secretAccessKey=hush-hush", /credentials/],
  ["file:///cache", /no catalog/],
  ["file:///backups/not%20a%20catalog", /no catalog/],
  ["file:///backups/dump.rdb", /an RDB file/],
  ["s3://bucket/exports/dump.rdb.gz?region=eu-west-1", /an RDB file/],
])("%s is refused, without repeating what may be a secret", (url, why) => {
  const found = parseRestoreUrl(url);
  expect(found).toMatchObject({ kind: "fault", cause: expect.stringMatching(why) });
  expect(JSON.stringify(found)).not.toContain("hush-hush");
});

test("that of an RDB file is refused with the command that takes it", () => {
  expect(parseRestoreUrl("file:///backups/dump.rdb")).toMatchObject({
    hint: expect.stringContaining("redis-addon import-file <file> --into <add-on>"),
  });
});
