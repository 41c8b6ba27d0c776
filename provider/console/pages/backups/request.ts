import type { Context } from "hono";
import type { ConsoleContext } from "../../context";

/** What one request about an add-on's backups is about. */
export interface BackupRequest {
  readonly c: Context;
  readonly context: ConsoleContext;
  /** The add-on's, which is there. */
  readonly name: string;
  /** As names spell it; empty where the request is about all of them. */
  readonly slot: string;
}
