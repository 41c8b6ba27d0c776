import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { parseDestination } from "../../provider/core/destination";
import type { Clock } from "../../provider/core/task";
import type { Store } from "../../provider/stores/contract";
import { openS3Store } from "../../provider/stores/s3/open";
import type { S3StoreOptions } from "../../provider/stores/s3/open-session";
import type { S3Server } from "../support/s3-servers";
import type { TestStore } from "./store-suite";

export const PREFIX = "our/redis";

/** Waits take no time, so that faults don't; the time is the system's, or so much later. */
export const impatient = (laterMs = 0): Clock => ({
  now: () => Date.now() + laterMs,
  sleep: async (_ms, signal) => {
    signal?.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  },
});

/** A store on a server, or on a proxy before it. */
export async function openOn(
  server: Pick<S3Server, "bucket" | "accessKeyId" | "secretAccessKey" | "region">,
  endpoint: string,
  options: S3StoreOptions & { readonly prefix?: string } = {},
): Promise<Store> {
  const { prefix = PREFIX, ...rest } = options;
  const url = `s3://${server.bucket}/${prefix}?endpoint=${endpoint}&region=${server.region}`;
  const destination = parseDestination(url);
  if (destination.kind !== "s3") throw new Error(`${url} is no destination`);
  const { accessKeyId, secretAccessKey } = server;
  return openS3Store(destination, {
    credentials: { accessKeyId, secretAccessKey },
    clock: impatient(),
    ...rest,
  });
}

/** A new, empty store on a server that goes with it. */
export function s3TestStore(start: () => Promise<S3Server>): () => Promise<TestStore> {
  return async () => {
    const server = await start();
    const { client, bucket: Bucket } = server;
    // Pages as small as that show that there are pages.
    const options = { pageSize: 3 };
    return {
      store: await openOn(server, server.endpoint, options),
      async interrupt(folder) {
        const where = { Bucket, Key: `${PREFIX}/${folder}/half` };
        const { UploadId } = await client.send(new CreateMultipartUploadCommand(where));
        await client.send(new UploadPartCommand({ ...where, UploadId, PartNumber: 1, Body: "half" }));
      },
      later: (ms) => openOn(server, server.endpoint, { ...options, clock: impatient(ms) }),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  };
}

/** The keys of uploads that are not complete, as the server itself tells. */
export async function pendingUploads({ client, bucket }: S3Server): Promise<string[]> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  return Uploads.map(({ Key = "" }) => Key);
}

/** Every key of the bucket, as the server itself tells. */
export async function allKeys({ client, bucket }: S3Server): Promise<string[]> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
  return Contents.map(({ Key = "" }) => Key);
}
