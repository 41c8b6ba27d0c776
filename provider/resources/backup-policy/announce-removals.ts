import type { BackupsWish } from "../../core/facets";
import type { Platform } from "../../platforms/contract";
import type { CheckCall } from "../../pulumi/definition";
import type { Operations } from "../operations";
import { backupsWish, type BackupPolicyInputs } from "./inputs";
import { announcement } from "./removal-words";

/** What decides which backups stay, and where they lie. */
const DECISIVE = ["schedule", "retention", "destination", "credentials"];

interface Change extends Pick<CheckCall<BackupPolicyInputs>, "inputs" | "unknown" | "row"> {
  /** The add-on. */
  readonly name: string;
  /** In force now. */
  readonly from: BackupsWish;
}

/** Says on the row which backups go that stay today. */
export async function announceRemovals(
  operations: Operations,
  platform: Platform,
  { name, from, inputs, unknown, row }: Change,
): Promise<void> {
  const to = backupsWish(inputs);
  if (to === undefined || DECISIVE.some((input) => unknown.has(input))) return;
  const change = { name, from, to };
  const preview = await operations.previewRetention(platform, change);
  for (const { severity, message } of announcement(change, preview)) await row[severity](message);
}
