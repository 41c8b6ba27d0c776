import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../core/errors";
import type { AddonLayout } from "../../platforms/local/home";
import { syncFolder } from "../../system/files";
import { exists, moveFolder } from "./folders";

/** What a data folder holds; of the rest, each is for a person that unpacks an archive by hand, or the same data again. */
const AOF_FOLDER = "appendonlydir";

/** Puts what was fetched beside the add-on's data, on the same disk and durably, as a data folder and nothing else. */
export async function stage(files: AddonLayout, name: string, fetched: string): Promise<void> {
  if (await exists(files.replaced))
    throw new Failure({
      code: "not-restored",
      operation: "restore",
      subject: name,
      cause: `what an earlier restore has replaced still lies in ${files.replaced}`,
      hint: "See in the agent's log why it can't be removed, or move it away",
    });
  const entries = await readdir(fetched);
  const aof = entries.includes(AOF_FOLDER) ? await readdir(join(fetched, AOF_FOLDER)) : [];
  if (!aof.some((file) => file.endsWith(".manifest")))
    throw new Failure({
      code: "not-restored",
      operation: "restore",
      subject: name,
      cause: "what was fetched is no data folder of a server",
      hint: "Nothing was replaced; choose another backup",
    });
  for (const entry of entries)
    if (entry !== AOF_FOLDER) await rm(join(fetched, entry), { recursive: true, force: true });
  await syncFolder(fetched);
  await rm(files.staged, { recursive: true, force: true });
  await moveFolder(fetched, files.staged);
}
