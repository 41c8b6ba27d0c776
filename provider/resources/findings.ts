import type { CheckFailure } from "../pulumi/validate";
import type { Finding, Platform } from "../platforms/contract";

/** Inputs of which the engine would print an object's worth of noise beside the reason. */
const OBJECTS = ["platform"];

export function fromFinding({ property, reason }: Finding): CheckFailure {
  const nameable = !property.includes(".") && !OBJECTS.includes(property);
  return nameable ? { property, reason } : { property: "", reason: `\`${property}\`: ${reason}` };
}

/** A failure for an input that should name an add-on of this platform and doesn't. */
export async function missingAddon(
  platform: Platform,
  property: string,
  name: string,
): Promise<CheckFailure | undefined> {
  if ((await platform.load(name)) !== undefined) return undefined;
  const home = await platform.home();
  const where =
    home === undefined ? "there is no data home here" : `the data home ${home.path} has none of that name`;
  return {
    property,
    reason: `there is no add-on ${name}: ${where}. Pass the RedisAddon itself, or check the name: redis-addon list`,
  };
}
