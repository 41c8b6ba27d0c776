import { Failure } from "../core/errors";
import type { Manifest } from "../core/manifest";
import { checkContents } from "./verify/check-contents";

/** A server that is started in the folder does what its redis.conf says, and others may write to the store. */
export async function requireKnown(folder: string, manifest: Manifest): Promise<void> {
  const contents = await checkContents(folder, manifest);
  if (contents.kind === "as-told") return;
  throw new Failure({
    code: contents.kind === "damaged" ? "archive-damaged" : "archive-unknown",
    operation: "extract",
    subject: manifest.archive.name,
    cause: contents.why,
    hint: "Where you trust whoever wrote it, fetch the archive without extracting it and use tar",
  });
}
