import { connect, isIPv6 } from "node:net";
import { once } from "node:events";
import { Failure } from "../../core/errors";
import type { Task } from "../../core/task";
import { authority } from "../../core/uri";

/** Where a target's connection is awaited, and what it is told. */
export interface ListenWish {
  /** An address of this machine, and a port, 0 for any; absent: the address by which this machine reaches the target. */
  readonly listen?: { readonly host: string; readonly port: number } | undefined;
  /** This machine as the target reaches it; a port where one is mapped to ours. Absent: as it listens. */
  readonly announce?: { readonly host: string; readonly port?: number | undefined } | undefined;
}

interface Place {
  readonly listen: { readonly host: string; readonly port: number };
  /** Port 0: the one that is listened on. */
  readonly announce: { readonly host: string; readonly port: number };
}

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Decides it. Fails with `not-reached` where the target sees this machine at another address than it has, as through
 * NAT or from a container, and nobody said what leads here.
 */
export async function whereWeListen(
  { listen, announce }: ListenWish,
  target: { readonly host: string; readonly port: number; readonly seesUsAs: string | undefined },
  task: Pick<Task, "signal">,
): Promise<Place> {
  const seen = target.seesUsAs === undefined ? undefined : plain(target.seesUsAs);
  if (listen !== undefined) {
    const host = announce?.host ?? (isWildcard(listen.host) ? seen : listen.host);
    if (host === undefined || host === "")
      throw notReached(target, "it doesn't tell at which address it sees this machine", "");
    return { listen, announce: { host, port: announce?.port ?? 0 } };
  }
  const own = await localAddress(target, task.signal);
  if (announce === undefined && seen !== undefined && seen !== "" && seen !== own)
    throw notReached(
      target,
      `it sees this machine as ${seen}, and this machine reaches it from ${own}: there is NAT or a container's network between the two`,
      seen,
    );
  return {
    listen: { host: own, port: 0 },
    announce: { host: announce?.host ?? own, port: announce?.port ?? 0 },
  };
}

/** The address of this machine from which it reaches the target. */
async function localAddress(
  { host, port }: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<string> {
  const socket = connect({ host, port });
  try {
    await once(socket, "connect", {
      signal: AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]),
    });
    return plain(socket.localAddress ?? "");
  } finally {
    socket.on("error", () => undefined);
    socket.destroy();
  }
}

/** An IPv4 address as itself, also where a socket of both families spells it. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}

function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || (isIPv6(host) && /^[0:]+$/.test(host));
}

function notReached(
  { host, port }: { readonly host: string; readonly port: number },
  why: string,
  seen: string,
): Failure {
  return new Failure({
    code: "not-reached",
    operation: "restore into",
    subject: authority(host, port),
    cause: `it may not be able to reach this machine: ${why}`,
    hint:
      `Nothing was touched. Say what leads here: --listen 0.0.0.0:<port> --announce ${seen === "" ? "<host as it sees it>" : seen}; ` +
      "or restore into a folder: --folder <path>",
  });
}
