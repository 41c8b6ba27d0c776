import { randomBytes } from "node:crypto";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { expectStored } from "./answers";
import { withGrace } from "./commit";
import { hasCode, locate, type Session } from "./session";

/**
 * What a store does with `If-None-Match: *`: it keeps to it, passes over it (or doesn't let us find out), or refuses
 * any request that has it.
 */
export type ConditionalWrites = "kept" | "doubtful" | "refused";

/** Objects of this name are put to find out what the store does; no key of the contract can have it. */
export const PROBE_PREFIX = "redis-addon-probe-";

const CLEAN_UP_MS = 30_000;

/** Found out at the first call, by putting an object twice; the answer is remembered. */
export function conditionalWrites(session: Session): (signal: AbortSignal) => Promise<ConditionalWrites> {
  let known: ConditionalWrites | undefined;
  return async (signal) => (known ??= await probe(session, signal));
}

async function probe(session: Session, signal: AbortSignal): Promise<ConditionalWrites> {
  const { send, clients, url } = session;
  const name = PROBE_PREFIX + randomBytes(8).toString("hex");
  const where = locate(session, name);
  const about = { operation: "write", subject: `${url}/${name}`, action: "s3:PutObject" };
  const write = async (condition: { readonly IfNoneMatch?: string }) => {
    signal.throwIfAborted();
    const request = async (options: { readonly abortSignal: AbortSignal }) =>
      expectStored(
        await clients.usual.send(new PutObjectCommand({ ...where, ...condition, Body: "probe" }), options),
      );
    // What is still on its way when it is removed would come after that, and stay.
    await withGrace(session.clock, signal, (late) => send(about, request, late));
  };
  // What can't be removed now is swept later.
  const remove = async () =>
    send(
      { ...about, operation: "remove", action: "s3:DeleteObject" },
      (options) => clients.usual.send(new DeleteObjectCommand(where), options),
      AbortSignal.timeout(CLEAN_UP_MS),
    ).catch(() => undefined);
  try {
    await write({});
  } catch (error) {
    // Whoever may write below a folder alone can still keep backups there.
    if (hasCode(error, "forbidden")) return "doubtful";
    // It may lie there none the less: its answer was lost.
    await remove();
    throw error;
  }
  try {
    await write({ IfNoneMatch: "*" });
    return "doubtful";
  } catch (error) {
    if (hasCode(error, "already-exists")) return "kept";
    if (hasCode(error, "not-supported")) return "refused";
    throw error;
  } finally {
    await remove();
  }
}
