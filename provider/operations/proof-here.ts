import type { Proof } from "../core/job";
import { homePath, layoutOf } from "../platforms/local/home";
import { keptServers, serversOnPath } from "../platforms/local/servers";

/** What this machine has to verify backups with: the servers on the PATH, and those that the data home keeps. */
export async function proofHere(dataHome: string | undefined): Promise<Proof> {
  const [onPath, kept] = await Promise.all([serversOnPath(), keptServers(layoutOf(homePath(dataHome)))]);
  return { servers: [...onPath, ...kept].map(({ path, version }) => ({ path, version: version.spelling })) };
}
