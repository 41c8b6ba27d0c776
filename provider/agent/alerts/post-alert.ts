import type { BackupAlert } from "../../core/backup-alerts";

const LIMIT_MS = 10_000;

/** Why an alert did not arrive, in words that hold nothing of the webhook's URL. */
export class Undelivered extends Error {}

/**
 * Posts an alert as JSON; any answer of 200 to 299 means that it arrived. Redirects are not followed: whoever is asked
 * to pass it on would learn what only the receiver shall. Aborted, it fails with the signal's reason.
 */
export async function postAlert(
  webhook: string,
  alert: BackupAlert,
  signal: AbortSignal,
  limitMs = LIMIT_MS,
): Promise<void> {
  const url = URL.canParse(webhook) ? new URL(webhook) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new Undelivered("it is no http or https URL");
  const headers = new Headers({ "content-type": "application/json", "user-agent": "pulumi-redis-addon" });
  if (url.username !== "" || url.password !== "") {
    headers.set("authorization", `Basic ${Buffer.from(namedBy(url)).toString("base64")}`);
    // fetch refuses them here, with a message that repeats them.
    url.username = url.password = "";
  }
  const limit = AbortSignal.timeout(limitMs);
  let status: number;
  try {
    const body = JSON.stringify(alert);
    const ended = AbortSignal.any([signal, limit]);
    const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal: ended });
    ({ status } = response);
    // Nobody reads it, and left alone it would keep its connection.
    await response.body?.cancel().catch(() => undefined);
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) throw new Undelivered(`it did not answer within ${limitMs / 1000} s`);
    throw new Undelivered(reasonOf(error));
  }
  if (status >= 300 && status < 400)
    throw new Undelivered(`it answered ${status}, and redirects are not followed`);
  if (status < 200 || status > 299) throw new Undelivered(`it answered ${status}`);
}

/** Where alerts go, for messages: what follows the host may hold a token. */
export function originOf(webhook: string): string {
  return URL.canParse(webhook) ? new URL(webhook).origin : "its webhook";
}

/** The system's code alone: messages may repeat the URL. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return typeof code === "string" ? `it can't be reached: ${code}` : "it can't be reached";
}

function namedBy({ username, password }: URL): string {
  const pair = `${username}:${password}`;
  try {
    return decodeURIComponent(pair);
  } catch {
    return pair;
  }
}
