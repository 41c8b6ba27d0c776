/** How much there is room for at first; it doubles as often as that does not do. */
const FIRST_ROWS = 64;
const FIRST_BYTES = 2048;

/** What is known of one object of a catalog but the slot that it belongs to. */
interface Row {
  /** What follows the slot in its name, of ASCII characters. */
  readonly ending: string;
  readonly sizeBytes: number;
  /** Milliseconds since the Unix epoch. */
  readonly modifiedAt: number;
}

/** Objects of one catalog, each known by its row: those that were added are counted from 0. */
export interface ObjectTable {
  /** An ending that `isCommon` is kept once for all objects that have it. */
  add(slot: number, row: Row, isCommon: boolean): void;
  slotOf(row: number): number;
  endingOf(row: number): string;
  /** Undefined where it is not common: told faster than that one is spelt. */
  commonEndingOf(row: number): string | undefined;
  sizeOf(row: number): number;
  modifiedAt(row: number): number;
  /** All rows by their slots; those of one slot in the order in which they were added. */
  bySlot(): Uint32Array;
}

/**
 * Keeps objects in columns of numbers, 28 bytes each and the characters of an ending of its own: as objects of JavaScript
 * they would take a few hundred each, which whoever collects garbage looks at over and over.
 */
export function objectTable(): ObjectTable {
  let slots = new Float64Array(FIRST_ROWS);
  let sizes = new Float64Array(FIRST_ROWS);
  let times = new Float64Array(FIRST_ROWS);
  /** Of a common ending -1 less its place among them; of another where its characters begin, which a 0 ends. */
  let endings = new Int32Array(FIRST_ROWS);
  let characters = Buffer.alloc(FIRST_BYTES);
  let usedBytes = 0;
  let count = 0;
  let isSorted = true;
  const common: string[] = [];

  const makeRoom = () => {
    slots = withRoom(slots, new Float64Array(2 * count));
    sizes = withRoom(sizes, new Float64Array(2 * count));
    times = withRoom(times, new Float64Array(2 * count));
    endings = withRoom(endings, new Int32Array(2 * count));
  };
  const placeOfCommon = (ending: string): number => {
    const known = common.indexOf(ending);
    return -1 - (known >= 0 ? known : common.push(ending) - 1);
  };
  const placeOfOwn = (ending: string): number => {
    while (usedBytes + ending.length >= characters.length)
      characters = withRoom(characters, Buffer.alloc(2 * characters.length));
    const place = usedBytes;
    usedBytes += characters.write(ending, place, "latin1") + 1;
    return place;
  };

  const commonEndingOf = (row: number) => {
    const place = endings[row] ?? 0;
    return place < 0 ? common[-1 - place] : undefined;
  };
  return {
    add(slot, { ending, sizeBytes, modifiedAt }, isCommon) {
      if (count === slots.length) makeRoom();
      isSorted &&= count === 0 || slot >= (slots[count - 1] ?? slot);
      slots[count] = slot;
      sizes[count] = sizeBytes;
      times[count] = modifiedAt;
      endings[count] = isCommon ? placeOfCommon(ending) : placeOfOwn(ending);
      count++;
    },
    slotOf: (row) => slots[row] ?? NaN,
    sizeOf: (row) => sizes[row] ?? NaN,
    modifiedAt: (row) => times[row] ?? NaN,
    commonEndingOf,
    endingOf(row) {
      const place = endings[row] ?? 0;
      return commonEndingOf(row) ?? characters.toString("latin1", place, characters.indexOf(0, place));
    },
    bySlot() {
      const rows = Uint32Array.from({ length: count }, (_, row) => row);
      return isSorted ? rows : rows.sort((a, b) => (slots[a] ?? 0) - (slots[b] ?? 0));
    },
  };
}

function withRoom<Column extends Float64Array | Int32Array | Buffer>(from: Column, into: Column): Column {
  into.set(from);
  return into;
}
