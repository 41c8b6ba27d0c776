import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import type { Clock } from "../../core/task";
import { copyExecutable } from "../../system/copy-executable";
import { digestOfTree, syncFolder, syncTree } from "../../system/files";
import { tryLock } from "../../system/lock";
import { PACKAGE_ROOT } from "../../system/package-root";
import { copyProgram, readPackage } from "./copy-package";
import type { HomeLayout } from "./home";

const PROVIDER = join("dist", "provider");
/** What the console's pages load, as it stands in the sources. */
const ASSETS = join("provider", "console", "assets");
const AGENT_ENTRY = join(PROVIDER, "agent", "main.js");
/** In a copy: the digest of everything else in it. */
const DIGEST_FILE = "copy.sha256";
const LOCK_POLL_MS = 25;

/** One build of this package; two builds of one version differ in the digest. */
export interface Program {
  readonly id: string;
  readonly version: string;
}

export interface KeptProgram {
  readonly program: Program;
  /** The agent's file. */
  readonly entry: string;
  readonly node: string;
}

let ownProgram: Promise<Program> | undefined;

/** The build that this process runs. */
export function thisProgram(): Promise<Program> {
  ownProgram ??= identifyProgram(PACKAGE_ROOT);
  return ownProgram;
}

async function identifyProgram(root: string): Promise<Program> {
  const { version } = await readPackage(root);
  const digests = await Promise.all([
    digestOfTree(join(root, PROVIDER), (file) => file.endsWith(".js")),
    digestOfTree(join(root, ASSETS), () => true),
  ]);
  const digest = createHash("sha256").update(digests.join(" ")).digest("hex");
  return { id: `${version}-${digest.slice(0, 12)}`, version };
}

/**
 * Makes sure that a whole copy of this build, with the packages it needs, lies below the data home. The agent and its
 * jobs run from that copy: `npm ci` or a removed checkout must not stop a database. A copy that differs from what was
 * copied (a power failure, a full disk, a person) is replaced.
 */
export async function keepProgram(
  layout: HomeLayout,
  clock: Clock,
  signal: AbortSignal,
): Promise<KeptProgram> {
  await mkdir(layout.programs, { recursive: true, mode: 0o700 });
  using _ = await lockPrograms(layout, clock, signal);
  const node = await keepNode(layout);
  const known = await thisProgram();
  if (await isWhole(join(layout.programs, known.id))) return kept(layout, known, node);

  const unfinished = join(layout.programs, `${randomUUID()}.tmp`);
  try {
    await copyProgram(PACKAGE_ROOT, unfinished, [PROVIDER, ASSETS]);
    // A build may have replaced the files since this process looked at them: the copy is what counts from now on.
    const program = await identifyProgram(unfinished);
    ownProgram = Promise.resolve(program);
    const target = join(layout.programs, program.id);
    await writeFile(join(unfinished, DIGEST_FILE), await digestOfCopy(unfinished));
    await syncTree(unfinished);
    await rm(target, { recursive: true, force: true });
    await rename(unfinished, target);
    await syncFolder(layout.programs);
    return kept(layout, program, node);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

function kept(layout: HomeLayout, program: Program, node: string): KeptProgram {
  return { program, entry: join(layout.programs, program.id, AGENT_ENTRY), node };
}

async function isWhole(copy: string): Promise<boolean> {
  const recorded = await readFile(join(copy, DIGEST_FILE), "utf8").catch(() => undefined);
  return recorded !== undefined && recorded === (await digestOfCopy(copy).catch(() => undefined));
}

function digestOfCopy(copy: string): Promise<string> {
  return digestOfTree(copy, (file) => file !== DIGEST_FILE);
}

/** Processes that start at the same moment copy once, and none replaces what another one has just started. */
async function lockPrograms(layout: HomeLayout, clock: Clock, signal: AbortSignal): Promise<Disposable> {
  for (;;) {
    const lock = tryLock(layout.programsLock);
    await chmod(layout.programsLock, 0o600);
    if (lock !== undefined) return lock;
    await clock.sleep(LOCK_POLL_MS, signal);
  }
}

/** The Node to run the agent with: a copy where this one lies inside a checkout and would go away with it. */
async function keepNode(layout: HomeLayout): Promise<string> {
  if (!insideCheckout(process.execPath)) return process.execPath;
  const target = join(layout.programs, `node-${process.version}`);
  const sizeOf = (path: string) =>
    stat(path).then(
      (found) => found.size,
      () => undefined,
    );
  if ((await sizeOf(target)) !== (await sizeOf(process.execPath)))
    await copyExecutable(process.execPath, target);
  return target;
}

function insideCheckout(path: string): boolean {
  if (path.includes(`${sep}node_modules${sep}`)) return true;
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder))
    if (existsSync(join(folder, ".git"))) return true;
  return false;
}
