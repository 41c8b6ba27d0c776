import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { ConsoleContext } from "../../context";
import type { Html } from "../../html";
import { taskOf } from "../../request-task";
import type { TABS } from "../layout";
import { addonPage } from "./addon-page";
import { unknownAddon } from "./unknown-addon";

export interface AddonSubpage {
  readonly name: string;
  readonly tab: keyof typeof TABS;
  /** What it is called: `Restore in place`. */
  readonly title: string;
  /** Its headings begin with h2. */
  readonly body: Html;
  /** Absent: nothing but the add-on's heading is live in it. */
  readonly liveFrom?: string;
  /** Default: 200. */
  readonly code?: ContentfulStatusCode;
}

const STYLES: Partial<Readonly<Record<keyof typeof TABS, readonly string[]>>> = {
  information: ["replication.css"],
  backups: ["backups.css"],
};

/** A page below one of an add-on's tabs; `unknownAddon`'s where there is no such add-on. */
export async function addonSubpage(
  c: Context,
  context: ConsoleContext,
  { name, tab, title, body, liveFrom = headingOf(name), code = 200 }: AddonSubpage,
): Promise<Response> {
  const status = await context.watch.one(name, taskOf(c, context));
  if (status === undefined) return unknownAddon(c, context, name);
  const styles = STYLES[tab] ?? [];
  return c.html(addonPage({ status, tab, subpage: title, body, liveFrom, styles }), code);
}

/** Answers with an add-on's heading alone: what a page says besides would be asked of stores and servers each time. */
export function headingOf(name: string): string {
  return `/addons/${name}/activities`;
}
