// dist/, from sdk/ and provider/. Skipped where nothing changed: tsc alone takes seconds to find that out.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { checkout } from "./checkout.mjs";
import { Stop } from "./stop.mjs";
import { withLock } from "./lock.mjs";
import { run } from "./run.mjs";

const dist = join(checkout, "dist");
// In node_modules, so that what is published stays free of it and a new TypeScript builds anew.
const stamp = join(checkout, "node_modules", ".cache", "redis-addon", "built-from");
const lock = join(checkout, "node_modules", ".cache", "redis-addon", "build.lock");

/** @param {{ log: (line: string) => void, node: string }} options */
export async function setUpBuild({ log, node }) {
  if (!whyBuild()) return;
  mkdirSync(dirname(stamp), { recursive: true });
  await withLock(lock, { log, what: "the build" }, async () => {
    const because = whyBuild();
    if (!because) return;
    log(`building dist/: ${because}`);
    // Taken before the build: a file saved during it is seen as changed the next time.
    const from = fingerprint();
    try {
      await run(node, [join("node_modules", "typescript", "bin", "tsc"), "--build"], { cwd: checkout });
    } catch (failure) {
      throw new Stop("the TypeScript build failed", {
        why: [failure.message],
        next: ["correct the errors above, then run the same command again"],
      });
    }
    removeOrphans();
    writeFileSync(stamp, from);
  });
}

function whyBuild() {
  if (!existsSync(join(dist, ".tsbuildinfo"))) return "it is missing";
  const builtFrom = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
  return builtFrom === fingerprint() ? undefined : "the sources have changed";
}

/** Times and sizes instead of contents: reading hundreds of files would cost more than it spares. */
function fingerprint() {
  const files = ["tsconfig.json", "package.json", ...filesIn("sdk"), ...filesIn("provider")];
  const lines = files.map((file) => {
    const { size, mtimeMs } = statSync(join(checkout, file));
    return `${file} ${size} ${mtimeMs}`;
  });
  return createHash("sha256").update(lines.sort().join("\n")).digest("hex");
}

/** tsc leaves the output of a removed source, which could still be imported and would be published. */
function removeOrphans() {
  for (const file of filesIn("dist")) {
    const source = relative("dist", file).replace(/\.(js|d\.ts)$/, ".ts");
    if (source.endsWith(".ts") && !existsSync(join(checkout, source))) rmSync(join(checkout, file));
  }
}

function filesIn(folder) {
  if (!existsSync(join(checkout, folder))) return [];
  return readdirSync(join(checkout, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(checkout, join(entry.parentPath ?? entry.path, entry.name)));
}
