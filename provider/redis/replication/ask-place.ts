import type { Failure } from "../../core/errors";
import {
  PLACE_SETTINGS,
  type PlaceFacts,
  type PlaceSettings,
  snapshotPlace,
} from "../../core/snapshot-place";
import { type ServerVersion, versionFromInfo } from "../../core/version";
import { parseServerInfo, type ServerInfo } from "./info";
import { type Leader, leaderFailure } from "./leader";
import type { LeaderLink } from "./link";
import { refusal } from "./refusals";
import type { Reply } from "./reply";

/** What the reader of a snapshot knows of the place where it is prepared, and where it will lie. */
export type Room = Pick<PlaceFacts, "leaderFolderFreeBytes" | "scratchFreeBytes"> & {
  readonly acceptDisk?: boolean | undefined;
  /** Where we keep a snapshot of unknown size: for the message that it is too small. */
  readonly scratchFolder?: string | undefined;
};

/** Asks a leader what it is, and decides from that where it prepares the snapshot. Throws where it must not at all. */
export async function askPlace(
  leader: Leader,
  link: LeaderLink,
  { acceptDisk = false, scratchFolder = "the temporary folder", ...room }: Room,
): Promise<{ readonly place: "disk" | "memory"; readonly info: ServerInfo | undefined }> {
  const ask = (...command: string[]) => askIfAllowed(leader, link, command);
  const told = await ask("INFO");
  const info = told?.kind === "text" ? parseServerInfo(told.text) : undefined;
  const isOurs = room.leaderFolderFreeBytes !== undefined;
  const place = snapshotPlace({
    ...room,
    acceptDisk,
    usedMemoryBytes: info?.usedMemoryBytes,
    datasetBytes: info?.datasetBytes,
    version: info === undefined ? versionFromHello(await ask("HELLO")) : flavored(info),
    settings: isOurs ? {} : await settings(ask),
  });
  if (place.kind !== "refused") return { place: place.kind, info };
  if (place.why === "scratch-too-small") throw tooSmall(leader, scratchFolder, place.neededBytes);
  throw wouldUseDisk(leader, place.told, info);
}

type Ask = (...command: string[]) => Promise<Reply | undefined>;

/** Undefined where this user, or nobody, may ask that. Any other refusal concerns the snapshot as well: it is thrown. */
async function askIfAllowed(
  leader: Leader,
  link: LeaderLink,
  command: readonly string[],
): Promise<Reply | undefined> {
  const reply = await link.ask(command);
  if (reply.kind !== "refused") return reply;
  const failure = refusal(leader, command[0] ?? "", reply.text);
  if (failure.code === "not-permitted" || failure.code === "refused") return undefined;
  throw failure;
}

/** One by one: Redis 6.2 takes no list. The others matter only where the first isn't yes. */
async function settings(ask: Ask): Promise<PlaceSettings> {
  const found: Partial<Record<(typeof PLACE_SETTINGS)[number], string>> = {};
  for (const name of PLACE_SETTINGS) {
    const reply = await ask("CONFIG", "GET", name);
    const value = reply?.kind === "list" ? reply.items[1] : undefined;
    if (value?.kind === "text") found[name] = value.text;
    if (reply === undefined || found["repl-diskless-sync"] === "yes") break;
  }
  return found;
}

/** HELLO is nobody's to refuse: it tells the version to a user who may not ask for more. */
function versionFromHello(reply: Reply | undefined): ServerVersion | undefined {
  const items = reply?.kind === "list" ? reply.items : [];
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < items.length; i += 2) {
    const [name, value] = [items[i], items[i + 1]];
    if (name?.kind === "text" && value?.kind === "text") fields.set(name.text, value.text);
  }
  const [server, version] = [fields.get("server"), fields.get("version")];
  if (server === undefined || version === undefined) return undefined;
  return versionFromInfo(new Map([[`${server}_version`, version]]));
}

function tooSmall(leader: Leader, folder: string, neededBytes: number): Failure {
  const needed = Math.ceil(neededBytes / 1_000_000);
  return leaderFailure(
    leader,
    "scratch-full",
    `its snapshot has to wait in ${folder}, needs about ${needed} MB there, and fewer are free`,
    { hint: "Free some space there, or let TMPDIR name a folder with more" },
  );
}

function wouldUseDisk(leader: Leader, told: boolean, info: ServerInfo | undefined): Failure {
  const why = told
    ? "it is set to write snapshots to its own disk (repl-diskless-sync no)"
    : info === undefined
      ? "this user may not ask its version and settings (INFO, CONFIG GET): it may write snapshots to its own disk"
      : `as Redis ${info.version} comes it writes snapshots to its own disk, and this user may not ask (CONFIG GET)`;
  return leaderFailure(
    leader,
    "leader-would-use-disk",
    `${why}; should that become full, it refuses writes`,
    {
      hint: "Run CONFIG SET repl-diskless-sync yes on it, or accept this: --accept-disk (source.acceptDisk)",
    },
  );
}

function flavored({ name, version }: ServerInfo): Pick<ServerVersion, "flavor" | "version"> {
  return { flavor: name, version };
}
