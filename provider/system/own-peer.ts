import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";

/** The columns of Linux's table of TCP connections over IPv4. */
const [LOCAL, REMOTE, USER] = [1, 2, 7];
const ROOT = 0;

/**
 * Whether the other end of a connection over 127.0.0.1 is a process of this user's, or of root's, who could do as this
 * user anyway. Where the system doesn't tell (it isn't Linux) it counts as this user's.
 */
export async function isOwnPeer(socket: Pick<Socket, "localPort" | "remotePort">): Promise<boolean> {
  const table = await readFile("/proc/net/tcp", "utf8").catch(() => undefined);
  if (table === undefined) return true;
  const [its, ours] = [inTable(socket.remotePort), inTable(socket.localPort)];
  const row = table
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .find((columns) => columns[LOCAL]?.endsWith(its) === true && columns[REMOTE]?.endsWith(ours) === true);
  const user = Number(row?.[USER]);
  return user === process.geteuid?.() || user === ROOT;
}

/** `:1F90` */
function inTable(port = 0): string {
  return `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
}
