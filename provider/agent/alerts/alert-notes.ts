import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type BackupAlert, BackupAlertSchema, ToldSchema } from "../../core/backup-alerts";
import type { AddonRecord } from "../../core/facets";
import type { HomeLayout } from "../../platforms/local/home";
import { writeDurably } from "../../system/files";
import { log } from "../log";
import { Queue } from "../queue";

const AlertNoteSchema = z.object({
  told: ToldSchema,
  /** Whom it was told, as a digest; absent: the log alone. */
  receiver: z.string().exactOptional(),
  /** What has not arrived there yet, oldest first. */
  undelivered: z.array(BackupAlertSchema),
});
export type AlertNote = z.infer<typeof AlertNoteSchema>;

/** Whose backups they are about. */
type Told = Pick<AddonRecord, "name" | "createdAt">;

const NOTHING_TOLD: AlertNote = { told: {}, undelivered: [] };

/**
 * What was told of the add-ons' backups. It lies beside each add-on, so that the next agent repeats nothing; what can't
 * be written down holds for this agent's life: a full disk is what alerts are about, and no reason to repeat them.
 */
export class AlertNotes {
  readonly #known = new Map<string, { readonly createdAt: string; note: AlertNote }>();
  /** Each writes what is noted by then. */
  readonly #writing = new Queue();

  constructor(readonly layout: HomeLayout) {}

  /**
   * What is noted becomes `change` of it, durably. An add-on of the same name that was made anew has been told nothing.
   */
  async change({ name, createdAt }: Told, change: (present: AlertNote) => AlertNote): Promise<void> {
    if (this.#known.get(name)?.createdAt !== createdAt)
      this.#known.set(name, { createdAt, note: await this.#read(name) });
    const known = this.#known.get(name);
    if (known === undefined) return;
    const changed = change(known.note);
    if (JSON.stringify(changed) === JSON.stringify(known.note)) return;
    known.note = changed;
    await this.#writing.add(() => this.#write(name, known.note));
  }

  /** The oldest alert of an add-on that has not arrived at that receiver; absent: there is none. */
  next({ name, createdAt }: Told, receiver: string): BackupAlert | undefined {
    const known = this.#known.get(name);
    const isIts = known?.createdAt === createdAt && known.note.receiver === receiver;
    return isIts ? known.note.undelivered[0] : undefined;
  }

  async #read(name: string): Promise<AlertNote> {
    const text = await readFile(this.#path(name), "utf8").catch(() => "");
    try {
      return AlertNoteSchema.parse(JSON.parse(text));
    } catch {
      // Absent, or cut off by a full disk.
      return NOTHING_TOLD;
    }
  }

  async #write(name: string, note: AlertNote): Promise<void> {
    await writeDurably(this.#path(name), JSON.stringify(note), 0o600).catch(
      (error: NodeJS.ErrnoException) => {
        // The add-on may have been removed meanwhile.
        if (error.code !== "ENOENT")
          log(`${name}: what was told of its backups can't be noted: ${String(error)}`);
      },
    );
  }

  #path(name: string): string {
    return join(this.layout.addon(name).root, "alerts.json");
  }
}

/** Tells one receiver from another without what its URL holds. */
export function receiverOf(webhook: string): string {
  return createHash("sha256").update(webhook).digest("hex");
}
