// npm run pulumi -- <any Pulumi command>: in this checkout's environment, on the quickstart, or with
// `-C <folder>` on any other program in here. Prints nothing of its own on stdout.
import { pulumiEnvironment } from "./environment.mjs";
import { handOver } from "./hand-over.mjs";
import { setUpOrExit } from "./setup.mjs";

const { env, pulumi } = await setUpOrExit();
await handOver(pulumi, process.argv.slice(2), { env: pulumiEnvironment(env) });
