// Which runs of vitest the arguments of `npm test` ask for.

const everyday = ["unit", "contract", "pulumi"];
/** After the others: what a browser shows stands on what they test. */
const browser = ["browser"];

/**
 * @typedef {object} Run
 * @property {string[]} tiers vitest's projects
 * @property {boolean} isWhole whether every test of these tiers is to run, so that a tier without any is a mistake
 * @property {string[]} args for vitest
 */

/**
 * @param {string[]} args `--heavy`: the heavy tier too, after the others, once they have passed; the rest is for vitest
 * @returns {Run[]}
 */
export function runsFor(args) {
  const rest = args.filter((arg) => arg !== "--heavy");
  const named = projectsIn(rest);
  const isWhole = rest.length === 0;
  if (named.length > 0) return [{ tiers: named, isWhole, args: calm(named, rest) }];
  // Chosen files are looked for in one run: vitest fails where it finds none.
  const groups = isWhole ? [everyday, browser] : [[...everyday, ...browser]];
  if (args.includes("--heavy")) groups.push(["heavy"]);
  return groups.map((tiers) => ({
    tiers,
    isWhole,
    args: calm(tiers, [...tiers.map((tier) => `--project=${tier}`), ...rest]),
  }));
}

/**
 * Heavy tests load the machine and measure on it, and each browser test has a browser, an agent and servers of its own:
 * more than two at once would disturb each other.
 */
const calm = (tiers, args) =>
  tiers.every((tier) => tier === "heavy" || tier === "browser") ? ["--maxWorkers=2", ...args] : args;

function projectsIn(args) {
  return args.flatMap((arg, i) => {
    if (arg === "--project") return args.slice(i + 1, i + 2);
    return arg.startsWith("--project=") ? [arg.slice("--project=".length)] : [];
  });
}
