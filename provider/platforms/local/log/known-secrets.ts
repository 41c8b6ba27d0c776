import type { AddonRecord } from "../../../core/facets";

/** Shorter ones would black out half of every line; nobody guards anything with them. */
const LEAST_CHARACTERS = 4;

/**
 * Takes secrets out of what a server wrote: Redis repeats a line of its configuration or of its users that it can't
 * read, and tells the arguments of the command that it crashed on.
 */
export function withoutSecrets(record: AddonRecord): (text: string) => string {
  const secrets = secretsOf(record)
    .filter((secret) => secret.length >= LEAST_CHARACTERS)
    // One that holds another one goes first, or its rest would stay.
    .sort((a, b) => b.length - a.length);
  return (text) =>
    secrets
      .reduce((shown, secret) => shown.replaceAll(secret, "[secret]"), text)
      .replace(/(\b(?:masterauth|requirepass)\s+)\S.*/i, "$1[secret]")
      .replace(/#[0-9a-f]{64}\b/g, "#[secret]")
      .replace(/^(\s*argv\[[1-9]\d*\] = ).*/, "$1[hidden]");
}

function secretsOf({ credentials, replication, backups }: AddonRecord): string[] {
  const leader = replication?.wish;
  const { credentials: keys, encryption, alerts } = backups?.wish ?? {};
  return [
    ...Object.values(credentials),
    ...(leader?.kind === "external" ? [leader.password, leader.tls?.key] : []),
    ...[keys?.secretAccessKey, keys?.sessionToken, alerts?.webhook],
    encryption !== undefined && "passphrase" in encryption ? encryption.passphrase : undefined,
  ].filter((secret) => secret !== undefined);
}
