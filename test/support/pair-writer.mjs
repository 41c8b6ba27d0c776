import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/*
 * Appends 1, 2, 3, … to lists, each over a connection of its own, at whichever of two servers takes writes: one that
 * refuses or goes away is left for the other. Its arguments: the two ports, the password, how many numbers are sent at
 * once, a pause between them, and the lists. It tells its parent how many writes were acknowledged, and which, as ranges,
 * once it is told anything. No number is ever sent twice: one that was refused or got no answer is given up.
 */
const [portA, portB, password = "", batch, pause, ...lists] = process.argv.slice(2);
const PORTS = [Number(portA), Number(portB)];
const BATCH = Number(batch);
const PAUSE_MS = Number(pause);
const SWITCH_PAUSE_MS = 4;
let running = true;
process.once("message", () => (running = false));
process.once("disconnect", () => process.exit());

/** @type {Record<string, number>} */
const refusals = {};
let worstGapMs = 0;

/** @param {string} list */
async function write(list) {
  /** @type {[number, number][]} */
  const acknowledged = [];
  let last = 0;
  let lastAt = performance.now();
  let at = 0;
  while (running) {
    const socket = connect({ port: PORTS[at], host: "127.0.0.1", noDelay: true });
    const lines = linesOf(socket);
    socket.write(command("AUTH", password));
    let isGood = (await lines.next()) === "+OK";
    while (running && isGood) {
      const first = last + 1;
      let text = "";
      for (let i = 0; i < BATCH; i++) text += command("RPUSH", list, String(++last));
      socket.write(text);
      let taken = 0;
      for (let number = first; number <= last; number++) {
        const line = await lines.next();
        if (line?.[0] === ":") {
          taken++;
          const range = acknowledged.at(-1);
          if (range?.[1] === number - 1) range[1] = number;
          else acknowledged.push([number, number]);
          continue;
        }
        isGood = false;
        const why = line === undefined ? "closed" : line.split(" ")[0];
        refusals[why] = (refusals[why] ?? 0) + 1;
        if (line === undefined) break;
      }
      if (taken > 0) {
        const now = performance.now();
        worstGapMs = Math.max(worstGapMs, now - lastAt);
        lastAt = now;
        process.send?.({ taken });
      }
      if (isGood) await sleep(PAUSE_MS);
    }
    socket.destroy();
    at = 1 - at;
    await sleep(SWITCH_PAUSE_MS);
  }
  return { list, acknowledged };
}

/** @param {import("node:net").Socket} socket */
function linesOf(socket) {
  /** @type {string[]} */
  let ready = [];
  let rest = "";
  let hasEnded = false;
  let wake = () => {};
  socket.on("data", (chunk) => {
    const parts = (rest + chunk.toString("latin1")).split("\r\n");
    rest = parts.pop() ?? "";
    ready = ready.concat(parts);
    wake();
  });
  const end = () => {
    hasEnded = true;
    wake();
  };
  socket.on("error", end);
  socket.on("close", end);
  let next = 0;
  return {
    /** @returns {Promise<string | undefined>} */
    async next() {
      while (next >= ready.length) {
        if (hasEnded) return undefined;
        ready = [];
        next = 0;
        await new Promise((resolve) => (wake = () => resolve(undefined)));
      }
      return ready[next++];
    },
  };
}

/** @param {string[]} parts */
function command(...parts) {
  return `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join("")}`;
}

const written = await Promise.all(lists.map(write));
process.send?.({ written, refusals, worstGapMs }, undefined, undefined, () => process.disconnect());
