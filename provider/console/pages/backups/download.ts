import { type ArchiveStream, streamArchive } from "../../../operations/backup-download";
import { placeOf } from "../../../operations/backup-place";
import { log } from "../../../system/log";
import { taskOf } from "../../request-task";
import { patiently } from "./patiently";
import type { BackupRequest } from "./request";

/**
 * Streams a backup's archive. The browser is told its length, and gets the last bytes only once all of them are what was
 * written: otherwise the connection ends before, and the download fails. Who goes away ends it.
 */
export async function download({ c, context, name, slot }: BackupRequest): Promise<Response> {
  const place = await placeOf({ kind: "addon", platform: context.platform, name });
  const task = taskOf(c, context);
  const about = { operation: "download", subject: `backup ${slot} of ${name}` };
  const ended = new AbortController();
  const streaming = { ...task, signal: AbortSignal.any([task.signal, ended.signal]) };
  // Who asks about it only is sent nothing of it.
  if (c.req.raw.method === "HEAD") {
    const stream = await patiently(task, about, () => streamArchive(place, slot, streaming));
    return c.body(null, 200, headersOf(stream));
  }
  // What is known to fail before the first byte is told as a page.
  const opened = await patiently(task, about, async () => {
    const stream = await streamArchive(place, slot, streaming);
    const chunks = stream.bytes[Symbol.asyncIterator]();
    // Who waits for the next bytes is told by the signal; while nobody does, this alone lets go of the archive.
    const letGo = () => void chunks.return?.().catch(() => undefined);
    streaming.signal.addEventListener("abort", letGo, { once: true });
    return { stream, chunks, first: await chunks.next() };
  }).catch((error: unknown) => {
    ended.abort(error);
    throw error;
  });
  log(`${name}: backup ${slot} is downloaded from the console`);
  const { stream, chunks } = opened;
  let first: typeof opened.first | undefined = opened.first;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = first ?? (await chunks.next());
        first = undefined;
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => ended.abort(new Error("the client went away")),
    },
    { highWaterMark: 0 },
  );
  return c.body(body, 200, headersOf(stream));
}

function headersOf({ fileName, sizeBytes }: ArchiveStream): Record<string, string> {
  return {
    "content-type": "application/octet-stream",
    "content-length": String(sizeBytes),
    // Its names are letters, digits, dots and hyphens.
    "content-disposition": `attachment; filename="${fileName}"`,
    "cache-control": "no-store",
  };
}
