import { Hono, type Context } from "hono";
import { Failure } from "../../core/errors";
import { parseSlot } from "../../core/slot";
import { lookAtBackups } from "../../operations/look-at-backups";
import { noSuchAddon } from "../../operations/no-such-addon";
import type { ConsoleContext } from "../context";
import { activitiesSection } from "../activities/section";
import { html, type Html } from "../html";
import { taskOf } from "../request-task";
import { backUpNow, pin, unpin, verify } from "./backups/actions";
import { adoption, CONSOLE_OWNER } from "./backups/adoption";
import { confirmDeletion, deleteConfirmed } from "./backups/deletion";
import { download } from "./backups/download";
import { backupDetails } from "./backups/details";
import { overview } from "./backups/overview";
import type { BackupRequest } from "./backups/request";
import { refusalPage } from "./backups/refusal-page";
import { restoreInPlace, lookAtRestoreInPlace } from "./backups/restore-in-place";
import { lookAtRestoreNew, restoreNew } from "./backups/restore-new";
import { stampOf } from "./backups/stamp";
import { addonPage } from "./parts/addon-page";
import { unknownAddon } from "./parts/unknown-addon";

type Handler = (request: BackupRequest) => Promise<Response>;

/**
 * `/addons/<name>/backups`: an add-on's backups, and what can be done with them. Whatever changes something is a POST,
 * which needs no script, and answers what can't be done with a page that says why.
 */
export function backupsPage(context: ConsoleContext): Hono {
  const nameIn = (c: Context): string => c.req.param("name") ?? "";
  const handle = (handler: Handler) => async (c: Context) => {
    const [name, slot] = [nameIn(c), c.req.param("slot") ?? ""];
    // A look at an add-on that isn't there must not start anything.
    if ((await context.platform.placement(name)) === undefined)
      throw await noSuchAddon(context.platform, name, "");
    if (c.req.param("slot") !== undefined && parseSlot(slot) === undefined) throw noSlot(slot, name);
    return handler({ c, context, name, slot });
  };
  const routes = new Hono()
    .get("/", handle(answerOverview))
    .post("/", handle(backUpNow))
    .get("/:slot", handle(backupDetails))
    .get("/:slot/archive", handle(download))
    .post("/:slot/verify", handle(verify))
    .post("/:slot/pin", handle(pin))
    .post("/:slot/unpin", handle(unpin))
    .get("/:slot/delete", handle(confirmDeletion))
    .post("/:slot/delete", handle(deleteConfirmed))
    .get("/:slot/restore-new", handle(lookAtRestoreNew))
    .post("/:slot/restore-new", handle(restoreNew))
    .get("/:slot/restore-in-place", handle(lookAtRestoreInPlace))
    .post("/:slot/restore-in-place", handle(restoreInPlace));
  return routes.onError((error, c) => refusalPage(c, context, nameIn(c), error));
}

async function answerOverview({ c, context, name }: BackupRequest): Promise<Response> {
  const before = c.req.query("before");
  if (before !== undefined && parseSlot(before) === undefined) throw noSlot(before, name);
  const status = await context.watch.one(name, taskOf(c, context));
  if (status === undefined) return unknownAddon(c, context, name);
  const stamp = stampOf(status, context.activities.of(name), context.clock.now());
  const query = new URLSearchParams({ ...(before === undefined ? {} : { before }), seen: stamp });
  const liveFrom = `/addons/${name}/backups?${query.toString()}`;
  // A page that stays open asks with what it has seen: where that still holds, its store is left alone.
  const body =
    c.req.query("seen") === stamp
      ? activitiesSection(context, name, "backups")
      : await whole(c, context, name, before);
  return c.html(addonPage({ status, tab: "backups", body, liveFrom, styles: ["backups.css"] }));
}

async function whole(
  c: Context,
  context: ConsoleContext,
  name: string,
  before: string | undefined,
): Promise<Html> {
  const look = await lookAtBackups(context.platform, name, before, taskOf(c, context));
  const record = await context.platform.load(name);
  const home = await context.platform.home();
  const isOurs = record?.owner.project === CONSOLE_OWNER.project && home !== undefined;
  return html`${overview(context, look, before === undefined)}
  ${isOurs ? html`<section class="card">${adoption(record, home)}</section>` : ""}`;
}

function noSlot(text: string, name: string): Failure {
  return new Failure({
    code: "no-such-backup",
    operation: "find",
    subject: `a backup of ${name}`,
    cause: `${JSON.stringify(text.slice(0, 40))} is the name of none`,
  });
}
