// What a person would write to keep the newest few backups of a folder or a bucket: list all with sizes and times, then
// delete the rest by the fastest calls that there are.
import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { DeleteObjectsCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";

const AT_ONCE = 16;
const [place, where, keep] = process.argv.slice(2);
await (place === "file" ? pruneFolder(where) : pruneBucket(JSON.parse(where)));

async function pruneFolder(folder) {
  const found = (await readdir(folder)).map((name) => ({ name }));
  await each(found, async (file) => {
    const { size, mtimeMs } = await stat(join(folder, file.name));
    Object.assign(file, { size, mtimeMs });
  });
  await each(doomed(found.map(({ name }) => name)), (name) => unlink(join(folder, name)));
}

async function pruneBucket({ endpoint, bucket: Bucket, prefix: Prefix }) {
  const client = new S3Client({ endpoint, forcePathStyle: true });
  const found = [];
  for (let ContinuationToken; ;) {
    const page = await client.send(new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken }));
    for (const { Key, Size, LastModified } of page.Contents ?? []) found.push({ Key, Size, LastModified });
    ContinuationToken = page.NextContinuationToken;
    if (ContinuationToken === undefined) break;
  }
  const keys = doomed(found.map(({ Key }) => Key));
  for (let from = 0; from < keys.length; from += 1000) {
    const Objects = keys.slice(from, from + 1000).map((Key) => ({ Key }));
    const { Errors = [] } = await client.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }),
    );
    if (Errors.length > 0) throw new Error(JSON.stringify(Errors[0]));
  }
}

/** Of each backup there are three. */
function doomed(names) {
  return names.sort().slice(0, -3 * Number(keep));
}

async function each(items, work) {
  const entries = items.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of entries) await work(item);
    }),
  );
}
