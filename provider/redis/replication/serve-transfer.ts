import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { byteProgress } from "../../core/byte-progress";
import type { Task } from "../../core/task";
import type { Response } from "./serve-handshake";

/** A snapshot that was proved to be what it should be, and what proves that it still is. */
export interface ServedSnapshot {
  readonly sizeBytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
  /** Its bytes from the beginning, each time it is called. */
  readonly open: () => AsyncIterable<Buffer>;
}

/** How far the one that it is for has come. */
export type ServeStage =
  /** Nobody who knows the password is there. `cutAfterBytes`: it was, and left before it had all. */
  | { readonly kind: "waiting"; readonly cutAfterBytes?: number }
  | { readonly kind: "sending"; readonly doneBytes: number }
  /** Every byte is on its way, and most likely it loads them. `left`: its connection has ended since. */
  | { readonly kind: "sent"; readonly left: boolean }
  /**
   * It wants them once more: it could not load them, or the connection was cut before the last ones had arrived. It is
   * refused until `again`.
   */
  | { readonly kind: "asked-again" }
  /** It has loaded them: what came after them was applied. */
  | { readonly kind: "acknowledged" }
  /** `too-often`: it was sent so often that nothing good is to be expected. `changed`: it is no longer what was proved. */
  | { readonly kind: "over"; readonly why: "too-often" | "changed" };

/** The giving of one snapshot, to one replica at a time. */
interface Transfer {
  readonly stage: () => ServeStage;
  /** Whether this connection is the one that is, or was last, served. */
  serves(socket: Socket): boolean;
  /** Gives what was asked for, or says why not and hangs up. `gone` is aborted when the connection ends. */
  begin(socket: Socket, wanted: Response, gone: AbortSignal): void;
  acknowledged(offset: number): void;
  /** To be called when the connection that is served has ended. */
  left(): void;
  /** Lets the one that asked again have it. */
  readonly again: () => void;
}

const MOST_TRANSFERS = 3;
const BEAT_EVERY_MS = 1_000;
const PING = "*1\r\n$4\r\nPING\r\n";
/** The second asks for its offset at once: by itself a replica tells it once a second, and its users wait. */
const BEAT = Buffer.from(`${PING}*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n`);

/**
 * The last bytes are held back until all of them are known to be the proven ones: without them a replica drops the
 * others. What follows the snapshot is one beat after the other.
 */
export function transfer(snapshot: ServedSnapshot, replicationId: string, task: Task): Transfer {
  let stage: ServeStage = { kind: "waiting" };
  let transfers = 0;
  let guest: Socket | undefined;
  /** Bytes of the stream after the snapshot, to whomever. */
  let streamedBytes = 0;

  /** Absent: it is let have what it wants. */
  function whyRefused(isContinued: boolean): string | undefined {
    if (guest !== undefined && !guest.destroyed) return "somebody is being served";
    if (isContinued) return undefined;
    if (stage.kind === "sent") stage = { kind: "asked-again" };
    if (stage.kind === "waiting" && transfers < MOST_TRANSFERS) return undefined;
    return "there is no more to be had";
  }

  function cut(cutAfterBytes: number): ServeStage {
    return transfers < MOST_TRANSFERS
      ? { kind: "waiting", cutAfterBytes }
      : { kind: "over", why: "too-often" };
  }

  function goOn(socket: Socket, from: number, gone: AbortSignal): void {
    if (stage.kind === "sent") stage = { kind: "sent", left: false };
    socket.write(`+CONTINUE ${replicationId}\r\n`);
    for (let at = from - 1; at < streamedBytes;) {
      const rest = BEAT.subarray(at % BEAT.length);
      socket.write(rest);
      at += rest.length;
    }
    void beat(socket, gone);
  }

  async function send(socket: Socket, gone: AbortSignal): Promise<void> {
    transfers++;
    stage = { kind: "sending", doneBytes: 0 };
    const { sizeBytes: totalBytes } = snapshot;
    const progress = byteProgress(task, "sending the snapshot", { totalBytes });
    await written(socket, `+FULLRESYNC ${replicationId} 0\r\n$${totalBytes}\r\n`);
    const hash = createHash("sha256");
    let doneBytes = 0;
    let held: Buffer | undefined;
    for await (const chunk of snapshot.open()) {
      hash.update(chunk);
      doneBytes += chunk.length;
      if (doneBytes > totalBytes) break;
      if (held !== undefined) await written(socket, held);
      held = chunk;
      stage = { kind: "sending", doneBytes };
      progress.add(chunk.length);
    }
    if (held === undefined || doneBytes !== totalBytes || hash.digest("hex") !== snapshot.sha256) {
      stage = { kind: "over", why: "changed" };
      socket.destroy();
      return;
    }
    // Said before it is true: from the moment that the last byte leaves it may be loaded.
    stage = { kind: "sent", left: false };
    await written(socket, held);
    progress.end();
    await beat(socket, gone);
  }

  /** Gives it an offset to acknowledge, and keeps it from thinking that its leader has gone. */
  async function beat(socket: Socket, gone: AbortSignal): Promise<void> {
    while (!socket.destroyed) {
      socket.write(BEAT);
      streamedBytes += BEAT.length;
      await task.clock.sleep(BEAT_EVERY_MS, gone).catch(() => undefined);
    }
  }

  return {
    stage: () => stage,
    serves: (socket) => socket === guest,
    begin(socket, wanted, gone) {
      const from = wanted.kind === "continue" ? wanted.from : 0;
      const isContinued = from >= 1 && from <= streamedBytes + 1;
      const refused = whyRefused(isContinued);
      if (refused !== undefined) return void socket.end(`-ERR ${refused}\r\n`, () => socket.destroy());
      guest = socket;
      if (isContinued) goOn(socket, from, gone);
      else void send(socket, gone).catch(() => socket.destroy());
    },
    acknowledged(offset) {
      if (stage.kind === "sent" && offset >= PING.length) stage = { kind: "acknowledged" };
    },
    left() {
      if (stage.kind === "sent") stage = { kind: "sent", left: true };
      if (stage.kind === "sending") stage = cut(stage.doneBytes);
    },
    again() {
      if (stage.kind === "asked-again") stage = cut(snapshot.sizeBytes);
    },
  };
}

/** Returns once the system has taken it, so that no more than this waits in our memory. */
function written(socket: Socket, bytes: Buffer | string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
