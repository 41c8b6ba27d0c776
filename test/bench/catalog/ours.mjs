// Prunes a catalog as the job of a backup does, all but the newest few.
import { createRequire } from "node:module";
import { join } from "node:path";

const [url, catalogKey, keep] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const dist = join(import.meta.dirname, "../../../dist/provider");
const { openStore } = require(join(dist, "stores/open.js"));
const { prune } = require(join(dist, "backup/prune.js"));
const { expectManyObjects } = require(join(dist, "system/many-objects.js"));
const { systemClock } = require(join(dist, "system/clock.js"));

expectManyObjects();
const task = { signal: new AbortController().signal, clock: systemClock, progress: () => undefined };
const addon = { catalogKey, createdAt: "2000-01-01T00:00:00.000Z" };
const retention = { keepLast: Number(keep) };
const { failure } = await prune(await openStore(url), addon, retention, { every: "1h" }, task);
if (failure !== undefined) throw new Error(JSON.stringify(failure));
