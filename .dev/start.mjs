// npm start: a real `pulumi up` of the quickstart, then a look at what it made.
import { pulumiEnvironment } from "./environment.mjs";
import { passThrough } from "./hand-over.mjs";
import { checkout } from "./setup/checkout.mjs";
import { exitWith, setUpOrExit } from "./setup.mjs";
import { run } from "./setup/run.mjs";
import { report } from "./start/show.mjs";
import { clearLeftovers, lastChanges, outputs, stack } from "./start/stack.mjs";

const log = (line) => console.log(`npm start: ${line}`);
const { env: tools, node, pulumi, redisServer } = await setUpOrExit();
const env = pulumiEnvironment(tools);
const options = { env, cwd: checkout };

try {
  await run(pulumi, ["stack", "select", stack, "--create", "--non-interactive"], options);
  await clearLeftovers({ pulumi, options, log });

  const code = await passThrough(pulumi, ["up", "--yes", "--non-interactive", "--stack", stack], options);
  if (code !== 0) {
    console.error(`
npm start: pulumi up failed with exit code ${code}; the reason stands above. What next:
  correct it and run npm start again: it goes on where this run stopped
  npm run redis-addon -- list    shows what runs
  npm run destroy                removes everything but the backups`);
    process.exit(code);
  }

  const changes = await lastChanges({ pulumi, options });
  if (changes.length === 0) console.log("Nothing has changed: everything is as the program says.\n");
  console.log(await report({ node, redisServer, env, outputs: await outputs({ pulumi, options }) }));
} catch (failure) {
  exitWith(failure);
}
