import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { PROBE_PREFIX } from "./conditional";
import { listAll } from "./list";
import { type Session, timeOfStore } from "./session";
import { DEAD_AFTER_MS, noneIfRefused, sweepUploads } from "./sweep-uploads";

/** Uploads that nobody will complete, and what finding out about conditional writes may have left. */
export async function sweep(session: Session, folder: string, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted();
  const uploads = await sweepUploads(session, `${folder}/`, signal);
  return uploads + (await sweepProbes(session, signal).catch(noneIfRefused));
}

/** Others' objects, and an add-on's folder, may begin alike. */
const PROBE = new RegExp(`^${PROBE_PREFIX}[0-9a-f]{16}$`);

async function sweepProbes(session: Session, signal: AbortSignal): Promise<number> {
  const { send, clients, destination, root, url } = session;
  let removed = 0;
  for await (const { key, modifiedAt } of listAll(session, PROBE_PREFIX, signal)) {
    if (!PROBE.test(key) || timeOfStore(session) - modifiedAt <= DEAD_AFTER_MS) continue;
    const about = { operation: "remove", subject: `${url}/${key}`, action: "s3:DeleteObject" };
    const where = { Bucket: destination.bucket, Key: root + key };
    await send(about, (options) => clients.usual.send(new DeleteObjectCommand(where), options), signal);
    removed++;
  }
  return removed;
}
