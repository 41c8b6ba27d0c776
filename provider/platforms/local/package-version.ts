/**
 * Negative, zero or positive, as semver.org orders versions: a pre-release comes before its release (1.0.0-beta before
 * 1.0.0), and numbers in it compare as numbers. What stands behind a `+` doesn't count.
 */
export function comparePackageVersions(a: string, b: string): number {
  const [left, right] = [parsed(a), parsed(b)];
  const released = compareParts(left.numbers, right.numbers);
  if (released !== 0) return released;
  if (left.preRelease.length === 0 || right.preRelease.length === 0)
    return right.preRelease.length - left.preRelease.length;
  return compareParts(left.preRelease, right.preRelease);
}

function parsed(version: string): { numbers: string[]; preRelease: string[] } {
  const [plain = ""] = version.split("+");
  const hyphen = plain.indexOf("-");
  return hyphen < 0
    ? { numbers: plain.split("."), preRelease: [] }
    : { numbers: plain.slice(0, hyphen).split("."), preRelease: plain.slice(hyphen + 1).split(".") };
}

function compareParts(left: readonly string[], right: readonly string[]): number {
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [mine, theirs] = [left[i], right[i]];
    if (mine === undefined || theirs === undefined) return mine === undefined ? -1 : 1;
    if (mine === theirs) continue;
    const [mineIsNumber, theirsIsNumber] = [/^\d+$/.test(mine), /^\d+$/.test(theirs)];
    if (mineIsNumber && theirsIsNumber) return Number(mine) - Number(theirs);
    if (mineIsNumber !== theirsIsNumber) return mineIsNumber ? -1 : 1;
    return mine < theirs ? -1 : 1;
  }
  return 0;
}
