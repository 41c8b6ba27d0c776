import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { Failure } from "../../core/errors";
import type { StoredObject } from "../contract";
import { isKey } from "../keys";
import { expectListing } from "./answers";
import type { About } from "./send";
import type { Session } from "./session";

/** What a stranger keeps under names that can be no key of ours is passed over. */
export async function list(session: Session, prefix: string, signal: AbortSignal): Promise<StoredObject[]> {
  signal.throwIfAborted();
  const found: StoredObject[] = [];
  for await (const object of listAll(session, prefix, signal)) if (isKey(object.key)) found.push(object);
  return found.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** All objects below the store's root whose names begin with a prefix, page by page. */
export async function* listAll(
  session: Session,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<StoredObject, void, void> {
  const { send, clients, destination, root, url, pageSize } = session;
  const about = { operation: "list", subject: `${url}/${prefix}`, action: "s3:ListBucket" };
  const input = {
    Bucket: destination.bucket,
    Prefix: root + prefix,
    MaxKeys: pageSize,
    // A stranger's key may hold what no XML can.
    EncodingType: "url",
  } as const;
  let token: string | undefined;
  do {
    const after: { readonly ContinuationToken?: string } =
      token === undefined ? {} : { ContinuationToken: token };
    const answer = await send(
      about,
      async (options) =>
        expectListing(await clients.usual.send(new ListObjectsV2Command({ ...input, ...after }), options)),
      signal,
    );
    for (const { Key = "", Size = 0, LastModified } of answer.Contents ?? []) {
      const whole = decoded(Key);
      if (whole.startsWith(root + prefix))
        yield { key: whole.slice(root.length), sizeBytes: Size, modifiedAt: LastModified?.getTime() ?? 0 };
    }
    const next: string | undefined = answer.IsTruncated === true ? answer.NextContinuationToken : undefined;
    if (next !== undefined && next === token) throw inCircles(about);
    token = next;
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
