import type { Platform } from "../platforms/contract";

/** Where servers run; `dataHome` absent: REDIS_ADDON_HOME, else `${XDG_DATA_HOME:-~/.local/share}/redis-addon`. */
export interface PlatformChoice {
  readonly kind: "local";
  readonly dataHome?: string | undefined;
}

/** Loads only the platform that was chosen, so that a provider process stays small. */
export async function openPlatform(choice: PlatformChoice): Promise<Platform> {
  const { localPlatform } = await import("../platforms/local/local-platform.js");
  return localPlatform(choice.dataHome);
}
