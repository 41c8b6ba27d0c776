import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What happens to the bytes that come from one side. */
export interface LinkFault {
  /** Ends a connection once so many bytes of it have been passed on, counted from its beginning. */
  readonly cutAfterBytes?: number;
  /** How a cut looks to the client: a proper end of the stream (the default) or a reset. */
  readonly cut?: "end" | "reset";
  /** Turns every bit of this byte around, counted from the connection's beginning. */
  readonly corruptAtByte?: number;
  /** Holds each piece back for so long. */
  readonly delayMs?: number;
  /** Passes nothing on, with connections left open, until other faults are set. */
  readonly stall?: boolean;
}

export interface Faults {
  readonly fromServer?: LinkFault;
  readonly fromClient?: LinkFault;
  /** New connections are reset at once. */
  readonly refuse?: boolean;
}

/** A TCP proxy on loopback in front of a real server, without faults at first. */
export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  /** Replaces the faults, for connections that exist and for new ones. */
  set(faults: Faults): void;
  /** Resets every connection that exists. */
  resetAll(): void;
  /** How many connections were accepted so far. */
  connections(): number;
  /** How many of them were cut or refused by a fault. */
  cuts(): number;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
}

export async function startFaultProxy(targetPort: number): Promise<FaultProxy> {
  let faults: Faults = {};
  let changed = Promise.withResolvers<void>();
  let connections = 0;
  let cuts = 0;
  const links = new Set<Link>();

  const cut = ({ client, server }: Link, how: "end" | "reset" = "end") => {
    cuts++;
    if (how === "reset") client.resetAndDestroy();
    else client.end();
    server.destroy();
  };

  /** Passes on what one side sends, in order and no faster than the other side takes it. */
  const pump = async (link: Link, side: "fromServer" | "fromClient") => {
    const [from, to] = side === "fromServer" ? [link.server, link.client] : [link.client, link.server];
    let passedBytes = 0;
    // A side that has sent everything may still want to receive.
    for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const { delayMs = 0 } = faults[side] ?? {};
      if (delayMs > 0) await sleep(delayMs);
      while (faults[side]?.stall) await changed.promise;
      const { cutAfterBytes = Number.POSITIVE_INFINITY, cut: how } = faults[side] ?? {};
      const part = chunk.subarray(0, Math.max(0, cutAfterBytes - passedBytes));
      const damaged = (faults[side]?.corruptAtByte ?? -1) - passedBytes;
      if (damaged >= 0 && damaged < part.length) part[damaged] = (part[damaged] ?? 0) ^ 0xff;
      passedBytes += part.length;
      if (to.writable && part.length > 0 && !to.write(part)) await once(to, "drain");
      if (passedBytes >= cutAfterBytes) return cut(link, how);
    }
    to.end();
  };

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    connections++;
    client.on("error", () => undefined);
    if (faults.refuse) {
      cuts++;
      client.resetAndDestroy();
      return;
    }
    const target = connect({ port: targetPort, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    target.on("error", () => undefined);
    const link = { client, server: target };
    links.add(link);
    client.once("close", () => (links.delete(link), target.destroy()));
    // What was written to the client before its server went still arrives.
    target.once("close", () => client.end());
    for (const side of ["fromServer", "fromClient"] as const) void pump(link, side).catch(() => undefined);
  }).listen(0, "127.0.0.1");
  const port = await portOf(server);

  const resetAll = () => {
    for (const { client } of links) client.resetAndDestroy();
  };
  return {
    port,
    set: (wanted) => {
      faults = wanted;
      changed.resolve();
      changed = Promise.withResolvers();
    },
    resetAll,
    connections: () => connections,
    cuts: () => cuts,
    async [Symbol.asyncDispose]() {
      faults = {};
      changed.resolve();
      resetAll();
      server.close();
      await once(server, "close");
    },
  };
}

/** The port of a server that has begun to listen. */
export async function portOf(server: Server): Promise<number> {
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
