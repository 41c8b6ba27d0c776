import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { Failure } from "../../core/errors";
import type { StoredObject } from "../contract";
import { byKey, isKey } from "../keys";
import { expectListing } from "./answers";
import type { About } from "./send";
import type { Session } from "./session";

/** What a stranger keeps under names that can be no key of ours is passed over. */
export async function list(session: Session, prefix: string, signal: AbortSignal): Promise<StoredObject[]> {
  const found: StoredObject[] = [];
  for await (const part of listParts(session, prefix, signal)) found.push(...part);
  return found.sort(byKey);
}

export async function* listParts(
  session: Session,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<readonly StoredObject[], void, void> {
  signal.throwIfAborted();
  for await (const page of pages(session, prefix, undefined, signal))
    yield page.filter(({ key }) => isKey(key));
}

/** A store that lists in another order than S3's is read to its end. */
export async function keysBetween(
  session: Session,
  after: string,
  before: string,
  signal: AbortSignal,
): Promise<string[]> {
  signal.throwIfAborted();
  const found: string[] = [];
  const folder = after.slice(0, after.indexOf("/") + 1);
  let last = "";
  let isOrdered = true;
  for await (const page of pages(session, folder, after, signal)) {
    for (const { key } of page) {
      isOrdered &&= last < key;
      last = key;
      if (isKey(key) && key > after && key < before) found.push(key);
    }
    if (isOrdered && last >= before) break;
  }
  return found.sort();
}

/** All objects below the store's root whose names begin with a prefix. */
export async function* listAll(
  session: Session,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<StoredObject, void, void> {
  for await (const page of pages(session, prefix, undefined, signal)) yield* page;
}

async function* pages(
  session: Session,
  prefix: string,
  after: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<readonly StoredObject[], void, void> {
  const { send, clients, destination, root, url, pageSize } = session;
  const about = { operation: "list", subject: `${url}/${prefix}`, action: "s3:ListBucket" };
  const input = {
    Bucket: destination.bucket,
    Prefix: root + prefix,
    MaxKeys: pageSize,
    // A stranger's key may hold what no XML can.
    EncodingType: "url",
    ...(after === undefined ? {} : { StartAfter: root + after }),
  } as const;
  let token: string | undefined;
  do {
    const next: { readonly ContinuationToken?: string } =
      token === undefined ? {} : { ContinuationToken: token };
    const answer = await send(
      about,
      async (options) =>
        expectListing(await clients.usual.send(new ListObjectsV2Command({ ...input, ...next }), options)),
      signal,
    );
    yield (answer.Contents ?? []).flatMap(({ Key = "", Size = 0, LastModified }) => {
      const whole = decoded(Key);
      if (!whole.startsWith(root + prefix)) return [];
      return [{ key: whole.slice(root.length), sizeBytes: Size, modifiedAt: LastModified?.getTime() ?? 0 }];
    });
    const following: string | undefined =
      answer.IsTruncated === true ? answer.NextContinuationToken : undefined;
    if (following !== undefined && following === token) throw inCircles(about);
    token = following;
  } while (token !== undefined);
}

function inCircles({ operation, subject }: About): Failure {
  return new Failure({
    code: "unexpected-answer",
    operation,
    subject,
    cause: "the store leads from a page of its listing to the same page",
  });
}

/** Not every store encodes, and then a stranger's % means itself. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch {
    return key;
  }
}
