import { ServerWishSchema, type AddonRecord } from "../../core/facets";
import type { Task } from "../../core/task";
import type { FacetChange } from "../../platforms/contract";
import type { HomeLayout } from "../../platforms/local/home";
import type { FoundServer } from "../../platforms/local/servers";
import { backUpBeforeUpgrade } from "../backups/backup-before-upgrade";
import { callerOf, noSuchAddon } from "../records/claims";
import { keepFallback, runsAlike } from "../records/fallback";
import { newRecord } from "../records/new-record";
import { refuseUnfitSettings } from "../records/refuse-unfit-settings";
import { triedAgain } from "../replication/watch/halt";
import { saveBesideRestore } from "../restore/save-beside-restore";
import { choosePort } from "../server/choose-port";
import { keepServer } from "../server/keep-server";
import { ProcessNotes } from "../server/process-notes";
import type { AgentService } from "../service";

type ServerChange = Extract<FacetChange, { facet: "server" }>;

interface AcceptedServer {
  /** Absent: the change makes the add-on. */
  readonly existing: AddonRecord | undefined;
  readonly change: ServerChange;
  /** The facet but for its wish. */
  readonly facet: Omit<AddonRecord["server"], "wish">;
  readonly servers: readonly FoundServer[];
}

/** Records a change of the server facet, with a version that is kept and a port that nobody else has. */
export async function recordServer(
  service: AgentService,
  { existing, change, facet, servers }: AcceptedServer,
  task: Task,
): Promise<AddonRecord> {
  const { layout, identity } = service;
  const previous = existing?.server.wish;
  const version = await keepServer(
    layout,
    change.wish.version ?? previous?.version,
    servers,
    previous?.version,
  );
  const settings = change.wish.settings ?? previous?.settings ?? {};
  refuseUnfitSettings(change.name, { settings, plan: change.wish.plan, version });
  const backup =
    existing === undefined || version === existing.server.wish.version
      ? undefined
      : await backUpBeforeUpgrade(existing, version, service, task);
  const { port: wanted, version: _, password, ...wish } = change.wish;
  return service.ports.add(async () => {
    const port = await choosePort(layout, identity.id, change.name, wish.bind, wanted ?? previous?.port);
    const { removing: __, ...kept } = existing ?? unmade(service, change, facet.since);
    const owner = callerOf(change.claim) ?? kept.owner;
    const changed = {
      ...triedAgain(kept),
      owner: { project: owner.project, stack: owner.stack },
      credentials: { ...kept.credentials, ...(password === undefined ? {} : { password }) },
      // A caller of an earlier version sends no more than it knows.
      server: { ...facet, wish: ServerWishSchema.parse({ ...wish, version, port }) },
    };
    if (existing !== undefined) await keepWhatRan(layout, existing, changed, backup);
    return saveBesideRestore(layout, changed);
  });
}

function unmade(
  { identity }: AgentService,
  { name, claim }: ServerChange,
  createdAt: string,
): Omit<AddonRecord, "server"> {
  if (claim.kind !== "create") throw noSuchAddon(name, identity);
  return newRecord(name, claim.caller, createdAt, identity);
}

/** A change that no server can run with is undone: what ran before is kept until one has. */
async function keepWhatRan(
  layout: HomeLayout,
  existing: AddonRecord,
  changed: AddonRecord,
  backup: string | undefined,
): Promise<void> {
  const files = layout.addon(existing.name);
  if (runsAlike(existing, changed) || !(await new ProcessNotes(files).hasRun())) return;
  await keepFallback(files, existing, backup);
}
