import type { Verification } from "../../core/verification";

/** What looking at a backup found, without what says which one was looked at and when. */
export type Found = Pick<Verification, "outcome" | "why" | "server" | "counts">;
