import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { Hono } from "hono";
import { PACKAGE_ROOT } from "../system/package-root";

/** As they stand in the sources: no build touches them. */
const FOLDER = join(PACKAGE_ROOT, "provider", "console", "assets");

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};

interface Asset {
  readonly type: string;
  readonly etag: string;
  readonly content: Uint8Array<ArrayBuffer>;
}

/**
 * `/assets/*`: read once, so that no request names a file, and all of one build. A browser keeps them and asks each time
 * whether they are still the same: a new page never runs an old script.
 */
export async function assets(): Promise<Hono> {
  const known = await readAssets();
  return new Hono().get("/*", (c) => {
    const found = known.get(c.req.path);
    if (found === undefined) return c.notFound();
    const { type, etag, content } = found;
    c.header("Cache-Control", "no-cache");
    c.header("ETag", etag);
    if (namesOf(c.req.header("if-none-match")).includes(etag)) return c.body(null, 304);
    return c.body(content, 200, { "Content-Type": type });
  });
}

/** What a browser says it has. No pattern looks for the spaces: thousands of them would keep it busy for long. */
function namesOf(known = ""): string[] {
  return known.split(",").map((name) => name.trim());
}

/** By the path of their address. */
async function readAssets(): Promise<ReadonlyMap<string, Asset>> {
  const entries = await readdir(FOLDER, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && extname(entry.name) in TYPES);
  const read = files.map(async ({ parentPath, name }): Promise<[string, Asset]> => {
    const file = join(parentPath, name);
    const content = new Uint8Array(await readFile(file));
    const etag = `"${createHash("sha256").update(content).digest("base64url")}"`;
    const path = relative(FOLDER, file).split(sep).map(encodeURIComponent).join("/");
    return [`/assets/${path}`, { type: TYPES[extname(name)] ?? "", etag, content }];
  });
  return new Map(await Promise.all(read));
}
