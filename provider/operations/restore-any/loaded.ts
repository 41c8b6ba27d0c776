import { Failure } from "../../core/errors";
import type { Counts } from "../../core/verification";
import type { RedisClient } from "../../redis/client";
import { type Info, keysByDatabase, numberIn } from "../../redis/info";

/**
 * Fails with `counts-differ` where a target has loaded something else than a scratch server counted. To be asked before
 * it is promoted: as a follower it drops nothing that has expired.
 */
export function requireCounted({ subject }: RedisClient, info: Info, counts: Counts | undefined): void {
  if (counts === undefined) return;
  const found = keysByDatabase(info);
  const expected = counts.databases ?? { all: counts };
  const total = Object.values(found).reduce((sum, keys) => sum + keys, 0);
  for (const [database, { keys }] of Object.entries(expected)) {
    const has = database === "all" ? total : (found[Number(database)] ?? 0);
    if (has !== keys)
      throw miscounted(
        subject,
        `${has} of ${keys} keys${database === "all" ? "" : ` in database ${database}`}`,
      );
  }
  if (total !== counts.keys) throw miscounted(subject, `${total} keys instead of ${counts.keys}`);
  const libraries = numberIn(info, "number_of_libraries");
  if (libraries !== undefined && counts.functions !== undefined && libraries !== counts.functions)
    throw miscounted(subject, `${libraries} of ${counts.functions} libraries of functions`);
}

function miscounted(subject: string, found: string): Failure {
  return new Failure({
    code: "counts-differ",
    operation: "restore into",
    subject,
    cause: `it has loaded ${found}`,
    hint: "See its log, and whether somebody else writes to it",
  });
}

/** What a restart would lose. One that loads without writing the snapshot down keeps, without an AOF, its old file until it next saves. */
export async function durabilityWarnings(client: RedisClient): Promise<string[]> {
  if (numberIn(await client.info(), "aof_enabled") === 1) return [];
  const setting = async (name: string) => (await client.config(name)).get(name) ?? "";
  if ((await setting("save")) === "")
    return ["it writes nothing to its disk (no AOF, no save points): a restart of it loses the data"];
  if ((await setting("repl-diskless-load")) === "disabled") return [];
  return [
    "it has loaded the data without writing them to its disk (repl-diskless-load): until it next saves (BGSAVE) a restart brings older data back",
  ];
}
