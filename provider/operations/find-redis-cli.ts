import { access, constants, readdir, realpath } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { homePath, layoutOf } from "../platforms/local/home";

const NAMES = ["redis-cli", "valkey-cli"];
const SERVERS = ["redis-server", "valkey-server"];

/** A redis-cli or valkey-cli: on the PATH, or beside a server that is there or that the data home keeps. Absent: none. */
export async function findRedisCli(
  dataHome: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const onPath = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const { servers } = layoutOf(homePath(dataHome, environment));
  const kept = await readdir(servers).catch(() => []);
  const folders = [...onPath, ...(await besideServers(onPath)), ...kept.map((one) => join(servers, one))];
  for (const folder of folders)
    for (const name of NAMES) if (await isExecutable(join(folder, name))) return join(folder, name);
  return undefined;
}

/** Where the servers really lie that a link on the PATH leads to. */
async function besideServers(folders: readonly string[]): Promise<string[]> {
  const links = folders.flatMap((folder) => SERVERS.map((server) => join(folder, server)));
  const found = await Promise.all(links.map((link) => realpath(link).catch(() => undefined)));
  return found.filter((path) => path !== undefined).map((path) => dirname(path));
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
