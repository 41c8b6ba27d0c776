import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import type { AddonRecord } from "../../../core/facets";
import { followed, type Followed } from "../../../core/followed";
import type { LeaderAddress } from "../../../core/render";
import { armedLinkPath, readArmedLink, type ArmedLink } from "../../../platforms/local/armed-link-note";
import type { HomeLayout } from "../../../platforms/local/home";
import { writeDurably } from "../../../system/files";
import { Queues } from "../../queue";

/** A user that no leader has: whatever the password, nobody is let in as such, not even where no password is wanted. */
const ARMED_USER = "redis-addon-armed-link";

type Credentials = Pick<LeaderAddress, "username" | "password">;
type Other = Extract<Followed, { kind: "external" }>;

/** Changes of one note stand in a queue: what was forgotten must not be written again by who has read it before. */
const queues = new Queues();

export function armedCredentials({ password }: Pick<ArmedLink, "password">): Credentials {
  return { username: ARMED_USER, password };
}

/**
 * What an add-on's server is to log in with at its leader: the true credentials, or ones that can't work where it was in
 * sync with a leader elsewhere. A note of another leader than the record's is removed.
 */
export async function credentialsFor(
  layout: HomeLayout,
  record: AddonRecord,
  leader: LeaderAddress | undefined,
): Promise<Credentials> {
  const plain = { username: leader?.username, password: leader?.password ?? "" };
  // It goes on to follow where the removal fails.
  if (record.removing !== undefined) return plain;
  const target = followed(record);
  const note = target?.kind === "external" ? await armedLinkTo(layout, record.name, target) : undefined;
  if (note !== undefined) return armedCredentials(note);
  await forgetArmedLink(layout, record.name);
  return plain;
}

/** The note, if it is of the leader that the record names. */
export async function armedLinkTo(
  layout: HomeLayout,
  name: string,
  target: Other,
): Promise<ArmedLink | undefined> {
  const files = layout.addon(name);
  // One that is damaged says at least that there was a leader to be in sync with.
  const note = await readArmedLink(files).catch(() => noteArmedLink(layout, name, target));
  return note?.leader.host === target.host && note.leader.port === target.port ? note : undefined;
}

export async function noteArmedLink(
  layout: HomeLayout,
  name: string,
  { host, port }: Other,
): Promise<ArmedLink> {
  const note: ArmedLink = { leader: { host, port }, password: randomBytes(24).toString("base64url") };
  await change(layout, name, () => note);
  return note;
}

/** Why the leader's data aren't taken; absent: nothing is known against them. */
export function noteMistrust(layout: HomeLayout, name: string, why: string | undefined): Promise<void> {
  return change(layout, name, (note) => {
    if (note === undefined) return undefined;
    const { why: _, ...rest } = note;
    return why === undefined ? rest : { ...rest, why };
  });
}

/**
 * Lets an add-on's server follow its leader again whatever that one holds: its next placing gives it the true
 * credentials. None is success.
 */
export function forgetArmedLink(layout: HomeLayout, name: string): Promise<void> {
  return change(layout, name, () => undefined);
}

function change(
  layout: HomeLayout,
  name: string,
  to: (note: ArmedLink | undefined) => ArmedLink | undefined,
): Promise<void> {
  const files = layout.addon(name);
  const path = armedLinkPath(files);
  return queues.add(path, async () => {
    const before = await readArmedLink(files).catch(() => undefined);
    const after = to(before);
    if (after === undefined) await rm(path, { force: true });
    else if (!isDeepStrictEqual(before, after)) await writeDurably(path, JSON.stringify(after), 0o600);
  });
}
