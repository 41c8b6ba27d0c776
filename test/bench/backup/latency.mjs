// A user of the leader: a fixed number of commands each second, whatever the answers take, so that a stall costs every
// command that falls into it. Prints its percentiles when it is told to stop.
import { once } from "node:events";
import { createConnection } from "node:net";

const PER_SECOND = 1000;
const port = Number(process.argv[2]);
const socket = createConnection(port, "127.0.0.1");
await once(socket, "connect");
socket.setNoDelay(true);

/** When each command that is still unanswered was due. */
const due = [];
const latenciesMs = [];
socket.on("data", (chunk) => {
  const now = performance.now();
  for (const byte of chunk) if (byte === 10) latenciesMs.push(now - due.shift());
});

const start = performance.now();
let sent = 0;
const timer = setInterval(() => {
  const now = performance.now();
  for (; start + (sent * 1000) / PER_SECOND <= now; sent++) {
    due.push(start + (sent * 1000) / PER_SECOND);
    // One line of answer each.
    const key = `user:${sent % 1000}`;
    socket.write(sent % 2 === 0 ? `SET ${key} ${sent}\r\n` : `EXISTS ${key}\r\n`);
  }
}, 1);

process.once("SIGTERM", () => {
  clearInterval(timer);
  socket.destroy();
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  process.stdout.write(
    JSON.stringify({ p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0, commands: sorted.length }),
  );
});
process.stdout.write("ready\n");
