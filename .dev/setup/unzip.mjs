// Jars and Python wheels are zip files. Reading them here spares a dependency on unzip, python3 or jar, of
// which a machine may have none. Enough of the format for archives of package registries: no encryption, no
// zip64, no links.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { inflateRawSync } from "node:zlib";

/**
 * Writes the files that `rename` gives a path for.
 * @param {string} archive @param {string} folder
 * @param {(name: string) => string | undefined} rename from a name in the archive to a path below `folder`
 * @returns {number} how many files were written
 */
export function unzip(archive, folder, rename) {
  const zip = readFileSync(archive);
  // The directory stands at the end; its record ends with a comment of at most 64 KiB.
  const end = zip.lastIndexOf("PK\x05\x06", undefined, "latin1");
  if (end < 0) throw new Error(`${archive} is not a whole zip file`);
  let written = 0;
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const entry = readEntry(zip, at);
    at = entry.next;
    const path = entry.name.endsWith("/") ? undefined : rename(entry.name);
    if (!path) continue;
    if (path.startsWith("/") || path.split("/").includes(".."))
      throw new Error(`${archive} holds ${entry.name}`);
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, contents(zip, entry));
    // Unix modes stand in the upper half of the external attributes; 0 where the archive was made elsewhere.
    if (entry.mode & 0o111) chmodSync(file, 0o755);
    written++;
  }
  return written;
}

function readEntry(zip, at) {
  const nameEnd = at + 46 + zip.readUInt16LE(at + 28);
  return {
    method: zip.readUInt16LE(at + 10),
    size: zip.readUInt32LE(at + 20),
    mode: zip.readUInt16LE(at + 40),
    offset: zip.readUInt32LE(at + 42),
    name: zip.toString("utf8", at + 46, nameEnd),
    next: nameEnd + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32),
  };
}

function contents(zip, { offset, size, method }) {
  const start = offset + 30 + zip.readUInt16LE(offset + 26) + zip.readUInt16LE(offset + 28);
  const packed = zip.subarray(start, start + size);
  return method === 0 ? packed : inflateRawSync(packed);
}
