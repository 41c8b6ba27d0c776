import { judgeNode } from "../operations/doctor/judge/program";

// Imported before everything else: an older Node.js can't even load what the commands are made of.
const { result, why } = judgeNode(process.version);
if (result === "problem") {
  process.stderr.write(
    `redis-addon: cannot run with Node.js ${process.version} (${process.execPath}): ${why ?? ""}. Put a newer one first on the PATH: https://nodejs.org\n`,
  );
  process.exit(1);
}
