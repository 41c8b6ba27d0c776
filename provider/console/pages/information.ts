import { Hono, type Context } from "hono";
import { log } from "../../system/log";
import { activitiesSection } from "../activities/section";
import type { ConsoleContext } from "../context";
import { html, type Html } from "../html";
import { taskOf } from "../request-task";
import { backupsCard } from "./information/backups-card";
import { configurationCard } from "./information/configuration-card";
import { connectionCard } from "./information/connection-card";
import { originCard } from "./information/origin-card";
import { serverCard } from "./information/server-card";
import { snippetsCard } from "./information/snippets-card";
import { addonPage } from "./parts/addon-page";
import { problemList } from "./parts/problems";
import { unknownAddon } from "./parts/unknown-addon";
import { replicationCard } from "./replication/replication-card";

/**
 * `/addons/<name>`: everything that is known of one add-on. Its credentials are in the answer to a POST alone, which no
 * link, no reload of the page and no page of another site makes.
 */
export function informationPage(context: ConsoleContext): Hono {
  return new Hono()
    .get("/", (c) => answer(c, context, undefined))
    .get("/credentials", (c) => c.redirect(`/addons/${encodeURIComponent(nameIn(c))}`, 303))
    .post("/credentials", async (c) => {
      const name = nameIn(c);
      const record = await context.platform.load(name);
      if (record === undefined) return unknownAddon(c, context, name);
      log(`${name}: credentials were revealed in the console`);
      c.header("cache-control", "no-store");
      return answer(c, context, record.credentials.password);
    });
}

function nameIn(c: Context): string {
  return c.req.param("name") ?? "";
}

async function answer(c: Context, context: ConsoleContext, password: string | undefined): Promise<Response> {
  const name = nameIn(c);
  const status = await context.watch.one(name, taskOf(c, context));
  if (status === undefined) return unknownAddon(c, context, name);
  const now = context.clock.now();
  const body: Html = html`${problemList(status.problems)} ${activitiesSection(context, name, "information")}
    <div class="columns">
      <div>
        ${connectionCard(status, { password })} ${serverCard(status)} ${configurationCard(status.wish)}
      </div>
      <div>${replicationCard(context, status)} ${backupsCard(status, now)} ${originCard(status, now)}</div>
    </div>
    ${snippetsCard(status)}`;
  return c.html(
    addonPage({ status, tab: "information", body, liveFrom: `/addons/${name}`, styles: ["replication.css"] }),
  );
}
