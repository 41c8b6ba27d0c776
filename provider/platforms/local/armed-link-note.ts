import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { AddonLayout } from "./home";

const ArmedLinkSchema = z.object({
  /** A leader elsewhere that the add-on was in sync with. */
  leader: z.object({ host: z.string(), port: z.number().int() }),
  /** Not the leader's. */
  password: z.string(),
  /** Why its data aren't taken, where they were looked at and are not what they were. */
  why: z.string().exactOptional(),
});
/** That a follower's server has credentials which let it into no leader, so that nothing is followed without a look. */
export type ArmedLink = z.infer<typeof ArmedLinkSchema>;

/** Absent where there is none. One that can't be read is an error: without it a leader would be followed unseen. */
export async function readArmedLink(files: AddonLayout): Promise<ArmedLink | undefined> {
  const text = await readFile(armedLinkPath(files), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  });
  return text === undefined ? undefined : ArmedLinkSchema.parse(JSON.parse(text));
}

/** Written by the agent alone. */
export function armedLinkPath(files: AddonLayout): string {
  return join(files.root, "armed-link.json");
}
