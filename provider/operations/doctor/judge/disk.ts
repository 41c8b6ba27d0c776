import { memoryText } from "../../../core/memory-size";
import { type Check, notApplicable, ok, problem, warning } from "../check";

export interface SeenDisk {
  /** What lies there: `the data home`, `the backups of cache`. */
  readonly what: string;
  readonly path: string;
  /** Absent: it can't be looked at. */
  readonly freeBytes: number | undefined;
  /** What one add-on's largest next step may need at once: without it nothing works. */
  readonly leastBytes: number;
  /** What all add-ons may need at the same moment. */
  readonly wantedBytes: number;
}

export function judgeDisk({ what, path, freeBytes, leastBytes, wantedBytes }: SeenDisk): Check {
  if (freeBytes === undefined) return notApplicable("disk", `${what} (${path}) can't be looked at`);
  const seen = `${what} (${path}): ${memoryText(freeBytes)} free`;
  const remedy =
    "free space, enlarge the disk, or have backups go elsewhere: `destination` of a BackupPolicy";
  if (freeBytes < leastBytes)
    return problem("disk", `${seen}, at least ${memoryText(leastBytes)} are needed`, {
      why: "a server on a full disk refuses writes, and backups fail",
      remedy,
    });
  if (freeBytes < wantedBytes)
    return warning("disk", `${seen}, ${memoryText(wantedBytes)} may be needed at once`, {
      why: "where all add-ons are backed up and rewrite their files at the same time, the disk may become full",
      remedy,
    });
  return ok("disk", seen);
}

/** What Linux calls the type of a file system (statfs's f_type), and why it is none for data or backups. */
const DOUBTFUL: readonly (readonly [type: number, name: string, why: string])[] = [
  [0x01021994, "tmpfs", "it lies in memory: a boot takes all of it away"],
  [0x858458f6, "ramfs", "it lies in memory: a boot takes all of it away"],
  [0x794c7630, "overlayfs", "it is a container's own layer, and goes when the container does"],
  [
    0x6969,
    "NFS",
    "what was written down may not be on the disk yet, and locks may be lost with the connection",
  ],
  [
    0xff534d42,
    "CIFS",
    "what was written down may not be on the disk yet, and locks may be lost with the connection",
  ],
  [
    0xfe534d42,
    "SMB",
    "what was written down may not be on the disk yet, and locks may be lost with the connection",
  ],
  [
    0x01021997,
    "9p",
    "what was written down may not be on the disk yet, and locks may be lost with the connection",
  ],
  [0x65735546, "FUSE", "whether what was written down is on a disk depends on a program"],
];

export interface SeenFileSystem {
  readonly what: string;
  readonly path: string;
  /** f_type; absent: it can't be looked at, or means something else on this system. */
  readonly type: number | undefined;
  /** Whether it holds data that are alive; backups are whole files, which a network's file system keeps well. */
  readonly holdsData: boolean;
}

export function judgeFileSystem({ what, path, type, holdsData }: SeenFileSystem): Check {
  if (type === undefined) return notApplicable("file-system", `${what} (${path}): its type is not told here`);
  const found = DOUBTFUL.find(([doubtful]) => doubtful === type);
  const isVolatile = found !== undefined && ["tmpfs", "ramfs", "overlayfs"].includes(found[1]);
  if (found === undefined || !(holdsData || isVolatile))
    return ok(
      "file-system",
      `${what} (${path}): ${found?.[1] ?? "of a kind that keeps what is written down"}`,
    );
  return warning("file-system", `${what} (${path}): ${found[1]}`, {
    why: found[2],
    remedy: holdsData
      ? "choose a data home on a disk of this machine: REDIS_ADDON_HOME, or platform.dataHome of a RedisAddon"
      : "have backups go elsewhere: `destination` of a BackupPolicy",
  });
}
