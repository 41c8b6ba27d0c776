import type { OnReadOpts, Socket } from "node:net";

/** As much as the system's own buffer mostly holds. */
const BUFFER_BYTES = 256 * 1024;

/**
 * Reads a socket into one buffer, over and over: a chunk is good until the next is asked for. A snapshot would otherwise
 * pass through a new buffer for every 64 KB, and to collect those costs as much as a fifth of compressing it.
 */
export function reusedBuffer(): { readonly onread: OnReadOpts; from(socket: Socket): AsyncIterator<Buffer> } {
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  /** Bytes that came and nobody has asked for yet. */
  let arrivedBytes = 0;
  let ended = false;
  let failure: Error | undefined;
  let wake: () => void = () => undefined;
  return {
    onread: {
      buffer,
      callback(bytes) {
        arrivedBytes = bytes;
        wake();
        // Pauses it until it is resumed.
        return false;
      },
    },
    from(socket) {
      socket.once("error", (error) => (failure = error));
      for (const event of ["end", "close"])
        socket.once(event, () => {
          ended = true;
          wake();
        });
      return {
        async next() {
          while (arrivedBytes === 0 && !ended) {
            const changed = new Promise<void>((resolve) => (wake = resolve));
            socket.resume();
            await changed;
          }
          const value = buffer.subarray(0, arrivedBytes);
          arrivedBytes = 0;
          if (value.length > 0) return { done: false, value };
          if (failure !== undefined) throw failure;
          return { done: true, value: undefined };
        },
      };
    },
  };
}
