// npm run redis-addon -- <command>: the product's command line as it stands in this checkout.
import { join } from "node:path";
import { handOver } from "./hand-over.mjs";
import { setUpOrExit } from "./setup.mjs";
import { checkout } from "./setup/checkout.mjs";

const { env, node } = await setUpOrExit();
await handOver(node, [join(checkout, "dist", "provider", "cli", "main.js"), ...process.argv.slice(2)], {
  env,
});
