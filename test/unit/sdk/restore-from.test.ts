import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { RedisAddon, type RestoreFrom } from "../../../sdk";

/** What the engine would be handed, by the resource's name. */
const registered = new Map<string, pulumi.Inputs>();
let folder: string;

beforeAll(async () => {
  // The classes look for the provider from the program's folder.
  folder = await mkdtemp(join(tmpdir(), "sdk-"));
  const module = join(folder, "node_modules", "pulumi-redis-addon");
  await mkdir(module, { recursive: true });
  await writeFile(join(module, "provider.js"), "");
  vi.spyOn(process, "cwd").mockReturnValue(folder);
  await pulumi.runtime.setMocks({
    newResource: ({ name, inputs }) => {
      registered.set(name, inputs as pulumi.Inputs);
      return { id: `shop-dev-${name}`, state: inputs as object };
    },
    call: () => ({}),
  });
});
afterAll(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

/** How the engine's protocol spells a secret. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

let count = 0;

/** What the engine is handed as `restoreFrom`, as the mocks show secrets. */
async function handed(restoreFrom: RestoreFrom): Promise<unknown> {
  const name = `cache-${++count}`;
  const addon = new RedisAddon(name, { plan: "s_mono", restoreFrom });
  await settled(addon.urn);
  return registered.get(name)?.["restoreFrom"];
}

function settled(output: pulumi.Output<unknown>): Promise<unknown> {
  return new Promise((resolve) => {
    output.apply(resolve);
  });
}

test("an add-on becomes its id, and an id stays one", async () => {
  const source = new RedisAddon("source", { plan: "s_mono" });
  const expected = { addon: "shop-dev-source" };
  expect(await handed({ addon: source })).toEqual(expected);
  expect(await handed({ addon: source.id })).toEqual(expected);
  expect(await handed({ addon: "shop-dev-source", backup: "20260501" })).toEqual({
    ...expected,
    backup: "20260501",
  });
});

const KEYS = { accessKeyId: "id", secretAccessKey: "of the store" };

test.each<[string, RestoreFrom]>([
  ["a passphrase", { addon: "other", key: { passphrase: "open sesame" } }],
  ["an identity", { addon: "other", key: { identities: ["AGE-SECRET-KEY-1"] } }],
  ["a secret access key", { url: "s3://bucket/cache", credentials: KEYS }],
])("%s is a secret, whatever the program says", async (_, restoreFrom) => {
  // The mocks show what holds a secret as one.
  expect(await handed(restoreFrom)).toEqual({ [SIGNATURE]: SECRET, value: restoreFrom });
});

test("the backup that nothing was restored from is undefined", async () => {
  const addon = new RedisAddon("empty", { plan: "s_mono" });
  expect(await settled(addon.restoredBackup)).toBeUndefined();
});
