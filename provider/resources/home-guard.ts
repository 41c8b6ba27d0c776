import { Failure } from "../core/errors";
import type { HomeIdentity } from "../core/status";
import type { Platform } from "../platforms/contract";
import type { PlatformChoiceInput, Recorded } from "./recorded";

/** The part of a data home's id that a person compares. */
const shortId = (id: string) => id.slice(0, 8);

function describeHome(home: HomeIdentity): string {
  return `host ${home.host}, data home ${shortId(home.id)} (${home.path})`;
}

/**
 * Fails where the platform at hand is not the one that the resource lives on. Without it, a state used on another
 * machine would find nothing there, and a refresh would drop every add-on from it.
 */
export async function requireHome(
  platform: Platform,
  recorded: Pick<Recorded, "__home" | "__urn">,
  call: { readonly operation: string; readonly subject: string },
): Promise<HomeIdentity> {
  const home = await platform.home();
  if (home?.id === recorded.__home.id) return home;
  const here = home === undefined ? "there is no data home here" : `this is ${describeHome(home)}`;
  const urn = recorded.__urn === undefined ? "<urn>" : `'${recorded.__urn}'`;
  throw new Failure({
    code: "wrong-data-home",
    ...call,
    cause: `it lives on ${describeHome(recorded.__home)}; ${here}`,
    hint:
      `Run this on ${recorded.__home.host} with REDIS_ADDON_HOME (or the input platform.dataHome) naming that ` +
      `data home; if it no longer exists: pulumi state delete ${urn}`,
  });
}

/** Whether a change of the input `platform` names another data home; another spelling of the same folder moves nothing. */
export async function movesHome(
  platform: Platform,
  wanted: PlatformChoiceInput | undefined,
  recorded: Pick<Recorded, "__home" | "platform">,
): Promise<boolean> {
  if (wanted === undefined || wanted.dataHome === recorded.platform.dataHome) return false;
  return (await platform.home())?.id !== recorded.__home.id;
}

/** The data home that something was just recorded in. */
export async function homeOf(platform: Platform, subject: string): Promise<HomeIdentity> {
  const home = await platform.home();
  if (home !== undefined) return { id: home.id, host: home.host, path: home.path };
  throw new Failure({
    code: "home-missing",
    operation: "find the data home of",
    subject,
    cause: "it disappeared while the add-on was being changed",
    hint: "Run `pulumi up` again",
  });
}
