import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/*
 * Appends 1, 2, 3, … to lists, up to 100,000 numbers a second in each, each list over a connection of its own: the port,
 * the pause between two batches of a list in ms and the lists are its arguments. A process of its own, because who tests
 * meanwhile must not slow it down; it tells its parent how many writes were acknowledged, and ends after the batch that
 * it is at when it is told anything.
 */
const BATCH = 500;

const [port, pauseMs, ...ledgers] = process.argv.slice(2);
let running = true;
process.once("message", () => (running = false));
process.once("disconnect", () => process.exit());

/** @param {string} ledger */
async function write(ledger) {
  const socket = connect({ port: Number(port), host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  const head = `*3\r\n$5\r\nRPUSH\r\n$${ledger.length}\r\n${ledger}\r\n`;
  let last = 0;
  while (running) {
    let batch = "";
    for (let i = 0; i < BATCH; i++) {
      const entry = String(++last);
      batch += `${head}$${entry.length}\r\n${entry}\r\n`;
    }
    socket.write(batch);
    for (let missing = BATCH; missing > 0;) {
      const [replies] = await once(socket, "data");
      // Each reply is one line: the list's new length, or a refusal.
      for (const byte of replies) {
        if (byte === 45) throw new Error(`the server refused a write: ${String(replies)}`);
        if (byte === 10) missing--;
      }
    }
    process.send?.(BATCH);
    await sleep(Number(pauseMs));
  }
  socket.destroy();
}

await Promise.all(ledgers.map(write));
process.disconnect();
