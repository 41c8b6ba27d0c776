/** What the engine hands over and takes back: a resource's inputs or outputs as plain JSON. */
export type Properties = Readonly<Record<string, unknown>>;

/**
 * How a value that isn't known before the update reaches check and diff in a preview. Pulumi's protocol constant
 * (`pulumi.runtime.unknownValue`), spelt out because loading the Pulumi SDK costs most of a second.
 */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/**
 * What our SDK classes pass for an output that no input names, because the engine's preview of an update knows only
 * the outputs that stand among the inputs. check replaces it with what is recorded, or drops it.
 */
export const PLACEHOLDER = "(computed)";

/** Bumped when what states record changes in a way that older code can't read. */
export const STATE_VERSION = 1;

/** Whether a value is unknown, or holds something that is. */
export function holdsUnknown(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  if (Array.isArray(value)) return value.some(holdsUnknown);
  return typeof value === "object" && value !== null && Object.values(value).some(holdsUnknown);
}

/** The same properties as the protocol takes them: it throws on undefined and mangles dates. */
export function plain(properties: Properties): Record<string, unknown> {
  return JSON.parse(JSON.stringify(properties)) as Record<string, unknown>;
}

export function isHidden(key: string): boolean {
  return key.startsWith("__");
}

/** How the engine's protocol spells a secret (Pulumi's own constants). */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/**
 * The same properties with what lies at these paths (`password`, `leader.password`) marked as a secret.
 *
 * The engine carries the mark of an input over to what a handler returns under the same name, but a read may return
 * inputs that had no such name before, and those would end up in the state in clear.
 */
export function withSecrets(properties: Properties, paths: readonly string[]): Record<string, unknown> {
  const marked: Record<string, unknown> = { ...properties };
  for (const path of paths) {
    const [key = "", ...rest] = path.split(".");
    const value = marked[key];
    if (value === undefined) continue;
    if (rest.length === 0) marked[key] = { [SIGNATURE]: SECRET, value };
    else if (typeof value === "object" && value !== null)
      marked[key] = withSecrets(value as Properties, [rest.join(".")]);
  }
  return marked;
}
