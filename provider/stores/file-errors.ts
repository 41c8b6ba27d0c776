import { pathToFileURL } from "node:url";
import { Failure } from "../core/errors";

/** The system's name of an error, `ENOENT`; empty for other errors. */
export function systemCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

const KNOWN: Readonly<Record<string, { code: string; cause: string; hint?: string; transient?: boolean }>> = {
  ENOENT: { code: "not-found", cause: "there is no such file" },
  EEXIST: { code: "not-a-folder", cause: "a part of the path is a file", hint: "Choose another folder" },
  ENOSPC: { code: "no-space", cause: "the disk is full", hint: "Free some space on it", transient: true },
  EDQUOT: { code: "no-space", cause: "the disk quota is used up", hint: "Free some space", transient: true },
  EFBIG: { code: "no-space", cause: "the file is larger than this file system or process may write" },
  EACCES: { code: "forbidden", cause: "permission is missing", hint: "Give this user access to the folder" },
  EPERM: { code: "forbidden", cause: "the file system does not permit it (hard links are needed)" },
  ENOTSUP: { code: "forbidden", cause: "the file system cannot do it (hard links are needed)" },
  ENOSYS: { code: "forbidden", cause: "the file system cannot do it (hard links are needed)" },
  EROFS: { code: "forbidden", cause: "the file system is read-only" },
  ELOOP: { code: "not-a-folder", cause: "a link in the path leads back to itself", hint: "Correct the link" },
  ENOTDIR: { code: "not-a-folder", cause: "a part of the path is a file", hint: "Choose another folder" },
};

export function fileFailure(error: unknown, operation: string, path: string): Failure {
  if (error instanceof Failure) return error;
  const subject = pathToFileURL(path).href;
  const known = KNOWN[systemCode(error)];
  if (known !== undefined) return new Failure({ operation, subject, ...known });
  return new Failure({
    code: "unexpected",
    operation,
    subject,
    cause: error instanceof Error ? error.message : String(error),
  });
}
