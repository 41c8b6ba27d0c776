import { asFailure, Failure } from "../core/errors";
import type { Properties } from "./properties";

/** Shorter ones would turn every other word of a message into `[secret]` and hide nothing. */
const SHORTEST_SECRET = 3;

/**
 * An error that every call of the engine prints as one clean sentence: check, diff, read and delete are printed as
 * `${error}: ${error.stack}`, create and update as `error.message`.
 */
export class EngineError extends Error {
  readonly #code: string;

  constructor(failure: Failure, secrets: readonly string[]) {
    const message = scrubbed(failure.message, secrets);
    super(message);
    this.#code = failure.code;
    Object.defineProperty(this, "stack", { value: message, configurable: true });
  }

  override toString(): string {
    return this.#code;
  }
}

/** What the engine takes for "made, but not finished": it records the resource and tries again at the next update. */
export class PartialFailure extends EngineError {
  readonly id: string;
  readonly properties: Properties;
  /** The engine shows these and not the message; without any it would record nothing as failed. */
  readonly reasons: readonly string[];

  constructor(failure: Failure, secrets: readonly string[], made: { id: string; properties: Properties }) {
    super(failure, secrets);
    this.id = made.id;
    this.properties = made.properties;
    this.reasons = [this.message];
  }
}

export function tamed(
  error: unknown,
  operation: string,
  subject: string,
  properties: Properties[],
): EngineError {
  if (error instanceof EngineError) return error;
  return new EngineError(asFailure(error, operation, subject), secretsIn(properties));
}

const SECRET_NAME =
  /^(password|redisUrl|redisCliUrl|secretAccessKey|sessionToken|passphrase|identities|webhook)$/;

/** Every secret that the engine handed over: the last guard against one that found its way into a message. */
export function secretsIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (!SECRET_NAME.test(key)) return secretsIn(inner);
    // Of identities there is a list.
    return [inner].flat().flatMap((one) => (typeof one === "string" ? [one] : secretsIn(one)));
  });
}

export function scrubbed(text: string, secrets: readonly string[]): string {
  const spellings = secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]);
  return spellings
    .filter((spelling) => spelling.length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length)
    .reduce((scrubbing, spelling) => scrubbing.replaceAll(spelling, "[secret]"), text);
}
