// Fills a redis-server with data of one kind, as fast as one connection takes it.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createConnection } from "node:net";

const MIB = 1024 * 1024;
const BATCH_BYTES = MIB;

/** @type {Record<string, { words: string, count: number, value: (n: number) => Buffer }>} */
export const datasets = {
  small: { words: "5,000,000 small keys", count: 5_000_000, value: (n) => Buffer.from(`v${n}`) },
  json: { words: "512 MiB in values of 1 KiB", count: 512 * 1024, value: slices(jsonText(8 * MIB), 1024) },
  random: {
    words: "512 MiB in incompressible values of 16 KiB",
    count: 32 * 1024,
    value: slices(randomBytes(64 * MIB), 16 * 1024),
  },
  big: { words: "2 GiB in values of 1 KiB", count: 2 * MIB, value: slices(jsonText(8 * MIB), 1024) },
};

export async function fill(port, { count, value }) {
  const socket = createConnection(port, "127.0.0.1");
  await once(socket, "connect");
  let replies = 0;
  socket.on("data", (chunk) => {
    for (const byte of chunk) if (byte === 10) replies++;
  });
  let batch = [];
  let bytes = 0;
  for (let n = 0; n < count; n++) {
    const key = `key:${n}`;
    const data = value(n);
    batch.push(`*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${data.length}\r\n`, data, "\r\n");
    bytes += data.length + 64;
    if (bytes < BATCH_BYTES && n + 1 < count) continue;
    const whole = Buffer.concat(batch.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
    if (!socket.write(whole)) await once(socket, "drain");
    batch = [];
    bytes = 0;
  }
  while (replies < count) await once(socket, "data");
  socket.destroy();
}

/** Cut at changing places, so that no two values are alike. */
function slices(pool, size) {
  return (n) => {
    const at = (n * 7919) % (pool.length - size);
    return pool.subarray(at, at + size);
  };
}

/** What applications keep: records with names, numbers and identifiers; gzip makes about a third of it. */
function jsonText(bytes) {
  const parts = [];
  for (let length = 0, id = 0; length < bytes; id++) {
    const record = JSON.stringify({
      id,
      session: randomBytes(16).toString("hex"),
      user: { name: `user-${id % 5000}`, mail: `user-${id % 5000}@example.org`, roles: ["reader", "writer"] },
      score: Math.random(),
      seenAt: new Date(1.7e12 + id * 977).toISOString(),
      token: randomBytes(24).toString("base64"),
    });
    parts.push(record);
    length += record.length;
  }
  return Buffer.from(parts.join(""));
}
