import type { Encryption } from "../core/encryption";
import { Failure } from "../core/errors";

/** Why archives can't be encrypted so; absent: they can. What a pattern can't tell: a recipient with a misspelt letter. */
export async function encryptionProblem(encryption: Encryption): Promise<string | undefined> {
  const { checkRecipients } = await import("../backup/archive/encrypt.js");
  try {
    await checkRecipients(encryption);
    return undefined;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return `${error.subject}: ${error.cause}. ${error.hint}`;
  }
}
