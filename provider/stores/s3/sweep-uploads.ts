import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
} from "@aws-sdk/client-s3";
import { NotAnAnswer } from "./answers";
import { hasCode, type Session, timeOfStore } from "./session";

/** What nothing came to for so long has nobody who would finish it. */
export const DEAD_AFTER_MS = 24 * 60 * 60_000;
/** A store that leads in circles must not hold up a job. */
const MOST_PAGES = 1000;

interface Upload {
  readonly Key: string;
  readonly UploadId: string;
}

/** Removes the uploads below a folder, `<name>/`, to which nothing came for a day by the store's own clock. */
export async function sweepUploads(session: Session, folder: string, signal: AbortSignal): Promise<number> {
  let removed = 0;
  for (const upload of await oldUploads(session, folder, signal).catch((error: unknown) => {
    noneIfRefused(error);
    return [];
  }))
    removed += await removeIfDead(session, upload, signal).catch((error: unknown) => {
      // Completed or removed by another machine meanwhile.
      if (hasCode(error, "no-such-upload", "not-found")) return 0;
      return noneIfRefused(error);
    });
  return removed;
}

/** A key that may keep backups need not be one that may look at uploads; not every store lists them. */
export function noneIfRefused(error: unknown): number {
  if (hasCode(error, "forbidden", "not-supported")) return 0;
  throw error;
}

async function removeIfDead(session: Session, upload: Upload, signal: AbortSignal): Promise<number> {
  if (!(await isDead(session, upload, signal))) return 0;
  const { send, clients, destination, url, root } = session;
  const about = {
    operation: "remove an upload of",
    subject: `${url}/${upload.Key.slice(root.length)}`,
    action: "s3:AbortMultipartUpload",
  };
  const command = () => new AbortMultipartUploadCommand({ Bucket: destination.bucket, ...upload });
  await send(about, (options) => clients.usual.send(command(), options), signal);
  return 1;
}

async function oldUploads(session: Session, folder: string, signal: AbortSignal): Promise<Upload[]> {
  const { send, clients, destination, root, url } = session;
  const about = {
    operation: "list the uploads of",
    subject: `${url}/${folder}`,
    action: "s3:ListBucketMultipartUploads",
  };
  const found: Upload[] = [];
  let next: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } | undefined = {};
  for (let page = 0; next !== undefined && page < MOST_PAGES; page++) {
    const markers: object = next;
    const answer = await send(
      about,
      async (options) => {
        // Without a prefix: MinIO answers with nothing to any that isn't a whole key.
        const command = new ListMultipartUploadsCommand({ Bucket: destination.bucket, ...markers });
        const output = await clients.usual.send(command, options);
        if (output.Bucket === undefined) throw new NotAnAnswer("the bucket's name");
        return output;
      },
      signal,
    );
    const storeTime = timeOfStore(session);
    for (const { Key, UploadId, Initiated } of answer.Uploads ?? [])
      if (Key?.startsWith(root + folder) === true && UploadId !== undefined && Initiated !== undefined)
        if (storeTime - Initiated.getTime() > DEAD_AFTER_MS) found.push({ Key, UploadId });
    const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = answer;
    next =
      IsTruncated === true && NextKeyMarker !== undefined
        ? {
            KeyMarker: NextKeyMarker,
            ...(NextUploadIdMarker === undefined ? {} : { UploadIdMarker: NextUploadIdMarker }),
          }
        : undefined;
  }
  return found;
}

/** Begun long ago it may still go on: then parts keep coming. */
async function isDead(session: Session, { Key, UploadId }: Upload, signal: AbortSignal): Promise<boolean> {
  const { send, clients, destination, url, root } = session;
  const about = {
    operation: "look at an upload of",
    subject: `${url}/${Key.slice(root.length)}`,
    action: "s3:ListMultipartUploadParts",
  };
  let marker: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const after: object = marker === undefined ? {} : { PartNumberMarker: marker };
    const answer = await send(
      about,
      (options) =>
        clients.usual.send(
          new ListPartsCommand({ Bucket: destination.bucket, Key, UploadId, ...after }),
          options,
        ),
      signal,
    );
    const storeTime = timeOfStore(session);
    for (const { LastModified } of answer.Parts ?? [])
      if (LastModified !== undefined && storeTime - LastModified.getTime() <= DEAD_AFTER_MS) return false;
    if (answer.IsTruncated !== true || answer.NextPartNumberMarker === undefined) return true;
    marker = answer.NextPartNumberMarker;
  }
  return false;
}
