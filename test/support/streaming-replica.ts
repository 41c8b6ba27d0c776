import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { parseSnapshotHeader, replyReader, snapshotBytes } from "../../provider/redis/replication/reader";

/** A replica that does nothing with what it gets but keep it: the leader's data at one offset, and every byte since. */
export interface StreamingReplica extends AsyncDisposable {
  /** The RDB file of the full synchronisation. */
  readonly snapshot: Buffer;
  /** Where `stream` begins. */
  readonly offset: number;
  /** The bytes of the replication stream so far: offset by offset. */
  stream(): Buffer;
  /** Where it ends so far. */
  end(): number;
}

export async function followAsReplica(port: number): Promise<StreamingReplica> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  try {
    await once(socket, "connect");
    return await synchronise(socket);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function synchronise(socket: Socket): Promise<StreamingReplica> {
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const reader = replyReader(chunks);
  socket.write("REPLCONF capa psync2\r\n");
  if ((await reader.line()) !== "+OK") throw new Error("the leader refused a replica");
  socket.write("PSYNC ? -1\r\n");
  const next = async () => {
    for (;;) {
      const line = await reader.line();
      if (line === undefined) throw new Error("the leader hung up");
      if (line !== "") return line;
    }
  };
  const offset = Number(/^\+FULLRESYNC \w+ (\d+)$/.exec(await next())?.[1]);
  const header = parseSnapshotHeader(await next());
  if (!Number.isSafeInteger(offset) || header === undefined) throw new Error("the leader gave no snapshot");
  const cut = () => new Error("the leader's snapshot was cut short");
  const parts: Buffer[] = [];
  for await (const part of snapshotBytes(reader, header, cut)) parts.push(part);

  const received: Buffer[] = [];
  let end = offset;
  const receiving = (async () => {
    for (;;) {
      const bytes = await reader.some(Number.MAX_SAFE_INTEGER);
      if (bytes === undefined) return;
      received.push(bytes);
      end += bytes.length;
    }
  })().catch(() => undefined);
  return {
    snapshot: Buffer.concat(parts),
    offset,
    stream: () => {
      const all = Buffer.concat(received);
      received.splice(0, received.length, all);
      return all;
    },
    end: () => end,
    async [Symbol.asyncDispose]() {
      socket.destroy();
      await receiving;
    },
  };
}

/** Each command of a replication stream, with the position behind its last byte. An incomplete one at the end is left. */
export function* commandsOf(stream: Buffer): Generator<{ readonly words: string[]; readonly end: number }> {
  let at = 0;
  const lineEnd = () => {
    const end = stream.indexOf("\r\n", at, "latin1");
    return end < 0 ? undefined : end;
  };
  for (;;) {
    // An empty line keeps the connection alive, and counts.
    if (stream[at] === 10) {
      at++;
      continue;
    }
    const countEnd = lineEnd();
    if (countEnd === undefined) return;
    if (stream[at] !== 42) throw new Error(`no command at byte ${at} of the replication stream`);
    let left = Number(stream.toString("latin1", at + 1, countEnd));
    at = countEnd + 2;
    const words: string[] = [];
    for (; left > 0; left--) {
      const sizeEnd = lineEnd();
      if (sizeEnd === undefined) return;
      const begin = sizeEnd + 2;
      const end = begin + Number(stream.toString("latin1", at + 1, sizeEnd));
      if (end + 2 > stream.length) return;
      words.push(stream.toString("latin1", begin, end));
      at = end + 2;
    }
    yield { words, end: at };
  }
}
