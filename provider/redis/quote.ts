const LONGEST_QUOTE = 200;

/** A server's own words, fit to be shown: it may repeat what it was sent, at any length, and steer a terminal. */
export function quoted(said: string, secrets: readonly string[] = []): string {
  const safe = secrets
    .filter((secret) => secret !== "")
    .reduce((text, secret) => text.replaceAll(secret, "[secret]"), said);
  const printable = safe.replaceAll(/\p{C}/gu, "?");
  return printable.length <= LONGEST_QUOTE ? printable : `${printable.slice(0, LONGEST_QUOTE)}…`;
}
