const FEWEST = 8;
/** In UTF-8 at most 2 KiB: Redis hears out no argument above 16 KiB from a client that hasn't logged in yet. */
const MOST = 512;

/**
 * Why this can't be a password; absent: it can, and every client takes it in every form of URL (see `uri.ts`). Of the
 * reason no part is the password's. What is left out is what gets lost on the way, not what Redis refuses: an
 * environment can't hold a zero byte, a file of variables no end of a line, UTF-8 no half a character.
 */
export function passwordProblem(password: string): string | undefined {
  const length = Array.from(password).length;
  if (length < FEWEST || length > MOST) return `write ${FEWEST} to ${MOST} characters`;
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(password) || !password.isWellFormed())
    return "leave out line ends and other characters that can't be printed";
  return undefined;
}
