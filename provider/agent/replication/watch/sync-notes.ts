import { rm } from "node:fs/promises";
import { leaderKey, readSyncNote, syncNotePath, type SyncNote } from "../../../platforms/local/sync-note";
import type { HomeLayout } from "../../../platforms/local/home";
import type { AddonRecord } from "../../../core/facets";
import type { Clock, Task } from "../../../core/task";
import { numberIn, type Info } from "../../../redis/info";
import { classifySync } from "../../../redis/sync-status";
import { writeDurably } from "../../../system/files";
import { heldConnections } from "../../connections/held-connections";
import type { SeenFollower } from "./follower-watch";
import { leadingAddon } from "../leader/leader-of";

/** A link that is made again within this time was never lost, as far as a note tells. */
const PATIENCE_MS = 2_000;

/** What is known of one follower. */
interface Known {
  /** Of the add-on: one made anew under its name has no notes. */
  readonly createdAt: string;
  readonly leader: string;
  note: SyncNote | undefined;
  /** When it was last seen in sync; absent: not by this agent. */
  syncedAt?: number;
  /** Of its server's life, when its link came up. */
  errors?: { readonly run: string | undefined; readonly before: number | undefined };
}

/** Writes down when followers come into sync and fall out of it. */
export class SyncNotes {
  readonly #known = new Map<string, Known>();
  /** Those that are known to have no note. */
  readonly #leading = new Set<string>();

  constructor(readonly layout: HomeLayout) {}

  async look({ record, info }: SeenFollower, task: Task): Promise<void> {
    const { layout } = this;
    const known = await this.#of(record);
    if (known === undefined) return;
    const isUp = info.get("master_link_status") === "up";
    const run = info.get("run_id");
    const before = numberIn(info, "unexpected_error_replies");
    const ofThisLink = isUp && known.errors?.run === run ? known.errors : undefined;
    const errors = ofThisLink ?? { run, before };
    known.errors = errors;
    // Only who has a link is asked about: the leader's answer matters to its lag alone.
    const leader = isUp ? await leaderInfo(layout, record) : undefined;
    const { state } = classifySync({
      follower: info,
      leader,
      unexpectedErrorsBefore: errors.before,
    });
    if (state !== "synced") return this.#behind(record.name, known, task.clock);
    known.syncedAt = task.clock.now();
    if (known.note?.state !== "synced") await write(layout, record.name, known, "synced", known.syncedAt);
  }

  /** It can't be looked at: its server doesn't run, or doesn't answer. */
  async lost(name: string, clock: Clock): Promise<void> {
    const known = this.#known.get(name);
    if (known !== undefined) await this.#behind(name, known, clock);
  }

  /** It follows nobody: when it follows the same one again, it hasn't been in sync in between. */
  async leads(name: string): Promise<void> {
    if (this.#leading.has(name)) return;
    this.#known.delete(name);
    await rm(syncNotePath(this.layout.addon(name)), { force: true });
    this.#leading.add(name);
  }

  async #behind(name: string, known: Known, clock: Clock): Promise<void> {
    if (known.note?.state !== "synced") return;
    const until = (known.syncedAt ??= clock.now());
    // A clock that was set back must not keep it from being noted.
    if (Math.abs(clock.now() - until) >= PATIENCE_MS) await write(this.layout, name, known, "behind", until);
  }

  async #of(record: AddonRecord): Promise<Known | undefined> {
    const { name, createdAt } = record;
    const leader = leaderKey(record);
    if (leader === undefined) return undefined;
    this.#leading.delete(name);
    const present = this.#known.get(name);
    if (present?.leader === leader && present.createdAt === createdAt) return present;
    const known = { createdAt, leader, note: await readSyncNote(this.layout.addon(name), record) };
    this.#known.set(name, known);
    return known;
  }
}

async function write(
  layout: HomeLayout,
  name: string,
  known: Known,
  state: SyncNote["state"],
  at: number,
): Promise<void> {
  const note = { state, since: new Date(at).toISOString(), leader: known.leader };
  await writeDurably(syncNotePath(layout.addon(name)), JSON.stringify(note), 0o600);
  known.note = note;
}

/** Over the connection that is held to it, where it is an add-on of this data home. */
async function leaderInfo(layout: HomeLayout, record: AddonRecord): Promise<Info | undefined> {
  const leader = await leadingAddon(layout, record);
  const held = leader && heldConnections().get(leader.name);
  // One that can't answer now says nothing about the link that its follower has.
  return held?.client.info().catch(() => undefined);
}
