import fs from "node:fs/promises";
import callbacks, { writeFileSync } from "node:fs";

/*
 * Loaded into a job's process before its own program (`--import`): ends it, or tells it to end, exactly at a step. From
 * outside a signal arrives when the process is long past what it told.
 */

/** @type {{ signal: NodeJS.Signals, message?: string, fileCall?: number, countInto?: string, clockAheadMs?: number }} */
const fault = JSON.parse(process.env["JOB_FAULT"] ?? "{}");
delete process.env["JOB_FAULT"];
const { signal, message, fileCall, countInto, clockAheadMs } = fault;

const strike = () => process.kill(process.pid, signal);

if (clockAheadMs !== undefined) {
  const now = () => RealDate.now() + clockAheadMs;
  const RealDate = Date;
  globalThis.Date = new Proxy(RealDate, {
    construct: (_, args) => (args.length === 0 ? new RealDate(now()) : new RealDate(...args)),
    get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
  });
}

if (message !== undefined) {
  const write = process.stdout.write.bind(process.stdout);
  let struck = false;
  process.stdout.write = (chunk, ...rest) => {
    const written = write(chunk, ...rest);
    // As the job tells a step for the first time: none of it is done.
    if (!struck && String(chunk).includes(`"message":${JSON.stringify(message)}`)) {
      struck = true;
      strike();
    }
    return written;
  };
}

/** What changes something that outlives the process. */
const CHANGING = ["link", "mkdir", "mkdtemp", "open", "rename", "rm", "unlink", "writeFile"];
const CHANGING_HANDLES = ["close", "sync", "writeFile"];

if (fileCall !== undefined || countInto !== undefined) {
  let calls = 0;
  const counted = (original) =>
    function (...args) {
      calls++;
      if (calls === fileCall) strike();
      return original.apply(this, args);
    };
  for (const name of CHANGING) fs[name] = counted(fs[name]);
  // Where there are too many files for promises.
  callbacks.unlink = counted(callbacks.unlink);
  const probe = await fs.open(process.execPath, "r");
  const handles = Object.getPrototypeOf(probe);
  await probe.close();
  for (const name of CHANGING_HANDLES) handles[name] = counted(handles[name]);
  calls = 0;
  if (countInto !== undefined) process.on("exit", () => writeFileSync(countInto, String(calls)));
}
