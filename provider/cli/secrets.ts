import { Failure } from "../core/errors";
import { askHidden, canAsk } from "./prompt";

/** What redis-cli reads its password from as well. */
export const PASSWORD_VARIABLE = "REDISCLI_AUTH";
export const PASSPHRASE_VARIABLE = "REDIS_ADDON_PASSPHRASE";

/** A secret from the environment, which loses it: no process that is started from here shall inherit it. */
function takeVariable(name: string): string | undefined {
  const value = process.env[name];
  delete process.env[name];
  return value === "" ? undefined : value;
}

/** Where a Redis's password comes from: the environment, or a person who is asked. */
export interface PasswordSource {
  readonly given: string | undefined;
  ask(): Promise<string>;
}

export function passwordFor(address: string): PasswordSource {
  return {
    given: takeVariable(PASSWORD_VARIABLE),
    ask: () => askFor(`Password of ${address}: `, "the password of a Redis", address, PASSWORD_VARIABLE),
  };
}

/** The passphrase of encrypted archives; asked for twice where it is to encrypt, for a typing error loses the backup. */
export async function passphraseFor(what: string, isNew: boolean): Promise<string> {
  const given = takeVariable(PASSPHRASE_VARIABLE);
  if (given !== undefined) return given;
  const question = `Passphrase ${isNew ? "to encrypt" : "of"} ${what}: `;
  const passphrase = await askFor(question, "the passphrase of", what, PASSPHRASE_VARIABLE);
  if (isNew && (await askHidden("The same again: ")) !== passphrase)
    throw noSecret("the passphrase of", what, "the two that were typed differ", "Try again");
  return passphrase;
}

async function askFor(question: string, operand: string, subject: string, variable: string): Promise<string> {
  if (!canAsk())
    throw noSecret(
      operand,
      subject,
      `${variable} is not set, and there is no terminal to ask at`,
      `Set ${variable} in the command's environment`,
    );
  const answer = await askHidden(question);
  if (answer === "") throw noSecret(operand, subject, "nothing was typed", `Type it, or set ${variable}`);
  return answer;
}

function noSecret(operand: string, subject: string, cause: string, hint: string): Failure {
  return new Failure({ code: "no-secret", operation: `get ${operand}`, subject, cause, hint });
}
