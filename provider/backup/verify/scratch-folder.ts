import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { identify, isAlive } from "../../system/processes";

const PREFIX = "redis-addon-verify-";
const OWNER_FILE = "owner.json";
/** One whose owner can't be asked, because it is of another machine or container that shares the disk, is dead by then. */
const DEAD_AFTER_MS = 24 * 60 * 60_000;

const OwnerSchema = z.object({ place: z.string(), pid: z.number(), startedAt: z.string() });

/** A folder for this user alone, removed with all that is in it in any case. */
export interface ScratchFolder extends AsyncDisposable {
  readonly path: string;
}

/** Makes one, so that another run recognises it as a leftover should this process be killed. */
export async function makeScratchFolder(parent: string): Promise<ScratchFolder> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const path = await mkdtemp(join(parent, PREFIX));
  const dispose = () => rm(path, { recursive: true, force: true, maxRetries: 3 });
  try {
    const owner = { place: await thisPlace(), ...(await identify(process.pid)) };
    await writeFile(join(path, OWNER_FILE), JSON.stringify(owner), { mode: 0o600 });
    return { path, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/**
 * Removes what verifications that were killed have left in a scratch folder, and in the system's: what they had
 * extracted may be in clear.
 */
export async function removeLeftovers(scratchFolder: string | undefined, now: number): Promise<void> {
  for (const parent of new Set([scratchFolder ?? tmpdir(), tmpdir()])) await removeFrom(parent, now);
}

/** What can't be looked at or removed stays. */
async function removeFrom(parent: string, now: number): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((name) => name.startsWith(PREFIX))) {
    const path = join(parent, name);
    if (await isLeftover(path, now)) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function isLeftover(path: string, now: number): Promise<boolean> {
  try {
    const { mtimeMs, uid } = await stat(path);
    // In a folder that everybody may write to, somebody else's could be made to lead us elsewhere while we remove it.
    if (uid !== process.getuid?.()) return false;
    const text = await readFile(join(path, OWNER_FILE), "utf8").catch(() => "null");
    const owner = OwnerSchema.safeParse(JSON.parse(text)).data;
    if (owner?.place === (await thisPlace())) return !(await isAlive(owner));
    return now - mtimeMs > DEAD_AFTER_MS;
  } catch {
    return false;
  }
}

/** Where a process id means the same process: this machine, and on Linux this container. */
async function thisPlace(): Promise<string> {
  const namespace = await readlink("/proc/self/ns/pid").catch(() => "");
  return `${hostname()} ${namespace}`;
}
