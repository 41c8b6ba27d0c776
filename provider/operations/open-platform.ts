import { Failure } from "../core/errors";
import type { Platform } from "../platforms/contract";
import { judgeNode } from "./doctor/judge/program";

/** Where servers run; `dataHome` absent: REDIS_ADDON_HOME, else `${XDG_DATA_HOME:-~/.local/share}/redis-addon`. */
export interface PlatformChoice {
  readonly kind: "local";
  readonly dataHome?: string | undefined;
}

/**
 * Loads only the platform that was chosen, so that a provider process stays small.
 *
 * @throws {Failure} `node-too-old`: of that Node.js none of it can be loaded
 */
export async function openPlatform(choice: PlatformChoice, node = process.version): Promise<Platform> {
  const { result, why } = judgeNode(node);
  if (result === "problem")
    throw new Failure({
      ...{ code: "node-too-old", operation: "use", subject: `Node.js ${node} (${process.execPath})` },
      cause: why ?? "it is too old",
      hint: "Put a newer one first on the PATH: https://nodejs.org",
    });
  const { localPlatform } = await import("../platforms/local/local-platform.js");
  return localPlatform(choice.dataHome);
}
