import { z } from "zod";

const IPv4 = z.ipv4();
const Address = z.union([IPv4, z.ipv6()]);

/** Every address of one family. Redis takes `::` for the addresses of version 6 alone. */
const EVERY_V4 = ["0.0.0.0", "*"];
const EVERY_V6 = ["::"];

/** The addresses that a server listens on, as `bind` lists them: separated by blanks, as in redis.conf. */
export function bindAddresses(bind: string): string[] {
  return bind.split(/\s+/).filter((address) => address !== "");
}

/** Whether an address stands for every one of its family. */
export function isWildcard(address: string): boolean {
  return EVERY_V4.includes(address) || EVERY_V6.includes(address);
}

/** Why no server could listen on these addresses, whatever the machine, with the remedy; absent: one could. */
export function bindProblem(bind: string): string | undefined {
  const addresses = bindAddresses(bind);
  if (addresses.length === 0)
    return "it names no address: write one such as 127.0.0.1, or leave it out to have that one";
  for (const address of addresses)
    if (!isWildcard(address) && !Address.safeParse(address).success)
      return `"${address}" is no IP address: write one of this machine's, or 0.0.0.0 for all of them`;
  const twice = addresses.find((address, i) => addresses.indexOf(address) !== i);
  if (twice !== undefined) return `it names ${twice} twice: write it once`;
  for (const every of addresses.filter(isWildcard)) {
    // Redis would fail at the second: the first has taken its port already.
    const covered = addresses.find((other) => other !== every && isV4(other) === isV4(every));
    if (covered !== undefined) return `${every} includes ${covered}: leave one of them out`;
  }
  return undefined;
}

function isV4(address: string): boolean {
  return EVERY_V4.includes(address) || IPv4.safeParse(address).success;
}
