import { parseDestination } from "./destination";
import { parseObjectName } from "./manifest";
import type { DestinationFault } from "./s3-destination";

/** One catalog of a store. */
interface CatalogPlace {
  readonly destination: string;
  readonly catalogKey: string;
}

/** What a URL that data shall be restored from leads to. */
export type RestorePlace =
  | ({ readonly kind: "catalog" } & CatalogPlace)
  | {
      readonly kind: "archive";
      /** Its name. */
      readonly file: string;
      /** Where a manifest would lie beside it; absent: no store keeps anything there. */
      readonly within?: CatalogPlace;
      /** Whose archive it is called like; absent: it is called otherwise. */
      readonly slot?: string;
    };

const ARCHIVE = /\.tar\.gz(?:\.age)?$/;
/** What some server has written, and no backup of this package. */
const SNAPSHOT = /\.rdb(?:\.gz)?$/i;
/** As a store takes it. */
const CATALOG_KEY = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
const FORMS =
  "Write that of a catalog, <destination>/<catalog>, such as file:///var/backups/redis/cache-1a2b3c4d, or of an archive, which ends in .tar.gz or .tar.gz.age";

/**
 * Reads the URL of a catalog (`<destination>/<catalog>`, the store's parameters behind it) or of an archive
 * (`….tar.gz`, `….tar.gz.age`), or says what is wrong with it in words that repeat no secret.
 */
export function parseRestoreUrl(url: string): RestorePlace | DestinationFault {
  const whole = parseDestination(url);
  if (whole.kind === "fault") return whole;
  const [, path = "", parameters = ""] = /^([^?#]*)(.*)$/s.exec(url) ?? [];
  const parts = /^([a-z0-9+.-]+:\/\/.*)\/([^/]+)\/*$/is.exec(path);
  if (parts === null) return fault("it names no catalog in its bucket");
  const [, parent = "", last = ""] = parts;
  if (SNAPSHOT.test(last))
    return {
      kind: "fault",
      cause: "it is that of an RDB file, which is no backup of this package",
      hint: "An add-on takes it by: redis-addon import-file <file> --into <add-on>",
    };
  if (!ARCHIVE.test(last)) return catalogIn(parent, last, parameters);
  const parsed = parseObjectName(last);
  const [, folder = "", key = ""] = /^(.*)\/([^/]+)$/s.exec(parent) ?? [];
  const within = catalogIn(folder, key, parameters);
  return {
    kind: "archive",
    file: whole.kind === "file" ? decodeURIComponent(last) : last,
    ...(within.kind === "fault"
      ? {}
      : { within: { destination: within.destination, catalogKey: within.catalogKey } }),
    ...(parsed?.kind === "archive" ? { slot: parsed.slot } : {}),
  };
}

function catalogIn(
  parent: string,
  last: string,
  parameters: string,
): ({ readonly kind: "catalog" } & CatalogPlace) | DestinationFault {
  const destination = `${parent}${parameters}`;
  const store = parseDestination(destination);
  if (store.kind === "fault" || !CATALOG_KEY.test(last)) return fault("it is that of no catalog");
  return { kind: "catalog", destination, catalogKey: last };
}

function fault(cause: string): DestinationFault {
  return { kind: "fault", cause, hint: FORMS };
}
