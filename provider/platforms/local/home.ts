import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdir, readFile, stat } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { z } from "zod";
import { Failure } from "../../core/errors";
import type { HomeIdentity } from "../../core/status";
import { writeDurably } from "../../system/files";

/** The longest path that a unix socket may have on every system that we support (macOS allows 103 bytes). */
const SOCKET_PATH_LIMIT = 103;

/** Where everything of one data home lies. Folders are 0700, files 0600. */
export interface HomeLayout {
  readonly root: string;
  readonly identity: string;
  readonly socket: string;
  readonly lock: string;
  readonly agentLog: string;
  readonly programs: string;
  readonly servers: string;
  readonly addons: string;
  readonly jobs: string;
  readonly backups: string;
  readonly trash: string;
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
  readonly log: string;
}

export function layoutOf(root: string): HomeLayout {
  const addons = join(root, "addons");
  return {
    root,
    identity: join(root, "home.json"),
    socket: join(root, "agent.sock"),
    lock: join(root, "agent.lock"),
    agentLog: join(root, "agent.log"),
    programs: join(root, "programs"),
    servers: join(root, "servers"),
    addons,
    jobs: join(root, "jobs"),
    backups: join(root, "backups"),
    trash: join(root, "trash"),
    addon: (name) => {
      const folder = join(addons, name);
      return {
        root: folder,
        record: join(folder, "record.json"),
        process: join(folder, "process.json"),
        backups: join(folder, "backups.json"),
        config: join(folder, "redis.conf"),
        acl: join(folder, "users.acl"),
        data: join(folder, "data"),
        log: join(folder, "server.log"),
      };
    },
  };
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
  const text = await readFile(layout.identity, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw unusable(layout.root, error.message);
  });
  if (text === undefined) return undefined;
  const identity = IdentitySchema.parse(JSON.parse(text));
  return { id: identity.id, host: identity.host, path: layout.root };
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
  for (let folder = layout.root; ; folder = dirname(folder)) {
    const found = await stat(folder).catch((error: NodeJS.ErrnoException) => error);
    if (found instanceof Error) {
      if (found.code === "ENOENT" || found.code === "ENOTDIR") continue;
      return `${folder} can't be looked at: ${found.message}`;
    }
    if (!found.isDirectory()) return `${layout.root} can't be made: ${folder} is a file; choose a folder`;
    const writable = await access(folder, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    );
    return writable ? undefined : `${layout.root} can't be written: no permission on ${folder}`;
  }
}

function unusable(root: string, cause: string): Failure {
  return new Failure({
    code: "home-unusable",
    operation: "use the data home",
    subject: root,
    cause,
    hint: "Choose another one with REDIS_ADDON_HOME or the input platform.dataHome",
  });
}
