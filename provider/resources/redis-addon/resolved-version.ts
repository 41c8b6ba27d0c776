import type { AddonRecord } from "../../core/facets";
import { parseSpelling, parseWanted, satisfies } from "../../core/version";

/** The recorded version where it is what was asked for: `7.2` stays 7.2.4 whatever the PATH has since. */
export function resolvedVersion(record: AddonRecord, asked: string): string {
  const recorded = parseSpelling(record.server.wish.version);
  const wanted = parseWanted(asked);
  const fits = recorded !== undefined && wanted !== undefined && satisfies(recorded, wanted);
  return fits ? recorded.spelling : asked;
}
