import type { AddonRecord } from "../../../core/facets";
import type { LeaderAddress } from "../../../core/render";
import type { Clock } from "../../../core/task";
import { authority } from "../../../core/uri";
import type { HomeLayout } from "../../../platforms/local/home";
import { log } from "../../log";
import { credentialsFor } from "../guard/armed-link";
import { leaderOf } from "./leader-of";
import { TlsRelay } from "./tls-relay";

/** How the followers' servers reach their leaders: what each is to be told, and who speaks TLS for it. */
export class LeaderLinks {
  readonly #relays = new Map<string, TlsRelay>();
  /** Still used by servers that haven't been told of another address. */
  readonly #outdated = new Map<string, TlsRelay[]>();

  constructor(
    readonly layout: HomeLayout,
    readonly clock: Clock,
  ) {}

  /** The address that the add-on's server is to follow; absent: nobody's. Call `settle` once it has been told. */
  async of(record: AddonRecord): Promise<LeaderAddress | undefined> {
    const leader = await leaderOf(this.layout, record);
    const credentials = await credentialsFor(this.layout, record, leader);
    const relay = await this.#relayTo(record.name, leader);
    return leader && (relay?.addressFor(credentials) ?? { ...leader, ...credentials });
  }

  /** Ends what the add-on's server doesn't use any more. */
  async settle(name: string): Promise<void> {
    const outdated = this.#outdated.get(name) ?? [];
    this.#outdated.delete(name);
    for (const relay of outdated) await relay[Symbol.asyncDispose]();
  }

  /** Ends all that the add-on's server used. */
  async close(name: string): Promise<void> {
    this.#retire(name);
    await this.settle(name);
  }

  async #relayTo(name: string, leader: LeaderAddress | undefined): Promise<TlsRelay | undefined> {
    const known = this.#relays.get(name);
    if (leader?.tls !== undefined && known?.accepts(leader) === true) return known;
    this.#retire(name);
    if (leader?.tls === undefined) return undefined;
    const relay = await TlsRelay.open(leader, teller(name, leader, this.clock));
    this.#relays.set(name, relay);
    return relay;
  }

  #retire(name: string): void {
    const known = this.#relays.get(name);
    if (known === undefined) return;
    this.#relays.delete(name);
    this.#outdated.set(name, [...(this.#outdated.get(name) ?? []), known]);
  }
}

/** A server tries again each second: no cause is told more often than this. */
const SAY_EVERY_MS = 60_000;

function teller(name: string, { host, port }: LeaderAddress, clock: Clock): TlsRelay["onLink"] {
  const saidAt = new Map<string, number>();
  let last: string | undefined;
  return (failure) => {
    const cause = failure?.cause ?? "";
    const agoMs = clock.now() - (saidAt.get(cause) ?? -Infinity);
    // A clock that was set back must not silence it.
    if (cause === last || Math.abs(agoMs) < SAY_EVERY_MS) return;
    last = cause;
    saidAt.set(cause, clock.now());
    const leader = `its leader ${authority(host, port)}`;
    log(failure === undefined ? `${name}: linked to ${leader} by TLS` : `${name}: ${leader}: ${cause}`);
  };
}
