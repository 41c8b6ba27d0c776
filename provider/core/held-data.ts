import { Failure } from "./errors";

/** What a server holds that a leader's snapshot would replace. */
export interface HeldData {
  /** Of all databases. */
  readonly keys: number;
  /** Libraries of functions: a snapshot replaces them as well. */
  readonly libraries: number;
}

export function holdsAnything({ keys, libraries }: HeldData): boolean {
  return keys > 0 || libraries > 0;
}

/** `3 keys`, `1 key and 2 libraries of functions`. */
export function heldWords({ keys, libraries }: HeldData): string {
  const words = [
    ...(keys > 0 || libraries === 0 ? [`${keys} ${keys === 1 ? "key" : "keys"}`] : []),
    ...(libraries > 0 ? [`${libraries} ${libraries === 1 ? "library" : "libraries"} of functions`] : []),
  ];
  return words.join(" and ");
}

const REMEDY =
  "To have them replaced, set `replaceData: true`: a verified backup of them is taken first. Or use an empty add-on";

/** Why it can't follow as it is, and what to do. `follows`: whether it follows somebody now. */
export function wouldLose(
  subject: string,
  held: HeldData,
  follows: boolean,
): { readonly cause: string; readonly hint: string } {
  const whose = follows ? "from the leader it follows now" : "of its own";
  return {
    cause: `${subject} holds ${heldWords(held)} ${whose}, which the new leader's data would replace`,
    hint: REMEDY,
  };
}

export function holdsData(name: string, held: HeldData, follows: boolean): Failure {
  const why = wouldLose("it", held, follows);
  return new Failure({ code: "holds-data", operation: "follow with", subject: name, ...why });
}
