import { Failure } from "../../core/errors";
import { Secret } from "../../core/secret";
import type { RedisClient } from "../client";

/** Where and as whom a server finds the leader that we are for it. */
interface Lead {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: Secret;
}

/** How a server followed leaders before we were one, which it is given back. */
export interface Before {
  readonly masteruser: string;
  readonly masterauth: Secret;
  readonly readOnly: string | undefined;
}

/** What a person runs on a server that still follows us, once we are gone. */
export const LET_GO = 'REPLICAOF NO ONE, then CONFIG SET masteruser "" and CONFIG SET masterauth ""';

const READ_ONLY = "replica-read-only";

export async function rememberBefore(client: RedisClient): Promise<Before> {
  const value = async (name: string) => (await client.config(name)).get(name);
  return {
    masteruser: (await value("masteruser")) ?? "",
    masterauth: new Secret((await value("masterauth")) ?? ""),
    readOnly: await value(READ_ONLY),
  };
}

/**
 * Has a server follow us. From the answer on it refuses its users' writes, and until our snapshot has arrived it keeps
 * what it has. The credentials come first: it must not tell us, or whoever comes after us, those of another leader.
 */
export async function leadIt(client: RedisClient, { host, port, username, password }: Lead): Promise<void> {
  await set(client, "masteruser", username);
  await set(client, "masterauth", password.reveal());
  // A write of a user between snapshot and promotion would be in no count.
  await set(client, READ_ONLY, "yes");
  await client.command("REPLICAOF", host, port);
}

/** Only for one that follows nobody any more. */
export async function putBack(client: RedisClient, before: Before): Promise<void> {
  await set(client, "masterauth", before.masterauth.reveal());
  await set(client, "masteruser", before.masteruser);
  if (before.readOnly !== undefined) await set(client, READ_ONLY, before.readOnly);
}

/** One by one: Redis 6.2 takes no list. */
async function set(client: RedisClient, name: string, value: string): Promise<void> {
  try {
    await client.command("CONFIG", "SET", name, value);
  } catch (error) {
    if (!(error instanceof Failure) || value === "" || !error.cause.includes(value)) throw error;
    // Redis 6.2 repeats a value that it refuses.
    throw new Failure({ ...error.report(), cause: `it refuses to set ${name}` });
  }
}
