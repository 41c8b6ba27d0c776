import { randomBytes } from "node:crypto";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { expectStored } from "./answers";
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
  const write = async (condition: { readonly IfNoneMatch?: string }) =>
    send(
      about,
      async (options) =>
        expectStored(
          await clients.usual.send(new PutObjectCommand({ ...where, ...condition, Body: "probe" }), options),
        ),
      signal,
    );
  try {
    await write({});
  } catch (error) {
    // Whoever may write below a folder alone can still keep backups there.
    if (hasCode(error, "forbidden")) return "doubtful";
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
    // What can't be removed now is swept later.
    await send(
      { ...about, operation: "remove", action: "s3:DeleteObject" },
      (options) => clients.usual.send(new DeleteObjectCommand(where), options),
      AbortSignal.timeout(CLEAN_UP_MS),
    ).catch(() => undefined);
  }
}
