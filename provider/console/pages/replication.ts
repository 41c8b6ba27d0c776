import { Hono, type Context } from "hono";
import { asFailure } from "../../core/errors";
import type { ConsoleContext } from "../context";
import { html } from "../html";
import { taskOf } from "../request-task";
import { failureNotice } from "./parts/failure";
import { failurePage } from "./parts/failure-page";
import { unknownAddon } from "./parts/unknown-addon";
import { lookAtDecision, decided } from "./replication/decision-page";
import { promotion, resynchronization, switchover } from "./replication/decisions";
import { followConfirmed, lookAtFollowing } from "./replication/follow";
import { followForm } from "./replication/follow-form";
import { pendingFollows } from "./replication/pending-follows";
import { answerWith, type ReplicationRequest } from "./replication/request";

type Handler = (request: ReplicationRequest) => Promise<Response>;

/**
 * `/addons/<name>/replication`: who leads and who follows, as a person changes it. What is asked for by a GET, or by the
 * first POST of the form, touches nothing and says what would happen; the POST that follows begins it.
 */
export function replicationPage(context: ConsoleContext): Hono {
  const pending = pendingFollows(context.clock);
  const handle = (handler: Handler) => async (c: Context) => {
    const name = nameIn(c);
    const status = await context.watch.one(name, taskOf(c, context));
    if (status === undefined) return unknownAddon(c, context, name);
    try {
      return await handler({ c, context, pending, status });
    } catch (error) {
      const failure = asFailure(error, "show", c.req.path);
      if (failure.code === "unexpected") throw error;
      const code = failure.transient ? 503 : 409;
      return answerWith({ c, status }, "It can't be done", html`${failureNotice(failure)}`, code);
    }
  };
  const routes = new Hono()
    .get("/", (c) => c.redirect(`/addons/${encodeURIComponent(nameIn(c))}`, 303))
    .get(
      "/follow",
      handle((request) => followForm(request)),
    )
    .post("/follow", handle(lookAtFollowing))
    // Who loads it again, or goes back to it, has nothing to confirm any more.
    .get("/follow/confirmed", (c) =>
      c.redirect(`/addons/${encodeURIComponent(nameIn(c))}/replication/follow`, 303),
    )
    .post("/follow/confirmed", handle(followConfirmed));
  for (const [path, decide] of [
    ["/promote", promotion],
    ["/switch-over", switchover],
    ["/resync", resynchronization],
  ] as const) {
    routes.get(
      path,
      handle((request) => lookAtDecision(request, decide)),
    );
    routes.post(
      path,
      handle((request) => decided(request, decide)),
    );
  }
  return routes.onError((error, c) => failurePage(c, error));
}

function nameIn(c: Context): string {
  return c.req.param("name") ?? "";
}
