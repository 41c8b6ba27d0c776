import { Failure } from "../../core/errors";

/** Codes that say something of the archive itself, not of the way to it or of the disk that it is unpacked on. */
const CODES = ["archive-damaged", "archive-truncated", "needs-key", "wrong-key"] as const;
type ArchiveCode = (typeof CODES)[number];

const HINTS: Readonly<Record<ArchiveCode, string>> = {
  "archive-damaged": "Use another backup: redis-addon backup list shows them",
  "archive-truncated": "Use another backup: redis-addon backup list shows them",
  "needs-key": "Give an identity of one of its recipients, or its passphrase",
  "wrong-key":
    "Give an identity of one of the recipients that its manifest names, or the passphrase of its time",
};

export function archiveFailure(code: ArchiveCode, archive: string, cause: string): Failure {
  return new Failure({
    code,
    operation: "read",
    subject: `the archive ${archive}`,
    cause,
    hint: HINTS[code],
  });
}

export function isArchiveFailure(error: unknown): error is Failure {
  return error instanceof Failure && CODES.some((code) => code === error.code);
}

/** What reading an archive fails with where the archive itself is at fault: another reading may find it whole. */
export function isDamage(error: unknown): error is Failure {
  return error instanceof Failure && ["archive-damaged", "archive-truncated"].includes(error.code);
}
