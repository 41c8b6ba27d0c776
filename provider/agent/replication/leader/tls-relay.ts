import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { Failure } from "../../../core/errors";
import type { LeaderAddress } from "../../../core/render";
import { authority } from "../../../core/uri";
import { redisFailure } from "../../../redis/failures";
import { tlsOptions } from "../../../redis/tls-options";
import { isOwnPeer } from "../../../system/own-peer";

const CONNECT_TIMEOUT_MS = 10_000;
/** How long a leader may take to end its side once the follower has ended its own. */
const LINGER_MS = 10_000;
const LOOPBACK = "127.0.0.1";
/** An end that has said all may still have to hear something. */
const SOCKET = { allowHalfOpen: true, noDelay: true, keepAlive: true } as const;

/** Why a link could not be had or was lost; absent: it was made. */
type OnLink = (failure: Failure | undefined) => void;

/**
 * Speaks TLS to a leader on behalf of a follower's server, which asks for no name, checks none, and may have been built
 * without TLS. Both sides say to each other what they would by themselves, passwords included: nothing is read here.
 */
export class TlsRelay implements AsyncDisposable {
  readonly #server: Server;
  readonly #links = new Set<Socket>();
  #leader: LeaderAddress;

  private constructor(
    leader: LeaderAddress,
    readonly onLink: OnLink,
  ) {
    this.#leader = leader;
    this.#server = createServer(SOCKET, (follower) => {
      this.#keep(follower);
      void this.#relay(follower);
    });
  }

  /** Begins to listen, on this machine's own address and a port that the system chooses. */
  static async open(leader: LeaderAddress, onLink: OnLink): Promise<TlsRelay> {
    const relay = new TlsRelay(leader, onLink);
    await once(relay.#server.listen(0, LOOPBACK), "listening");
    return relay;
  }

  /** Where the follower's server finds it; it logs in there as it would at the leader. */
  addressFor({ username, password }: Pick<LeaderAddress, "username" | "password">): LeaderAddress {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the relay to the leader is closed");
    return { host: LOOPBACK, port: address.port, username, password };
  }

  /** Takes what is told of the same leader for the next link; false: it is another leader. */
  accepts(leader: LeaderAddress): boolean {
    if (leader.host !== this.#leader.host || leader.port !== this.#leader.port) return false;
    this.#leader = leader;
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#links) socket.destroy();
    await closed;
  }

  async #relay(follower: Socket): Promise<void> {
    // Others could speak to the leader from here with a certificate that isn't theirs.
    if (!(await isOwnPeer(follower))) return void follower.resetAndDestroy();
    const { host, port, tls = {} } = this.#leader;
    let greeting = false;
    const lost = (error: unknown): void => {
      const subject = `the leader ${authority(host, port)}`;
      const secrets = tls.key === undefined ? [] : [tls.key];
      const about = { serverName: tls.serverName ?? host, greeting };
      this.onLink(redisFailure(error, { operation: "follow", subject, secrets, tls: about }));
    };
    let leader: TLSSocket;
    try {
      leader = connectTls({ host, port, ...SOCKET, ...tlsOptions(host, tls) });
    } catch (error) {
      // Files that are no PEM are found out before anything is connected.
      lost(error);
      return void follower.resetAndDestroy();
    }
    this.#keep(leader);
    leader.on("error", lost);
    leader.setTimeout(CONNECT_TIMEOUT_MS, () => leader.destroy(new Error("connect ETIMEDOUT")));
    leader.once("connect", () => (greeting = true));
    leader.once("secureConnect", () => {
      greeting = false;
      leader.setTimeout(0);
      // Each reads no faster than the other side takes, and passes on the end of its own direction alone.
      follower.pipe(leader);
      leader.pipe(follower);
      // It may still refuse the certificate that it was shown.
      leader.once("data", () => this.onLink(undefined));
    });
    // What came before the leader was lost still reaches the follower.
    leader.once("close", () => follower.end());
    follower.once("end", () => leader.setTimeout(LINGER_MS, () => leader.destroy()));
    follower.once("close", () => leader.destroy());
    if (follower.destroyed) leader.destroy();
  }

  #keep(socket: Socket): void {
    this.#links.add(socket);
    // Whoever is connected to the other end hears of it by the end of that.
    socket.on("error", () => undefined);
    socket.once("close", () => this.#links.delete(socket));
  }
}
