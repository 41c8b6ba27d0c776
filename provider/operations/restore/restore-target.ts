import type { ServerWish } from "../../core/facets";
import { planOf } from "../../core/plans";
import { restoreProblems, type RestoreProblem, type RestoreTarget } from "../../core/restore-fit";
import { parseWanted } from "../../core/version";
import { layoutOf } from "../../platforms/local/home";
import { chooseServer, keptServers, serversOnPath } from "../../platforms/local/servers";
import type { Platform } from "../../platforms/contract";
import { freeBytes } from "../../system/free-bytes";
import type { ResolvedRestore } from "./restore-source";

/** What a backup has to fit: the server as it is wished, which may be more than it is now. Absent: not known yet. */
export type WishedServer = Partial<Pick<ServerWish, "plan" | "evictionPolicy" | "version">>;

/** What stands against restoring a backup into an add-on, by the backup's manifest. Reads only. */
export async function unfitness(
  platform: Platform,
  name: string,
  wish: WishedServer,
  {
    manifest: stored,
    snapshot,
    verification,
  }: Pick<ResolvedRestore, "manifest" | "snapshot" | "verification">,
): Promise<readonly RestoreProblem[]> {
  const manifest = stored ?? snapshot;
  if (manifest === undefined) return [];
  const [version, free] = await Promise.all([
    versionOf(platform, name, wish.version),
    freeBytesFor(platform, name),
  ]);
  const plan = wish.plan === undefined ? undefined : planOf(wish.plan);
  const target: RestoreTarget = {
    manifest,
    version,
    databases: plan?.databases,
    maxmemoryBytes: plan?.memoryBytes,
    evictionPolicy: wish.evictionPolicy,
    freeBytes: free,
    counts: verification?.counts,
  };
  return restoreProblems(target);
}

/** The version that it runs, or will: as it is chosen when the add-on is made or changed. */
async function versionOf(
  platform: Platform,
  name: string,
  given: string | undefined,
): Promise<string | undefined> {
  const present = (await platform.load(name))?.server.wish.version;
  const asked = given ?? present;
  const wanted = asked === undefined ? undefined : parseWanted(asked);
  if (present !== undefined && asked === present) return present;
  const home = await platform.home();
  const kept = home === undefined ? [] : await keptServers(layoutOf(home.path));
  return chooseServer(wanted, present, kept, await serversOnPath())?.version.spelling;
}

/** Of one that is to be made: on the disk of the data home, where that is there already. */
async function freeBytesFor(platform: Platform, name: string): Promise<number | undefined> {
  const placement = await platform.placement(name);
  if (placement !== undefined) return placement.freeBytes;
  const home = await platform.home();
  return home === undefined ? undefined : freeBytes(home.path).catch(() => undefined);
}
