import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdir, readFile, stat } from "node:fs/promises";
import { homedir, hostname, userInfo } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { nameProblem } from "../../core/addon-name";
import { Failure } from "../../core/errors";
import type { BackupsWish } from "../../core/facets";
import type { HomeIdentity } from "../../core/status";
import { writeDurably } from "../../system/files";

/** The longest path that a unix socket may have on every system that we support (macOS allows 103 bytes). */
const SOCKET_PATH_LIMIT = 103;
/**
 * Redis takes the path of a configuration with one of the first three for a pattern: it would start without it, or with
 * that of a neighbour besides. Node can't import from below a folder with a backslash.
 */
const IMPOSSIBLE_CHARACTERS = /[*?[\\]/;

/** Where everything of one data home lies. Folders are 0700, files 0600. */
export interface HomeLayout {
  readonly root: string;
  readonly identity: string;
  readonly socket: string;
  readonly lock: string;
  /** Its time is when a person last stopped the agent. */
  readonly stopped: string;
  readonly agentLog: string;
  /** Where the console answers, written by the agent alone; absent: none runs. */
  readonly console: string;
  /** A page that leads a browser to the console and logs it in: an address that holds a secret is no argument. */
  readonly consoleLogin: string;
  readonly programs: string;
  /** Held by who changes `programs`. */
  readonly programsLock: string;
  readonly servers: string;
  readonly addons: string;
  readonly jobs: string;
  readonly backups: string;
  readonly trash: string;
  /** Files that a restore replaced, and that could not be backed up: nothing ever removes them. Absent until needed. */
  readonly kept: string;
  /** Throws a Failure for what can't be an add-on's name: no path may lead out of the home. */
  addon(name: string): AddonLayout;
}

export interface AddonLayout {
  readonly root: string;
  readonly record: string;
  /** The process that runs or ran, written by the agent alone. */
  readonly process: string;
  /** How the last backup went, written by the agent alone. */
  readonly backups: string;
  readonly config: string;
  readonly acl: string;
  readonly data: string;
  /** A backup's data, complete, that wait to be put in the place of the add-on's own. */
  readonly staged: string;
  /** What a restore has put aside, until the new data are loaded and counted. */
  readonly replaced: string;
  /** How far a restore has come, written by the agent alone. */
  readonly restore: string;
  readonly log: string;
}

export function layoutOf(root: string): HomeLayout {
  const addons = join(root, "addons");
  return {
    root,
    identity: join(root, "home.json"),
    socket: join(root, "agent.sock"),
    lock: join(root, "agent.lock"),
    stopped: join(root, "agent.stopped"),
    agentLog: join(root, "agent.log"),
    console: join(root, "console.json"),
    consoleLogin: join(root, "console-login.html"),
    programs: join(root, "programs"),
    programsLock: join(root, "programs.lock"),
    servers: join(root, "servers"),
    addons,
    jobs: join(root, "jobs"),
    backups: join(root, "backups"),
    trash: join(root, "trash"),
    kept: join(root, "kept"),
    addon: (name) => {
      const problem = nameProblem(name);
      if (problem !== undefined) throw noName(name, problem);
      const folder = join(addons, name);
      return {
        root: folder,
        record: join(folder, "record.json"),
        process: join(folder, "process.json"),
        backups: join(folder, "backups.json"),
        config: join(folder, "redis.conf"),
        acl: join(folder, "users.acl"),
        data: join(folder, "data"),
        staged: join(folder, "restore"),
        replaced: join(folder, "replaced"),
        restore: join(folder, "restore.json"),
        log: join(folder, "server.log"),
      };
    },
  };
}

/** Where backups go, a URL: as it is wished, else below the data home. */
export function destinationIn(
  { backups }: HomeLayout,
  wish: Pick<BackupsWish, "destination"> | undefined,
): string {
  return wish?.destination ?? pathToFileURL(backups).href;
}

/** The data home that a program's input, the environment or the system's convention names, in this order. */
export function homePath(chosen: string | undefined, environment: NodeJS.ProcessEnv = process.env): string {
  const named = chosen ?? environment["REDIS_ADDON_HOME"];
  if (named !== undefined && named !== "") return resolve(named);
  const data = environment["XDG_DATA_HOME"];
  // The XDG specification: a relative path there is invalid and must be ignored.
  const base = data !== undefined && isAbsolute(data) ? data : join(homedir(), ".local", "share");
  return join(base, "redis-addon");
}

const IdentitySchema = z.object({ format: z.literal(1), id: z.string(), host: z.string() });

/** Who this data home is; absent: it was never used. */
export async function readIdentity(layout: HomeLayout): Promise<HomeIdentity | undefined> {
  const text = await readFile(layout.identity, "utf8").catch(async (error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw await unusableHome(layout, error.message);
  });
  if (text === undefined) return undefined;
  try {
    const { id, host } = IdentitySchema.parse(JSON.parse(text));
    return { id, host, path: layout.root };
  } catch {
    throw await unusableHome(layout, `${layout.identity} is damaged, or of a newer version`);
  }
}

/** Makes the data home where it is missing. Only the holder of its lock may call this. */
export async function ensureHome(layout: HomeLayout): Promise<HomeIdentity> {
  for (const folder of [layout.addons, layout.jobs, layout.programs, layout.servers, layout.trash])
    await mkdir(folder, { recursive: true, mode: 0o700 });
  const known = await readIdentity(layout);
  if (known !== undefined) return known;
  const identity = { format: 1 as const, id: randomUUID(), host: hostname() };
  await writeDurably(layout.identity, JSON.stringify(identity), 0o600);
  return { id: identity.id, host: identity.host, path: layout.root };
}

/** Why this folder can't be a data home; absent: it can. Only looks. */
export async function homeProblem(layout: HomeLayout): Promise<string | undefined> {
  if (Buffer.byteLength(layout.socket) > SOCKET_PATH_LIMIT)
    return `${layout.root} is too long a path for a unix socket below it (at most ${SOCKET_PATH_LIMIT - 11} bytes); choose a shorter one`;
  const [impossible] = IMPOSSIBLE_CHARACTERS.exec(layout.root) ?? [];
  if (impossible !== undefined)
    return `there is a ${impossible} in ${layout.root}, and servers find nothing below such a path; choose one without`;
  for (let folder = layout.root; ; folder = dirname(folder)) {
    const found = await stat(folder).catch((error: NodeJS.ErrnoException) => error);
    if (found instanceof Error) {
      if (found.code === "ENOENT" || found.code === "ENOTDIR") continue;
      return `${folder} can't be looked at: ${found.message}`;
    }
    if (!found.isDirectory()) return `${layout.root} can't be made: ${folder} is a file; choose a folder`;
    const foreign = folder === layout.root ? ownerProblem(folder, found.uid, effectiveUser()) : undefined;
    if (foreign !== undefined) return foreign;
    const writable = await access(folder, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    );
    return writable ? undefined : `${layout.root} can't be written: no permission on ${folder}`;
  }
}

/**
 * Why a user may not use a data home of that owner; absent: it is their own. Root could, and would leave files that the
 * owner can't read any more.
 */
export function ownerProblem(root: string, owner: number, user: number): string | undefined {
  if (owner === user) return undefined;
  const named = (uid: number): string => (uid === 0 ? "root" : `user ${uid}`);
  return (
    `${root} belongs to ${named(owner)}, and this runs as ${named(user)}: run it as ${named(owner)}` +
    `${user === 0 ? ", without sudo," : ""} or choose another data home`
  );
}

/** Fails where this folder can't be a data home, as `homeProblem` says. */
export async function requireUsable(layout: HomeLayout): Promise<void> {
  const problem = await homeProblem(layout);
  if (problem !== undefined) throw unusable(layout.root, problem);
}

/** Why a data home can't be read: that it is another user's says more than what the system said. */
export async function unusableHome(layout: HomeLayout, cause: string): Promise<Failure> {
  return unusable(layout.root, (await foreignOwner(layout)) ?? cause);
}

async function foreignOwner({ root }: HomeLayout): Promise<string | undefined> {
  const owner = await stat(root).then(
    (found) => found.uid,
    () => undefined,
  );
  return owner === undefined ? undefined : ownerProblem(root, owner, effectiveUser());
}

function effectiveUser(): number {
  return process.geteuid?.() ?? userInfo().uid;
}

function unusable(root: string, cause: string): Failure {
  return new Failure({
    code: "home-unusable",
    operation: "use the data home",
    subject: root,
    cause,
    hint: "Choose another one with --home, REDIS_ADDON_HOME or the input platform.dataHome",
  });
}

function noName(name: string, problem: string): Failure {
  return new Failure({ code: "bad-name", operation: "find the add-on", subject: name, cause: problem });
}
