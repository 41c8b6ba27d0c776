import { streamArchive } from "../../../operations/backup-download";
import { placeOf } from "../../../operations/backup-place";
import { taskOf } from "../../request-task";
import { patiently } from "./patiently";
import type { BackupRequest } from "./request";

/**
 * Streams a backup's archive. The browser is told its length, and gets the last bytes only once all of them are what was
 * written: otherwise the connection ends before, and the download fails. Who goes away ends it.
 */
export async function download({ c, context, name, slot }: BackupRequest): Promise<Response> {
  const place = await placeOf({ kind: "addon", platform: context.platform, name });
  const ended = new AbortController();
  const task = taskOf(c, context);
  const streaming = { ...task, signal: AbortSignal.any([task.signal, ended.signal]) };
  const about = { operation: "download", subject: `backup ${slot} of ${name}` };
  // What is known to fail before the first byte is told as a page.
  const { fileName, sizeBytes, chunks, first } = await patiently(task, about, async () => {
    const stream = await streamArchive(place, slot, streaming);
    const chunks = stream.bytes[Symbol.asyncIterator]();
    return { ...stream, chunks, first: await chunks.next() };
  }).catch((error: unknown) => {
    ended.abort(error);
    throw error;
  });
  let pending: typeof first | undefined = first;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = pending ?? (await chunks.next());
        pending = undefined;
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => ended.abort(new Error("the client went away")),
    },
    { highWaterMark: 0 },
  );
  return c.body(body, 200, {
    "content-type": "application/octet-stream",
    "content-length": String(sizeBytes),
    // Its names are letters, digits, dots and hyphens.
    "content-disposition": `attachment; filename="${fileName}"`,
    "cache-control": "no-store",
  });
}
