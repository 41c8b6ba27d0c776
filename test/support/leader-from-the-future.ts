import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/** The leader's side of a replication whose snapshot no server can load. */
export async function leaderFromTheFuture(): Promise<
  AsyncDisposable & { port: number; snapshots: () => number }
> {
  let snapshots = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      for (const command of chunk
        .toString()
        .toUpperCase()
        .split(/^\*\d+\r\n/m)
        .slice(1)) {
        if (command.includes("\r\nACK\r\n")) continue;
        const dump = "REDIS9999 and what nobody knows yet";
        const isPsync = command.includes("PSYNC\r\n");
        if (isPsync) snapshots += 1;
        socket.write(isPsync ? `+FULLRESYNC ${"a".repeat(40)} 1\r\n$${dump.length}\r\n${dump}` : "+OK\r\n");
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    snapshots: () => snapshots,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
