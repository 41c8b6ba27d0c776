import { supportProblem } from "../../core/version";
import type { Task } from "../../core/task";
import type { Placement } from "../../platforms/contract";
import { homeProblem, type HomeLayout } from "../../platforms/local/home";
import {
  type FoundServer,
  keptServerPath,
  keptServers,
  probeServer,
  serversOnPath,
} from "../../platforms/local/servers";
import { freeBytes } from "../../system/free-bytes";
import { severalAtOnce } from "../several-at-once";
import type { Check } from "./check";
import { ourCommand } from "./our-command";
import { judgeDisk, judgeFileSystem, type SeenDisk } from "./judge/disk";
import { judgeJobs, judgePermissions, judgePlace } from "./judge/home";
import { judgeExecutables, judgeServers, type SeenServer } from "./judge/servers";
import { bytesBelow, existingFolder, fileSystemType, jobAgesMs, permissionsIn } from "./read/home";
import { backupFolders } from "./read/stores";

const MIB = 1024 ** 2;
/** What a disk should have left even where there are hardly any data. */
const SPARE_BYTES = 64 * MIB;

/** The servers that there are, and those that add-ons run on. */
export async function serverChecks(layout: HomeLayout, all: readonly Placement[]): Promise<Check[]> {
  const [onPath, kept] = await Promise.all([serversOnPath(), keptServers(layout)]);
  const executables = await severalAtOnce(all, async ({ record }) => {
    const { version } = record.server.wish;
    const path = keptServerPath(layout, version);
    return { addon: record.name, version, path, runs: (await probeServer(path)) !== undefined };
  });
  return [judgeServers(onPath.map(serverSeen), kept.map(serverSeen)), judgeExecutables(executables)];
}

function serverSeen({ path, version }: FoundServer): SeenServer {
  const unsupported = supportProblem(version);
  return { path, spelling: version.spelling, ...(unsupported === undefined ? {} : { unsupported }) };
}

/** The data home itself: where it lies, whose it is, what lies about in it. */
export async function homeChecks(
  layout: HomeLayout,
  { agentRuns, hidden }: { readonly agentRuns: boolean; readonly hidden: string | undefined },
  { clock }: Task,
): Promise<Check[]> {
  const [unusable, paths, agesMs] = await Promise.all([
    homeProblem(layout),
    permissionsIn(layout),
    jobAgesMs(layout, clock.now()),
  ]);
  const { root } = layout;
  const user = process.geteuid?.() ?? paths[0]?.owner ?? 0;
  return [
    judgePlace(root, unusable ?? hidden),
    judgePermissions(root, user, paths[0]?.path === root ? paths : []),
    judgeJobs({ command: ourCommand(root), agentRuns, agesMs }),
  ];
}

/**
 * The disks of the data home and of the folders that backups go to. A rewrite of a server's file, a backup's spool and its
 * archive each need about as much again as the data.
 */
export async function diskChecks(layout: HomeLayout, all: readonly Placement[]): Promise<Check[]> {
  const sizes = new Map(
    await severalAtOnce(all, async ({ record: { name } }) => {
      return [name, await bytesBelow(layout.addon(name).data)] as const;
    }),
  );
  const needOf = (of: readonly Placement[], times: number): Pick<SeenDisk, "leastBytes" | "wantedBytes"> => {
    const needs = of.map(({ record: { name } }) => (sizes.get(name) ?? 0) * times);
    return {
      leastBytes: SPARE_BYTES + Math.max(0, ...needs),
      wantedBytes: SPARE_BYTES + needs.reduce((sum, bytes) => sum + bytes, 0),
    };
  };
  const folders = [...backupFolders(all)].filter(([folder]) => !folder.startsWith(`${layout.root}/`));
  const places = [
    { what: "the data home", path: layout.root, holdsData: true, ...needOf(all, 3) },
    ...folders.map(([path, of]) => ({
      what: `the backups of ${of.map(({ record }) => record.name).join(", ")}`,
      ...{ path, holdsData: false, ...needOf(of, 1) },
    })),
  ];
  const checks = await severalAtOnce(places, async (place) => {
    // Where it isn't made yet, it will lie on the disk of what is there.
    const there = await existingFolder(place.path);
    return [
      judgeDisk({ ...place, freeBytes: await freeBytes(there).catch(() => undefined) }),
      judgeFileSystem({ ...place, type: await fileSystemType(there) }),
    ];
  });
  return checks.flat();
}
