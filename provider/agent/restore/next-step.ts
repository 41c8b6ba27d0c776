/** What lies in an add-on's folder while a restore is under way. */
export interface RestoreFolders {
  /** The data folder. `empty`: whoever saves a record makes it where it is missing. */
  readonly data: "absent" | "empty" | "filled";
  /** Whether a backup's data wait beside it. */
  readonly staged: boolean;
  /** Whether what was there before was put aside. */
  readonly replaced: boolean;
}

/**
 * - `set-aside`: the data folder, also one that holds nothing, becomes the replaced one.
 * - `put-in-place`: the staged folder becomes the data folder.
 * - `in-place`: the backup's data are the add-on's; whether they can be loaded is to be seen.
 * - `lost`: there are no data of the backup any more.
 * - `unclear`: somebody has put data there by hand meanwhile, and nobody knows which of them are to be kept.
 */
type Step = "set-aside" | "put-in-place" | "in-place" | "lost" | "unclear";

/**
 * What comes next of an exchange that was begun, wherever it was cut off. Each step is one rename, which has happened or
 * has not; what was put aside is always there once the new data are in place, so that there is a way back.
 */
export function nextStep({ data, staged, replaced }: RestoreFolders): Step {
  if (staged && !replaced) return "set-aside";
  if (staged) return data === "filled" ? "unclear" : "put-in-place";
  return replaced && data === "filled" ? "in-place" : "lost";
}

/**
 * - `drop-staged`, `drop-data`: what is left of the backup's data goes.
 * - `put-back`: the replaced folder becomes the data folder again.
 * - `undone`: what was there before is there.
 */
type StepBack = "drop-staged" | "drop-data" | "put-back" | "undone" | "unclear";

/** What comes next on the way back, once that was decided: then the data folder beside a replaced one is the new one. */
export function nextStepBack({ data, staged, replaced }: RestoreFolders): StepBack {
  if (staged) return replaced && data === "filled" ? "unclear" : "drop-staged";
  if (!replaced) return "undone";
  return data === "absent" ? "put-back" : "drop-data";
}
