import { Hono } from "hono";
import { activitiesPage } from "./activities/page";
import type { ConsoleContext } from "./context";
import { backupsPage } from "./pages/backups";
import { deletedPage } from "./pages/deleted";
import { informationPage } from "./pages/information";
import { listPage } from "./pages/list";
import { logPage } from "./pages/log";
import { metricsPage } from "./pages/metrics";
import { replicationPage } from "./pages/replication";

/** All pages, for who has logged in: the guard stands before them. */
export function consoleApp(context: ConsoleContext): Hono {
  return new Hono()
    .route("/", listPage(context))
    .route("/deleted", deletedPage(context))
    .route("/addons/:name", informationPage(context))
    .route("/addons/:name/backups", backupsPage(context))
    .route("/addons/:name/activities", activitiesPage(context))
    .route("/addons/:name/metrics", metricsPage(context))
    .route("/addons/:name/replication", replicationPage(context))
    .route("/addons/:name/log", logPage(context));
}
