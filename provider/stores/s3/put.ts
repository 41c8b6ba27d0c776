import { randomBytes } from "node:crypto";
import type { Readable } from "node:stream";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { PutOptions } from "../contract";
import { expectStored } from "./answers";
import { commit, type Commit, type Decide, TOKEN, withGrace } from "./commit";
import type { ConditionalWrites } from "./conditional";
import { beginUpload, type MultipartUpload, type Target } from "./multipart";
import { inParts, partMemory } from "./parts";
import { locate, type Session } from "./session";

/** By one request what fits into one part, the rest in parts. Nothing is visible before the last request of either. */
export async function put(
  session: Session,
  conditional: (signal: AbortSignal) => Promise<ConditionalWrites>,
  key: string,
  source: Readable,
  { ifAbsent = false, estimateBytes, signal }: PutOptions,
): Promise<{ sizeBytes: number }> {
  const about = { operation: "write", subject: `${session.url}/${key}`, action: "s3:PutObject" };
  const token = randomBytes(16).toString("hex");
  const target = { ...locate(session, key), Metadata: { [TOKEN]: token } };
  // Whatever fails first ends the rest: the parts under way, and the wait for a source's next bytes.
  const failing = new AbortController();
  const stop = AbortSignal.any([signal, failing.signal]);
  stop.addEventListener("abort", () => void source.destroy(), { once: true });
  // It may fail while nobody reads yet; whoever reads it then is told.
  source.on("error", () => undefined);
  const memory = partMemory(estimateBytes, stop);
  let upload: MultipartUpload | undefined;
  try {
    signal.throwIfAborted();
    const how: Commit = { key, about, token, ifAbsent: ifAbsent ? await conditional(signal) : undefined };
    let sizeBytes = 0;
    for await (const { partNumber, bytes, isLast } of inParts(source, (number) => memory.take(number))) {
      sizeBytes += bytes.length;
      if (partNumber === 1 && isLast) {
        await commit(session, how, wholeObject(session, target, how, bytes), signal);
        return { sizeBytes };
      }
      // What is still on its way when the upload is given up would come after that, and stay.
      const begun = (upload ??= await withGrace(session.clock, stop, (late) =>
        beginUpload(session, target, about, late),
      ));
      stop.throwIfAborted();
      const sent = withGrace(session.clock, stop, (late) => begun.add(partNumber, bytes, late));
      memory.busy(
        partNumber,
        sent.catch((error: unknown) => failing.abort(error)),
      );
    }
    await memory.idle();
    stop.throwIfAborted();
    const whole = upload;
    await commit(session, how, async (condition, late) => whole?.complete(condition, late), signal);
    return { sizeBytes };
  } catch (error) {
    failing.abort(error);
    source.destroy();
    await memory.idle();
    await upload?.abandon();
    signal.throwIfAborted();
    throw failing.signal.reason;
  }
}

function wholeObject({ send, clients }: Session, target: Target, { about }: Commit, Body: Buffer): Decide {
  return async (condition, signal) => {
    const ContentLength = Body.length;
    const command = () => new PutObjectCommand({ ...target, ...condition, Body, ContentLength });
    await send(about, async (options) => expectStored(await clients.usual.send(command(), options)), signal);
  };
}
