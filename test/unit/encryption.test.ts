import { generateHybridIdentity, generateIdentity, identityToRecipient } from "age-encryption";
import { describe, expect, test } from "vitest";
import { DecryptionKeySchema, EncryptionSchema } from "../../provider/core/encryption";

const X25519 = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

async function problemOf(value: unknown): Promise<string | undefined> {
  const parsed = EncryptionSchema.safeParse(value);
  return parsed.success ? undefined : JSON.stringify(parsed.error.issues);
}

test("recipients of every kind that age-keygen makes are taken, and a passphrase", async () => {
  const hybrid = await identityToRecipient(await generateHybridIdentity());
  const another = await identityToRecipient(await generateIdentity());
  for (const value of [
    { recipients: [X25519] },
    { recipients: [X25519, another] },
    { recipients: [hybrid] },
    { passphrase: "correct horse" },
  ])
    expect(EncryptionSchema.parse(value)).toEqual(value);
});

describe("refused is", () => {
  test.each([
    ["no recipient at all", { recipients: [] }],
    ["one that lacks a character", { recipients: [X25519.slice(0, -1)] }],
    ["one with a character too many", { recipients: [`${X25519}q`] }],
    ["one with a character that none has", { recipients: [X25519.replace("q", "b")] }],
    ["a plugin's, which this package can't use", { recipients: [`age1yubikey1${X25519.slice(4)}`] }],
    ["an SSH key", { recipients: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ"] }],
  ])("%s, with what one looks like", async (_name, value) => {
    expect(await problemOf(value)).toContain("a recipient is age1 and 58 characters");
  });

  test("an identity in the place of a recipient, without its being repeated", async () => {
    const identity = await generateIdentity();
    const problem = await problemOf({ recipients: [identity] });
    expect(problem).toContain("a recipient is age1");
    expect(problem).not.toContain(identity);
  });

  test("a post-quantum recipient beside another, which would undo its protection", async () => {
    const hybrid = await identityToRecipient(await generateHybridIdentity());
    expect(await problemOf({ recipients: [hybrid, X25519] })).toContain("post-quantum recipients");
  });

  test("an empty passphrase, and one beside recipients", async () => {
    expect(await problemOf({ passphrase: "" })).toContain("write a passphrase");
    expect(await problemOf({ passphrase: "x", recipients: [X25519] })).toBeDefined();
    expect(DecryptionKeySchema.safeParse({ identities: [] }).success).toBe(false);
  });
});
