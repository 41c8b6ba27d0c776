import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { pulumiEnvironment } from "../../../.dev/environment.mjs";

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "redis addon environment-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

it("keeps Pulumi inside the checkout, whatever the user has set for other projects", () => {
  const folder = newFolder();
  const theirs = {
    PATH: "/usr/bin",
    PULUMI_BACKEND_URL: "s3://company",
    PULUMI_HOME: "/home/ada/.pulumi",
    PULUMI_CONFIG_PASSPHRASE: "theirs",
  };
  const env = pulumiEnvironment(theirs, folder);
  expect(env).toMatchObject({
    PATH: "/usr/bin",
    PULUMI_BACKEND_URL: pathToFileURL(join(folder, "state")).href,
    PULUMI_HOME: join(folder, "home"),
  });
  expect(env).not.toHaveProperty("PULUMI_CONFIG_PASSPHRASE");
});

it("makes one passphrase that only its owner can read", () => {
  const folder = newFolder();
  const file = join(folder, "passphrase");
  expect(pulumiEnvironment({}, folder).PULUMI_CONFIG_PASSPHRASE_FILE).toBe(file);
  const passphrase = readFileSync(file, "utf8");
  expect(passphrase).toMatch(/^[\w-]{43}$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);

  pulumiEnvironment({}, folder);
  expect(readFileSync(file, "utf8")).toBe(passphrase);
  expect(readdirSync(folder).toSorted()).toEqual(["passphrase", "state"]);
});

it("can have its state elsewhere, but never the passphrase, which belongs to the stack's config", () => {
  const [folder, elsewhere] = [newFolder(), newFolder()];
  const env = pulumiEnvironment({ REDIS_ADDON_DEV_STATE: elsewhere }, folder);
  expect(env.PULUMI_BACKEND_URL).toBe(pathToFileURL(join(elsewhere, "state")).href);
  expect(env.PULUMI_CONFIG_PASSPHRASE_FILE).toBe(join(folder, "passphrase"));
});
