import { Duplex } from "node:stream";
import type { Connect } from "../../provider/redis/replication/connect";

export interface Script {
  /** What the server sends on a command; every byte of it comes before the next command is answered. */
  readonly answer: (command: readonly string[]) => Buffer;
  /** The sizes in which its bytes arrive, over and over. */
  readonly sizes?: readonly number[];
  /** After so many bytes the connection ends; absent: once `answer` says nothing, or has said `LAST`. */
  readonly endAfter?: number;
  /** How it ends; absent: in order. */
  readonly reset?: boolean;
}

/** An answer that begins so is the last one: the connection ends after it. */
export const LAST = "\0last\0";

/** A server that follows a script, in this process: no socket, no time. */
export function scripted({ answer, sizes = [4096], endAfter = Infinity, reset = false }: Script) {
  const asked: string[][] = [];
  const connect: Connect = () => {
    let pending = Buffer.alloc(0);
    let left = endAfter;
    let turn = 0;
    let wanted = false;
    let ending = false;
    const end = () => {
      if (reset) stream.destroy(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }));
      else stream.push(null);
    };
    const send = () => {
      if (!wanted || stream.destroyed) return;
      if (left === 0) return end();
      if (pending.length === 0) return ending ? end() : undefined;
      const piece = pending.subarray(0, Math.min(left, sizes[turn++ % sizes.length] ?? 1));
      pending = pending.subarray(piece.length);
      left -= piece.length;
      wanted = false;
      stream.push(piece);
    };
    const stream: Duplex = new Duplex({
      readableHighWaterMark: 1,
      read() {
        wanted = true;
        send();
      },
      write(chunk: Buffer, _encoding, done) {
        const command = words(chunk.toString());
        asked.push(command);
        const said = answer(command);
        const isLast = said.length === 0 || said.subarray(0, LAST.length).toString("latin1") === LAST;
        ending ||= isLast;
        pending = Buffer.concat([pending, isLast ? said.subarray(LAST.length) : said]);
        send();
        done();
      },
    });
    return Promise.resolve({ stream, allowSilence: () => undefined });
  };
  return { connect, asked };
}

/** `*2\r\n$4\r\nAUTH\r\n…` */
function words(wire: string): string[] {
  return wire
    .split("\r\n")
    .slice(2)
    .filter((_, i) => i % 2 === 0)
    .slice(0, Number(/^\*(\d+)/.exec(wire)?.[1]));
}

/** Bytes as a bulk reply. */
export function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}
