// Unpacks an archive's gzip on all cores, and throws away what comes out.
import { createReadStream } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const dist = join(import.meta.dirname, "../../../dist/provider/backup/archive/gunzip.js");
const { gunzip } = require(dist);
const source = createReadStream(process.argv[2], { highWaterMark: 256 * 1024 });
let bytes = 0;
for await (const chunk of gunzip(source, (why) => new Error(why))) bytes += chunk.length;
if (bytes === 0) throw new Error("it is empty");
