import { Failure } from "../core/errors";
import { addressText, type RedisAddress } from "./redis-address";
import { passwordFor } from "./secrets";

/**
 * Does something with a Redis's password: that of the environment, one that is asked for where a user was named and
 * there is none, or as soon as the server turns out to want one.
 */
export async function withPassword<Result>(
  address: RedisAddress,
  { askPass }: { readonly askPass?: boolean },
  work: (password: string | undefined) => Promise<Result>,
): Promise<Result> {
  const password = passwordFor(addressText(address));
  const mustAsk = askPass === true || (password.given === undefined && address.username !== undefined);
  const first = mustAsk ? await password.ask() : password.given;
  try {
    return await work(first);
  } catch (error) {
    if (error instanceof Failure && error.code === "password-needed") return work(await password.ask());
    throw error;
  }
}
