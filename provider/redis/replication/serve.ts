import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { Failure } from "../../core/errors";
import { Secret } from "../../core/secret";
import type { Task } from "../../core/task";
import { authority } from "../../core/uri";
import { asError } from "./leader";
import { commandParser } from "./serve-commands";
import { handshake, type Response } from "./serve-handshake";
import { type ServedSnapshot, type ServeStage, transfer } from "./serve-transfer";

/** The leader's side, open to one replica. Disposing it ends every connection. */
export interface SnapshotServer extends AsyncDisposable {
  readonly port: number;
  /** Good for this snapshot alone: a server that follows by them has nothing to tell any other leader. */
  readonly username: string;
  readonly password: Secret;
  readonly replicationId: string;
  stage(): ServeStage;
  /** Lets one that asked for the snapshot again have it, where that is no proof that it can't load it. */
  again(): void;
  /** How many have connected and were turned away. */
  strangers(): number;
}

/** Begins the user's name, so that whoever finds it on a server knows where it comes from. */
export const RESTORE_USER_PREFIX = "redis-addon-restore-";

/** Who has not asked for the snapshot by then is cut off. */
const HANDSHAKE_MS = 10_000;
/** Who takes nothing for so long while bytes are sent. A replica itself waits as long by default (repl-timeout). */
const SILENCE_MS = 60_000;
/** The target and some strangers; more would only cost memory. */
const MOST_CONNECTIONS = 16;

/**
 * Listens for one replica and hands it one snapshot, as its leader would. Nobody is told anything without the one-time
 * user name and password. Fails with `listen-failed`.
 */
export async function serveSnapshot(
  snapshot: ServedSnapshot,
  listen: { readonly host: string; readonly port: number },
  task: Task,
): Promise<SnapshotServer> {
  const replicationId = randomBytes(20).toString("hex");
  const username = `${RESTORE_USER_PREFIX}${randomBytes(6).toString("hex")}`;
  const password = new Secret(randomBytes(32).toString("hex"));
  const isRight = (name: string, given: string) =>
    // Both, whatever the first says: the time it takes shall tell nothing.
    [isSame(name, username), isSame(given, password.reveal())].every(Boolean);
  const giving = transfer(snapshot, replicationId, task);
  const open = new Set<Socket>();
  let strangers = 0;

  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    const gone = new AbortController();
    const { respond, isKnown } = handshake({ isRight, replicationId });
    const parser = commandParser();
    open.add(socket);
    // It comes before "close", which tells all that matters.
    socket.on("error", () => undefined);
    socket.once("close", () => {
      open.delete(socket);
      gone.abort();
      if (!isKnown()) strangers++;
      if (giving.serves(socket)) giving.left();
    });
    // Bytes that drip keep a connection from being idle, so this counts from its beginning.
    void task.clock.sleep(HANDSHAKE_MS, gone.signal).then(
      () => giving.serves(socket) || socket.destroy(),
      () => undefined,
    );
    socket.on("data", (bytes: Buffer) => {
      try {
        for (const words of parser.push(bytes))
          if (!socket.destroyed) perform(socket, respond(words), gone.signal);
      } catch {
        socket.destroy();
      }
    });
  });
  server.maxConnections = MOST_CONNECTIONS;

  function perform(socket: Socket, response: Response, gone: AbortSignal): void {
    switch (response.kind) {
      case "say":
        return void socket.write(`${response.line}\r\n`);
      case "part":
        return void socket.end(`${response.line}\r\n`, () => socket.destroy());
      case "snapshot":
      case "continue":
        socket.setTimeout(SILENCE_MS, () => socket.destroy());
        return giving.begin(socket, response, gone);
      case "acknowledged":
        if (giving.serves(socket)) giving.acknowledged(response.offset);
        return;
      case "nothing":
        return;
    }
  }

  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of open) socket.destroy();
    await closed;
  };
  try {
    task.signal.throwIfAborted();
    server.listen({ ...listen, exclusive: true });
    await once(server, "listening", { signal: task.signal });
  } catch (error) {
    await close();
    task.signal.throwIfAborted();
    throw listenFailure(listen, asError(error));
  }
  // What goes wrong with a listener that works concerns one connection alone.
  server.on("error", () => undefined);
  return {
    port: (server.address() as AddressInfo).port,
    username,
    password,
    replicationId,
    stage: giving.stage,
    again: giving.again,
    strangers: () => strangers,
    [Symbol.asyncDispose]: close,
  };
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash("sha256").update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

function listenFailure({ host, port }: { host: string; port: number }, error: Error): Failure {
  const isTaken = "code" in error && error.code === "EADDRINUSE";
  return new Failure({
    code: "listen-failed",
    operation: "listen on",
    subject: authority(host, port),
    cause: isTaken ? "something else listens there" : error.message,
    hint: "Give an address of this machine, and a port that is free (0: any)",
  });
}
