import { asFailure, Failure, type FailureReport } from "../../../core/errors";
import type { Finding } from "../../../redis/preflight/finding";
import {
  followByPerson,
  planFollowing,
  type FollowingPlan,
  type PersonsFollowing,
} from "../../../operations/follow-by-person";
import { replicatedWords } from "../../../operations/replication-words";
import {
  followingConsequences,
  followingProgramWords,
  replacedWords,
  wishedLeaderWords,
} from "../../../operations/words/following-words";
import { log } from "../../../system/log";
import { activityPath } from "../../activities/section";
import { html, type Html } from "../../html";
import { followerProgram } from "../../snippets/follower-program";
import { codeBlock } from "../parts/copyable";
import { notice } from "../parts/problems";
import { asSentence } from "../parts/sentence";
import { fieldOf, fieldsFrom, wishFrom, type FieldProblems } from "./follow-fields";
import { followForm } from "./follow-form";
import { answerWith, type ReplicationRequest } from "./request";
import { sessionOf } from "./session-of";

/** A first snapshot of a large leader takes its time. */
const DEADLINE_MS = 20 * 60_000;

/** Finds out what following would meet, and says it; nothing is touched. */
export async function lookAtFollowing(request: ReplicationRequest): Promise<Response> {
  const { c, context, pending, status } = request;
  const fields = fieldsFrom(await c.req.parseBody());
  const asked = wishFrom(fields);
  if ("problems" in asked) return followForm(request, { fields, problems: asked.problems });
  const following = { name: status.name, wish: asked.wish };
  const plan = await planFollowing(context.platform, following).catch((error: unknown) =>
    asFailure(error, "follow with", status.name),
  );
  if (plan instanceof Failure) return followForm(request, { fields, failures: [plan.report()] });
  const refusing = plan.findings.filter((finding) => isRefusing(finding, fields.kind));
  if (refusing.length > 0)
    return followForm(request, { fields, ...byField(refusing, fields.kind, status.name) });
  const id = pending.keep(sessionOf(c), following);
  return answerWith(request, "Set as follower", confirmation(request, following, plan, id));
}

/** What passes by itself is waited for; of an address it is more likely that it was mistyped. */
function isRefusing({ severity, transient, code }: Finding, kind: string): boolean {
  if (severity !== "refuse") return false;
  return !transient || (kind !== "addon" && fieldOf(code, kind) !== undefined);
}

/** What stands against it, at the field that it is about. */
function byField(
  findings: readonly Finding[],
  kind: string,
  subject: string,
): { readonly problems: FieldProblems; readonly failures: readonly FailureReport[] } {
  const told = findings.map((finding) => ({ finding, field: fieldOf(finding.code, kind) }));
  const problems = told.flatMap(({ finding, field }) =>
    field === undefined ? [] : [[field, findingText(finding)] as const],
  );
  const failures = told.flatMap(({ finding, field }) =>
    field === undefined ? [{ ...finding, operation: "follow with", subject }] : [],
  );
  return { problems: Object.fromEntries(problems), failures };
}

function findingText({ cause, hint }: Finding): string {
  const why = asSentence(`${cause.charAt(0).toUpperCase()}${cause.slice(1)}`);
  return hint === "" ? why : `${why} ${asSentence(hint)}`;
}

function confirmation(
  { status }: ReplicationRequest,
  { name, wish }: PersonsFollowing,
  plan: FollowingPlan,
  id: string,
): Html {
  const replaced = replacedWords(name, plan);
  const leader = wishedLeaderWords(wish);
  const program = followerProgram({ name, wish, home: status.home, replaceData: replaced !== undefined });
  return html`${plan.findings.length === 0 ? "" : notice("warn", "To be known", plan.findings.map(findingText))}
    <section class="card" aria-labelledby="confirm-title">
      <h2 id="confirm-title">${name} is to follow ${leader}</h2>
      <p>This would happen:</p>
      <ul>
        ${followingConsequences(status, wish, plan).map((words) => html`<li>${asSentence(words)}</li>`)}
        ${replaced === undefined ? html`<li>Nothing that ${name} holds is replaced.</li>` : ""}
      </ul>
      <form method="post" action="/addons/${name}/replication/follow/confirmed">
        <input type="hidden" name="id" value="${id}" />
        ${
          replaced === undefined
            ? ""
            : html`<p>
                <label>
                  <input type="checkbox" name="replace" value="yes" required />
                  Yes: ${asSentence(replaced)}
                </label>
              </p>`
        }
        <p>
          <button class="${replaced === undefined ? "primary" : "danger"}">
            Have ${name} follow ${leader}
          </button>
        </p>
      </form>
      <p><a href="/addons/${name}/replication/follow">Choose another leader</a></p>
    </section>
    <section class="card" aria-labelledby="program-title">
      <h2 id="program-title">The same in a Pulumi program</h2>
      <p>${followingProgramWords(plan)}</p>
      ${codeBlock({ id: "program", label: "the Pulumi program", text: program })}
    </section>`;
}

/** Begins it. What was said to be replaced is replaced only where that was agreed to. */
export async function followConfirmed(request: ReplicationRequest): Promise<Response> {
  const { c, context, pending, status } = request;
  const { name } = status;
  const { id, replace } = await c.req.parseBody();
  const following = pending.take(typeof id === "string" ? id : "", sessionOf(c), name);
  if (following === undefined) return followForm(request, { failures: [nothingKept(name)] });
  const { platform, activities } = context;
  const replaceData = replace === "yes";
  const leader = wishedLeaderWords(following.wish);
  log(`${name}: is to follow ${leader}, as somebody asked for in the console`);
  const activity = activities.start(
    {
      ...{ addon: name, tab: "information" },
      title: `follow ${leader} with`,
      ifConsoleEnds: "where it was told to follow already, it goes on; its page shows whether it is in sync",
    },
    async (task) => {
      const request = { ...following, replaceData, deadlineMs: DEADLINE_MS };
      const replicated = await followByPerson(platform, request, task);
      return {
        words: [`${name} follows ${leader} and is in sync`, ...replicatedWords(name, replicated)],
        links: [{ href: `/addons/${name}`, text: name }],
      };
    },
  );
  return c.redirect(activityPath(activity), 303);
}

function nothingKept(name: string): FailureReport {
  return {
    ...{ code: "not-kept", operation: "follow with", subject: name, transient: false },
    cause: "what was typed is not kept any more; it is for ten minutes, and for one use",
    hint: "Type it again",
  };
}
