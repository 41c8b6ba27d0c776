import { copyFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { whyNotOpened } from "../../provider/backup/archive/try-key";
import type { DecryptionKey, Encryption } from "../../provider/core/encryption";
import { backUpAny } from "../../provider/operations/backup-any";
import { openPlatform } from "../../provider/operations/open-platform";
import { previewRestore } from "../../provider/operations/preview-restore";
import { prepareRestore } from "../../provider/operations/restore";
import { resolveRestore } from "../../provider/operations/restore/restore-source";
import { keyProblem } from "../../provider/operations/restore/key-problem";
import { startRedisServer } from "../support/redis-server";
import { task, temporaryFolder, temporaryStore } from "./backup-support";

const PASSPHRASE = { passphrase: "several words of some length" };
/** However busy the machine: a passphrase takes a second of a core. */
const PATIENCE_MS = 60_000;
const SERVER = { plan: "s_mono", evictionPolicy: "noeviction" } as const;

let store: Awaited<ReturnType<typeof temporaryStore>>;
let home: Awaited<ReturnType<typeof temporaryFolder>>;
let right: Record<"recipients" | "passphrase", DecryptionKey>;
let wrong: typeof right;
let recipient: string;
beforeAll(async () => {
  const { generateX25519Identity, identityToRecipient } = await import("age-encryption");
  const [identity, another] = [await generateX25519Identity(), await generateX25519Identity()];
  recipient = await identityToRecipient(identity);
  right = { recipients: { identities: [another, identity] }, passphrase: PASSPHRASE };
  wrong = { recipients: { identities: [another] }, passphrase: { passphrase: "of before" } };
  [store, home] = await Promise.all([temporaryStore(), temporaryFolder()]);
  await using source = await startRedisServer();
  await source.client.set("key", "value");
  const encryptions: Record<string, Encryption> = {
    recipients: { recipients: [recipient] },
    passphrase: PASSPHRASE,
  };
  for (const [name, encryption] of Object.entries(encryptions)) {
    const { host, port } = source;
    await backUpAny(
      {
        source: { host, port },
        destination: store.url,
        name,
        encryption,
        verify: false,
        dataHome: home.path,
      },
      task(),
    );
  }
});
afterAll(async () => {
  for (const resource of [store, home]) await resource[Symbol.asyncDispose]();
});

const platform = () => openPlatform({ kind: "local", dataHome: home.path });

async function preview(url: string, key: DecryptionKey) {
  const restore = { from: { url, backup: "latest" }, secrets: { key }, replaceData: false };
  return previewRestore(await platform(), { name: "cache", server: SERVER, restore }, PATIENCE_MS);
}

/** A copy of the archive of a catalog that lies without its manifest. */
async function loneArchive(name: keyof typeof right): Promise<string> {
  const { archive } = await resolved(name);
  const url = `${store.url}/${name}.tar.gz.age`;
  await copyFile(fileURLToPath(archive), fileURLToPath(url));
  return url;
}

async function resolved(name: keyof typeof right, key = right[name]) {
  const from = { url: `${store.url}/${name}`, backup: "latest" };
  return resolveRestore(await platform(), from, { key }, task());
}

it.each(["recipients", "passphrase"] as const)(
  "a key that opens an archive with %s is found to in the preview, and another one is refused",
  async (name) => {
    expect(await preview(`${store.url}/${name}`, right[name])).toMatchObject({ refusals: [], warnings: [] });
    const { refusals } = await preview(`${store.url}/${name}`, wrong[name]);
    expect(refusals).toEqual([
      {
        property: "restoreFrom",
        code: "wrong-key",
        cause: expect.stringMatching(
          name === "recipients"
            ? `^\\d{8}T\\d{9}Z is encrypted to ${recipient}, and the key that was given does not open it$`
            : /^\d{8}T\d{9}Z is encrypted with a passphrase, and the one that is at hand does not open it$/,
        ),
        hint: expect.stringMatching(/^Give .* as its key/),
      },
    ]);
    expect(JSON.stringify(refusals)).not.toContain(
      JSON.stringify(Object.values(wrong[name])[0]).slice(1, -1),
    );
  },
);

it.each(["recipients", "passphrase"] as const)(
  "the same of an archive with %s that lies alone",
  async (name) => {
    const url = await loneArchive(name);
    expect((await preview(url, right[name])).refusals).toEqual([]);
    expect((await preview(url, wrong[name])).refusals).toMatchObject([{ code: "wrong-key" }]);
  },
);

it("what is no identity at all is refused without being repeated", async () => {
  const { refusals } = await preview(`${store.url}/recipients`, { identities: ["AGE-SECRET-KEY-1NONSENSE"] });
  expect(refusals).toMatchObject([{ code: "wrong-key", cause: expect.stringContaining("is no identity") }]);
  expect(JSON.stringify(refusals)).not.toContain("NONSENSE");
});

it("an update with a wrong key fails before it makes anything", async () => {
  const from = { url: `${store.url}/recipients`, backup: "latest" };
  const wish = { from, secrets: { key: wrong.recipients }, replaceData: false };
  const preparing = prepareRestore(await platform(), { name: "cache", wish, server: SERVER }, task());
  await expect(preparing).rejects.toMatchObject({
    code: "wrong-key",
    operation: "restore",
    subject: "cache",
  });
});

it("what can't be tried now is said, and is no refusal", async () => {
  const found = await resolved("passphrase");
  const late = await keyProblem(found, {}, { signal: AbortSignal.abort(new Error("late")) });
  expect(late).toMatchObject({
    severity: "warn",
    cause: expect.stringContaining("there was not enough time"),
  });
  await using folder = await temporaryFolder();
  const { source } = found;
  if (source.kind !== "backup") throw new Error("it is no backup of a catalog");
  const elsewhere = { ...found, source: { ...source, destination: `file://${folder.path}` } };
  expect(await keyProblem(elsewhere, {}, task())).toMatchObject({
    severity: "warn",
    cause: expect.stringContaining("there is no such file"),
  });
});

it("nothing is said against a key by what isn't the beginning of an archive, or takes more work than a look may", async () => {
  const asked = (text: string, key: DecryptionKey) =>
    whyNotOpened(
      (async function* () {
        yield Buffer.from(text);
      })(),
      key,
      "an archive",
      task().signal,
    );
  const header = (work: number) =>
    `age-encryption.org/v1\n-> scrypt ${"A".repeat(22)} ${work}\n${"A".repeat(43)}\n--- ${"A".repeat(43)}\n`;
  expect(await asked("something else", right.passphrase)).toBeUndefined();
  expect(await asked("something else", right.recipients)).toBeUndefined();
  expect(await asked(header(19), right.passphrase)).toBeUndefined();
  expect(await asked(header(10), right.passphrase)).toBe("the one that is at hand does not open it");
});
