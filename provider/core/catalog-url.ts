import { parseDestination } from "./destination";
import { s3Url } from "./s3-destination";

/** Where the backups of one add-on lie: a URL without credentials, and without what says where a store answers. */
export function catalogUrl(destination: string, catalogKey: string): string {
  const parsed = parseDestination(destination);
  const base = parsed.kind === "s3" ? s3Url(parsed) : destination.replace(/\/$/, "");
  return `${base}/${catalogKey}`;
}
