import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { generateHybridIdentity, generateIdentity, identityToRecipient } from "age-encryption";
import { describe, expect, test } from "vitest";
import { checkRecipients, encrypt } from "../../provider/backup/archive/encrypt";
import { decrypt } from "../../provider/backup/archive/decrypt";
import { readArchive } from "../../provider/backup/archive/read";
import type { DecryptionKey, Encryption } from "../../provider/core/encryption";
import { ageKeygenOf, describeWith, findTool } from "../support/tools";
import { until } from "../support/redis-server";
import { codeOf, manifestOf, never, pieces, readable, writtenArchive } from "./archive-support";
import { temporaryFolder } from "./backup-support";

const run = promisify(execFile);
const CHUNK_BYTES = 64 * 1024;
/** Around the borders of the format's chunks. */
const SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 5 * CHUNK_BYTES, 1_500_000];

async function all(bytes: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function encrypted(content: Buffer, encryption: Encryption) {
  const { bytes, key } = await encrypt(pieces(content), encryption);
  return { bytes: await all(bytes), key };
}

async function keys() {
  const identity = await generateIdentity();
  return { identity, recipient: await identityToRecipient(identity) };
}

const age = findTool("age");

describeWith([age], "the stock age", () => {
  test("opens with a recipient's identity what was encrypted here, and we what it encrypted", async () => {
    await using folder = await temporaryFolder();
    const [identityFile, file] = [join(folder.path, "identity"), join(folder.path, "file")];
    await run(ageKeygenOf(age), ["-o", identityFile]);
    const recipient = (await run(ageKeygenOf(age), ["-y", identityFile])).stdout.trim();
    const identity = (await readFile(identityFile, "utf8")).split("\n")[2] ?? "";
    for (const size of SIZES) {
      const content = randomBytes(size);
      const other = await keys();
      const ours = await encrypted(content, { recipients: [other.recipient, recipient] });
      await writeFile(file, ours.bytes);
      const opened = await run(age.path, ["-d", "-i", identityFile, file], {
        encoding: "buffer",
        maxBuffer: 1e8,
      });
      expect([size, opened.stdout.equals(content)]).toEqual([size, true]);

      await writeFile(`${file}.plain`, content);
      await run(age.path, ["-r", recipient, "-o", `${file}.theirs`, `${file}.plain`]);
      const theirs = await readFile(`${file}.theirs`);
      expect((await all(decrypt(pieces(theirs), { identities: [identity] }, "x"))).equals(content)).toBe(
        true,
      );
    }
  });

  test("opens with the passphrase what was encrypted here, and we what it encrypted", async () => {
    await using folder = await temporaryFolder();
    const [file, opened, theirs] = ["file", "opened", "theirs"].map((name) => join(folder.path, name)) as [
      string,
      string,
      string,
    ];
    const content = randomBytes(200_000);
    const passphrase = "correct horse battery staple";
    await writeFile(file, (await encrypted(content, { passphrase })).bytes);
    await onTerminal(passphrase, [age.path, "-d", "-o", opened, file]);
    expect((await readFile(opened)).equals(content)).toBe(true);
    await onTerminal(passphrase, [age.path, "-p", "-o", theirs, opened]);
    expect((await all(decrypt(pieces(await readFile(theirs)), { passphrase }, "x"))).equals(content)).toBe(
      true,
    );
  });
});

describe("an encrypted archive", () => {
  const dump = randomBytes(100_000);

  test("is opened by each recipient and by the key that the writer returns, and by no other", async () => {
    const [one, two, stranger] = [await keys(), await keys(), await keys()];
    const written = await writtenArchive(dump, { recipients: [one.recipient, two.recipient] });
    const { stored, manifest, opener } = written;
    const read = (key?: DecryptionKey) => readArchive(readable(stored), { manifest, key }, never);
    expect(opener).not.toEqual({ identities: [one.identity] });
    expect(JSON.stringify(manifest)).not.toContain("AGE-SECRET-KEY");
    expect(stored.toString("latin1", 0, 22)).toBe("age-encryption.org/v1\n");
    await read(opener);
    await read({ identities: [one.identity] });
    await read({ identities: [stranger.identity, ` ${two.identity}\n`] });
    expect(await codeOf(read())).toBe("needs-key");
    expect(await codeOf(read({ identities: [stranger.identity] }))).toBe("wrong-key");
    expect(await codeOf(read({ passphrase: "guess" }))).toBe("wrong-key");
    const invalid = read({ identities: ["AGE-SECRET-KEY-1MINE"] });
    await expect(invalid).rejects.toMatchObject({ code: "wrong-key" });
    await expect(invalid).rejects.not.toThrow("1MINE");
  });

  test("to a passphrase is opened by that alone", async () => {
    const { stored, manifest, opener } = await writtenArchive(dump, { passphrase: "correct horse" });
    expect(opener).toEqual({ passphrase: "correct horse" });
    await readArchive(readable(stored), { manifest, key: opener }, never);
    const wrong = readArchive(readable(stored), { manifest, key: { passphrase: "wrong horse" } }, never);
    expect(await codeOf(wrong)).toBe("wrong-key");
  });

  test("to post-quantum recipients gets a key of the same strength for its verification", async () => {
    const identity = await generateHybridIdentity();
    const recipients = [await identityToRecipient(identity)];
    const { stored, manifest, opener } = await writtenArchive(dump, { recipients });
    expect(opener).toMatchObject({ identities: [expect.stringMatching(/^AGE-SECRET-KEY-PQ-1/)] });
    for (const key of [opener, { identities: [identity] }])
      await readArchive(readable(stored), { manifest, key }, never);
  });

  test("says in its README that its files are not encrypted any more", async () => {
    const { stored, manifest, opener } = await writtenArchive(dump, {
      recipients: [(await keys()).recipient],
    });
    await using folder = await temporaryFolder();
    await readArchive(readable(stored), { manifest, folder: folder.path, key: opener }, never);
    const readme = await readFile(join(folder.path, "README.txt"), "utf8");
    expect(readme).toContain(
      "The archive was encrypted, these files are not:\nkeep them as safe as the database.\n",
    );
    expect(readme).toContain("go into this folder FIRST");
  });

  test("that was cut or changed is never good, and never the key's fault", async () => {
    const {
      stored,
      manifest,
      opener: key,
    } = await writtenArchive(dump, { recipients: [(await keys()).recipient] });
    const code = (bytes: Buffer, of = manifest) =>
      codeOf(readArchive(readable(bytes), { manifest: of, key }, never));
    // All of the header, then samples.
    const header = stored.indexOf("\n---") + 60;
    const places = [...Array(header).keys(), ...Array.from({ length: 60 }, (_, i) => header + i * 1_601)];
    for (const at of places.filter((at) => at < stored.length)) {
      expect([at, await code(stored.subarray(0, at))]).toEqual([at, "archive-truncated"]);
      const flipped = Buffer.from(stored);
      flipped[at] = (flipped[at] ?? 0) ^ 4;
      expect([at, await code(flipped)]).toEqual([at, "archive-damaged"]);
      // By whoever wrote the manifest: the key may be all that doesn't fit.
      expect(["archive-damaged", "wrong-key"]).toContain(await code(flipped, manifestOf(flipped, manifest)));
      const cut = stored.subarray(0, at);
      expect(["archive-damaged", "wrong-key"]).toContain(await code(cut, manifestOf(cut, manifest)));
    }
  });

  test("is damaged where its manifest says that it isn't encrypted, or the other way round", async () => {
    const recipients = [(await keys()).recipient];
    const { stored, manifest, opener: key } = await writtenArchive(dump, { recipients });
    const { encryption, ...plainly } = manifest;
    expect(await codeOf(readArchive(readable(stored), { manifest: plainly, key }, never))).toBe(
      "archive-damaged",
    );
    const plain = await writtenArchive(dump);
    const said = { ...plain.manifest, ...(encryption === undefined ? {} : { encryption }) };
    expect(await codeOf(readArchive(readable(plain.stored), { manifest: said, key }, never))).toBe(
      "archive-damaged",
    );
  });
});

test("a recipient with a mistyped character is refused before anything is read", async () => {
  const { recipient } = await keys();
  const typo = `${recipient.slice(0, -1)}${recipient.endsWith("q") ? "p" : "q"}`;
  const refused = { code: "invalid-recipient", subject: typo };
  await expect(checkRecipients({ recipients: [recipient, typo] })).rejects.toMatchObject(refused);
  await expect(writtenArchive(randomBytes(10), { recipients: [typo] })).rejects.toMatchObject(refused);
  await checkRecipients({ recipients: [recipient] });
});

test("encryption takes no more from its source than it hands on, but for a little", async () => {
  let givenBytes = 0;
  let ended = false;
  async function* endless() {
    try {
      for (;;) {
        givenBytes += CHUNK_BYTES;
        yield randomBytes(CHUNK_BYTES);
      }
    } finally {
      ended = true;
    }
  }
  let takenBytes = 0;
  const { bytes } = await encrypt(endless(), { recipients: [(await keys()).recipient] });
  for await (const chunk of bytes) {
    takenBytes += chunk.length;
    for (let turn = 0; turn < 20; turn++) await new Promise((go) => setImmediate(go));
    expect(givenBytes - takenBytes).toBeLessThan(8 * CHUNK_BYTES);
    if (takenBytes > 20 * CHUNK_BYTES) break;
  }
  await until("the source to be ended", () => ended);
});

test("what the source fails with reaches who reads the encrypted bytes", async () => {
  const cause = new Error("the link was cut");
  async function* failing() {
    yield randomBytes(CHUNK_BYTES);
    throw cause;
  }
  const { bytes } = await encrypt(failing(), { recipients: [(await keys()).recipient] });
  await expect(all(bytes)).rejects.toBe(cause);
});

/** Runs a program that reads a passphrase from its terminal alone. */
async function onTerminal(passphrase: string, command: readonly string[]): Promise<void> {
  const script = `
import os, pty, sys
passphrase, command = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(command[0], command)
seen = b""
try:
    while True:
        seen += os.read(terminal, 1024)
        if b"passphrase" in seen and seen.rstrip().endswith(b":"):
            os.write(terminal, passphrase.encode() + b"\\n")
            seen = b""
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
  await run("python3", ["-c", script, passphrase, ...command]);
}
