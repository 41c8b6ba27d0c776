import type { Failure } from "../../core/errors";
import { type Leader, leaderFailure, quote } from "./leader";

interface Meaning {
  readonly code: string;
  readonly cause: string;
  readonly hint?: string;
  readonly transient?: boolean;
}

/** By the code that Redis's error begins with. */
const BY_CODE: Readonly<Record<string, Meaning>> = {
  WRONGPASS: {
    code: "wrong-password",
    cause: "it refuses the user name or password",
    hint: "Check the password, and the user name if one is given",
  },
  NOAUTH: {
    code: "password-needed",
    cause: "it asks for a password and none was given",
    hint: "Give its password",
  },
  DENIED: {
    code: "protected-mode",
    cause: "it runs in protected mode and takes connections from its own machine only",
    hint: "Give it a password",
  },
  LOADING: {
    code: "leader-loading",
    cause: "it is still loading its data (LOADING)",
    hint: "Try again when it has finished",
    transient: true,
  },
  BUSY: {
    code: "leader-busy",
    cause: "a script or function holds it up (BUSY)",
    hint: "Try again when that has ended, or end it: SCRIPT KILL",
    transient: true,
  },
  NOMASTERLINK: withoutLink("NOMASTERLINK"),
  MASTERDOWN: withoutLink("MASTERDOWN"),
};

function withoutLink(code: string): Meaning {
  return {
    code: "leader-without-link",
    cause: `it follows a leader that it has no link to, and gives no snapshot until it has (${code})`,
    hint: "Bring its leader back, or promote it (REPLICAOF NO ONE on it), or back up its leader",
    transient: true,
  };
}

/** By what an error without a code of its own says. */
const BY_TEXT: readonly (Meaning & { readonly matches: RegExp })[] = [
  {
    matches: /max number of clients/i,
    code: "too-many-clients",
    cause: "it has as many clients as it takes (maxclients)",
    hint: "Close some connections to it, or raise its limit",
    transient: true,
  },
  {
    matches: /without any password configured/i,
    code: "wrong-password",
    cause: "it has no password, and one was given",
    hint: "Leave the password out",
  },
  {
    matches: /Unrecognized REPLCONF option/i,
    code: "leader-too-old",
    cause: "it is older than Redis 6.2, and has no snapshots for others than its followers",
    hint: "Back it up from a follower that runs Redis 6.2 or newer",
  },
  {
    matches: /unknown command .?(PSYNC|REPLCONF)/i,
    code: "not-permitted",
    cause: "it knows no replication: whoever runs it has switched that off",
    hint: "Ask its provider for PSYNC and REPLCONF; without them there is no snapshot over the wire",
  },
  {
    matches: /BGSAVE failed/i,
    code: "no-snapshot",
    cause: "it could not start a snapshot",
    hint: "Its log says why: a full disk or too little memory for a fork are the usual causes",
    transient: true,
  },
];

/** What a server refused, as a person needs it. */
export function refusal(leader: Leader, command: string, text: string): Failure {
  const code = /^[A-Z]+/.exec(text)?.[0] ?? "";
  if (code === "NOPERM")
    return leaderFailure(leader, "not-permitted", `the user may not run ${command}`, {
      hint: "Allow the user +psync +replconf +info",
    });
  const meaning = BY_CODE[code] ?? BY_TEXT.find(({ matches }) => matches.test(text));
  if (meaning !== undefined) return leaderFailure(leader, meaning.code, meaning.cause, meaning);
  // Redis repeats the arguments of a command that it doesn't know: of AUTH not even a part of the text may be shown.
  if (command === "AUTH") return leaderFailure(leader, "wrong-password", "it refuses to log in");
  return leaderFailure(leader, "refused", `it answers ${command} with: ${quote(leader, text)}`);
}

export function unexpected(leader: Leader, command: string, answer: string): Failure {
  return leaderFailure(leader, "unexpected-answer", `it answers ${command} with: ${quote(leader, answer)}`);
}
