// The environment in which Pulumi runs in this checkout: a file backend, a home and a passphrase of its own,
// so that nothing here needs an account or touches a stack of yours.
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { checkout } from "./setup/checkout.mjs";

// Git-ignored. Pulumi.yaml names the same folder as stackConfigDir: the stack's config holds the salt that
// belongs to the passphrase, so the two must live and go together.
const local = join(checkout, ".pulumi-local");

/** Where Pulumi's state and home are; REDIS_ADDON_DEV_STATE moves them, for tests that start from nothing. */
export function stateFolder(env = process.env, folder = local) {
  return env.REDIS_ADDON_DEV_STATE ? resolve(env.REDIS_ADDON_DEV_STATE) : folder;
}

/**
 * @param {NodeJS.ProcessEnv} env such as set-up returns
 * @returns {NodeJS.ProcessEnv} ours wins over what the user has set for their other Pulumi projects
 */
export function pulumiEnvironment(env, folder = local) {
  const state = stateFolder(env, folder);
  const backend = join(state, "state");
  mkdirSync(backend, { recursive: true });
  const ours = {
    ...env,
    PULUMI_HOME: join(state, "home"),
    PULUMI_BACKEND_URL: pathToFileURL(backend).href,
    PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile(folder),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
  // It would win over PULUMI_CONFIG_PASSPHRASE_FILE.
  delete ours.PULUMI_CONFIG_PASSPHRASE;
  // It would hide the language host and the dynamic provider where they lie on the PATH.
  delete ours.PULUMI_IGNORE_AMBIENT_PLUGINS;
  return ours;
}

function passphraseFile(folder) {
  const file = join(folder, "passphrase");
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  // Two first runs at once must end up with one passphrase, and nobody may read half of it: a link to a
  // finished file either makes the name or finds it taken.
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, randomBytes(32).toString("base64url"), { mode: 0o600 });
  try {
    linkSync(temporary, file);
  } catch (failure) {
    if (failure.code !== "EEXIST") throw failure;
  } finally {
    rmSync(temporary);
  }
  return file;
}
