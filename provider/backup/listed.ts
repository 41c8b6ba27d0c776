import { formatSlot } from "../core/slot";
import { outcomeOf, VERIFICATION_OUTCOMES, type VerificationOutcome } from "../core/verification";
import type { StoredObject } from "../stores/contract";
import type { ListedBackup } from "./catalog";
import { isHeld } from "./dead";
import type { ObjectTable } from "./object-table";

/** What one listing told, for all its backups. */
interface Listing {
  readonly catalogKey: string;
  readonly table: ObjectTable;
  /** Of the table, those of one slot side by side. */
  readonly rows: Uint32Array;
  readonly reachedAt: number;
}

const MANIFEST = ".json";
const PIN = ".pin";

/**
 * All objects of one slot. Whatever is asked is read from the listing's table at that moment: of hundreds of thousands of
 * backups most are asked for no more than their slot, their pin and their verification.
 */
export class Listed implements ListedBackup {
  readonly #listing: Listing;
  /** Of the listing's rows, `to` excluded. */
  readonly #from: number;
  readonly #to: number;

  constructor(listing: Listing, from: number, to: number) {
    this.#listing = listing;
    this.#from = from;
    this.#to = to;
  }

  get slot(): number {
    const { table, rows } = this.#listing;
    return table.slotOf(rows[this.#from] ?? 0);
  }

  get name(): string {
    return formatSlot(this.slot);
  }

  /** Whether it is a backup: one exists only once its manifest does. */
  get exists(): boolean {
    return this.#has((ending) => ending === MANIFEST);
  }

  get pinned(): boolean {
    return this.#has((ending) => ending === PIN);
  }

  get held(): boolean {
    return isHeld(this, this.#listing.reachedAt);
  }

  /** Only for the moment between two writes are there several; then the worst counts. */
  get verification(): VerificationOutcome | undefined {
    return VERIFICATION_OUTCOMES.findLast((outcome) => this.#has((ending) => outcomeOf(ending) === outcome));
  }

  get hasArchive(): boolean {
    const { table, rows } = this.#listing;
    for (let at = this.#from; at < this.#to; at++)
      if (table.commonEndingOf(rows[at] ?? 0) === undefined && !isOfHold(table.endingOf(rows[at] ?? 0)))
        return true;
    return false;
  }

  get archives(): readonly StoredObject[] {
    return this.#own((ending) => !isOfHold(ending));
  }

  get holds(): readonly StoredObject[] {
    return this.#own(isOfHold);
  }

  get endings(): readonly string[] {
    const { table, rows } = this.#listing;
    const endings: string[] = [];
    for (let at = this.#from; at < this.#to; at++) {
      const ending = table.commonEndingOf(rows[at] ?? 0);
      if (ending !== undefined) endings.push(ending);
    }
    return endings.sort();
  }

  get objects(): readonly StoredObject[] {
    const { table, rows } = this.#listing;
    return Array.from(rows.subarray(this.#from, this.#to), (row) => this.#object(row, table.endingOf(row)));
  }

  #has(isWanted: (commonEnding: string) => boolean): boolean {
    const { table, rows } = this.#listing;
    for (let at = this.#from; at < this.#to; at++) {
      const ending = table.commonEndingOf(rows[at] ?? 0);
      if (ending !== undefined && isWanted(ending)) return true;
    }
    return false;
  }

  /** Of those with an ending of their own. */
  #own(isWanted: (ending: string) => boolean): StoredObject[] {
    const { table, rows } = this.#listing;
    const found: StoredObject[] = [];
    for (let at = this.#from; at < this.#to; at++) {
      const row = rows[at] ?? 0;
      if (table.commonEndingOf(row) !== undefined) continue;
      const ending = table.endingOf(row);
      if (isWanted(ending)) found.push(this.#object(row, ending));
    }
    return found;
  }

  #object(row: number, ending: string): StoredObject {
    const { catalogKey, table } = this.#listing;
    const key = `${catalogKey}/${this.name}${ending}`;
    return { key, sizeBytes: table.sizeOf(row), modifiedAt: table.modifiedAt(row) };
  }
}

/** Those that have an ending of their own are archives and holds. */
function isOfHold(ending: string): boolean {
  return ending.startsWith(".");
}
