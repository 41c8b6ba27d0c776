import type { AddonRecord } from "./facets";
import { followed } from "./followed";

/**
 * The add-ons in the order in which each would follow the next, were `name` to follow this leader; absent: no loop.
 * `load` reads the record of another one.
 */
export async function followingLoop(
  name: string,
  leader: AddonRecord,
  load: (name: string) => Promise<AddonRecord | undefined>,
): Promise<readonly string[] | undefined> {
  const chain = [name];
  let record: AddonRecord | undefined = leader;
  while (record !== undefined) {
    const isKnown = chain.includes(record.name);
    chain.push(record.name);
    // A loop that it isn't part of is another one's matter.
    if (isKnown) return record.name === name ? chain : undefined;
    const next = followed(record);
    record = next?.kind === "addon" ? await load(next.addon) : undefined;
  }
  return undefined;
}

/** What is wrong with such a loop, and what to do. */
export function loopWords(chain: readonly string[]): { readonly cause: string; readonly hint: string } {
  return {
    cause: `it would follow itself: ${chain.join(" follows ")}`,
    hint: "Name a leader that doesn't follow it",
  };
}
