/** What the leader's side does about one command of whoever has connected. */
export type Response =
  | { readonly kind: "say"; readonly line: string }
  /** Says it and hangs up. */
  | { readonly kind: "part"; readonly line: string }
  /** It wants the whole snapshot. */
  | { readonly kind: "snapshot" }
  /** It has the snapshot, and wants what follows from this byte of the stream on; the first is 1. */
  | { readonly kind: "continue"; readonly from: number }
  | { readonly kind: "acknowledged"; readonly offset: number }
  | { readonly kind: "nothing" };

interface Handshake {
  readonly respond: (words: readonly string[]) => Response;
  /** Whether it has said who it is. */
  readonly isKnown: () => boolean;
}

/** A replica of any version says no more than half as much before it asks for the snapshot. */
const MOST_COMMANDS = 32;
/** PING and AUTH. */
const MOST_OF_STRANGERS = 4;
/** What a replica tells of itself; nothing of it changes what it is sent. */
const TELLS = new Set(["listening-port", "ip-address", "capa", "version"]);

const say = (line: string): Response => ({ kind: "say", line });
const part = (line: string): Response => ({ kind: "part", line });

/**
 * The leader's half of the handshake, as Redis 6.2 and newer and Valkey speak it: nothing but PING is answered before
 * the right user name and password, and one wrong try ends it.
 */
export function handshake({
  isRight,
  replicationId,
}: {
  readonly isRight: (username: string, password: string) => boolean;
  readonly replicationId: string;
}): Handshake {
  let known = false;
  let asked = 0;
  let streams = false;

  const psync = ([id = "", digits = ""]: readonly string[]): Response => {
    streams = true;
    // Only who has loaded the snapshot knows the id.
    if (id === replicationId && /^\d{1,15}$/.test(digits)) return { kind: "continue", from: Number(digits) };
    return { kind: "snapshot" };
  };

  return {
    isKnown: () => known,
    respond([name = "", ...words]) {
      const command = name.toUpperCase();
      if (!streams && ++asked > (known ? MOST_COMMANDS : MOST_OF_STRANGERS))
        return part("-ERR too many commands");
      if (command === "AUTH") {
        const [username = "", password = ""] = words;
        known = words.length === 2 && isRight(username, password);
        return known ? say("+OK") : part("-WRONGPASS invalid username-password pair or user is disabled.");
      }
      if (!known) {
        const refused = "-NOAUTH Authentication required.";
        return command === "PING" ? say(refused) : part(refused);
      }
      switch (command) {
        case "PING":
          return say("+PONG");
        case "REPLCONF":
          return replconf(words);
        case "PSYNC":
          return psync(words);
        default:
          return part("-ERR unknown command");
      }
    },
  };
}

function replconf(words: readonly string[]): Response {
  const option = words[0]?.toLowerCase() ?? "";
  if (option === "ack") {
    const offset = Number(words[1]);
    return Number.isSafeInteger(offset) ? { kind: "acknowledged", offset } : { kind: "nothing" };
  }
  const strange = words.find((word, i) => i % 2 === 0 && !TELLS.has(word.toLowerCase()));
  // A replica goes on without what its leader doesn't know.
  return strange === undefined ? say("+OK") : say("-ERR Unrecognized REPLCONF option");
}
