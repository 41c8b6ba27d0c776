import { randomUUID } from "node:crypto";
import { nameProblem } from "../../../core/addon-name";
import type { AddonStatus } from "../../../core/status";
import type { Task } from "../../../core/task";
import { type BackupDetails, showBackup } from "../../../operations/backup-catalog";
import { type BackupPlace, placeOf } from "../../../operations/backup-place";
import { noSuchAddon } from "../../../operations/no-such-addon";
import { previewRestore, type RestorePreview } from "../../../operations/preview-restore";
import { provision } from "../../../operations/provision";
import type { RestoreWish } from "../../../operations/restore";
import { restoredWords } from "../../../operations/restore/restore-words";
import type { Platform, ServerRequest } from "../../../platforms/contract";
import { log } from "../../../system/log";
import { activityPath } from "../../activities/section";
import { html, type Html } from "../../html";
import { taskOf } from "../../request-task";
import { addonSubpage } from "../parts/addon-subpage";
import { failureNotice } from "../parts/failure";
import { notice } from "../parts/problems";
import { asSentence } from "../parts/sentence";
import { pathOf } from "./actions";
import { adoption, CONSOLE_OWNER } from "./adoption";
import { badInput, formFields } from "./form";
import { keyField, typedKey, wantsKey } from "./key-field";
import { patiently } from "./patiently";
import { defaultPlan, type PlanOption, planOptions } from "./plan-options";
import type { BackupRequest } from "./request";
import { standIn } from "./stand-in";

/** What a form of this page needs to know. */
interface Source {
  readonly status: AddonStatus;
  readonly place: BackupPlace;
  readonly details: BackupDetails;
  readonly options: readonly PlanOption[];
}

/** Asks for a name and a plan, and says what would happen with these. Nothing is touched. */
export async function lookAtRestoreNew(request: BackupRequest): Promise<Response> {
  const { c, context, name, slot } = request;
  const source = await sourceOf(request, taskOf(c, context));
  const wanted = c.req.query("name")?.trim() ?? (await freeName(context.platform, name));
  const chosen = optionOf(source, c.req.query("plan"));
  const problem = nameProblem(wanted) ?? (await takenProblem(context.platform, wanted));
  const body = html`<section class="card" aria-labelledby="new-title">
      <h2 id="new-title">Restore backup ${slot} into a new add-on</h2>
      <p class="muted">${name} and its data stay as they are.</p>
      <form method="get" action="${pathOf(name, slot)}/restore-new">
        <p>
          <label for="name">Name of the new add-on</label>
          <input id="name" name="name" value="${wanted}" required maxlength="40" autocomplete="off" />
        </p>
        <p>
          <label for="plan">Plan</label>
          <select id="plan" name="plan">
            ${source.options.map(
              ({ value, words }) =>
                html`<option value="${value}" ${value === chosen?.value ? "selected" : ""}>${words}</option>`,
            )}
          </select>
        </p>
        <p><button>See what would happen</button></p>
      </form>
    </section>
    ${
      problem === undefined && chosen !== undefined
        ? await goAhead(request, source, wanted, chosen)
        : notice("bad", "Not like this", [problem ?? "no plan has room for these data"])
    }
    <p><a href="${pathOf(name, slot)}">This backup</a></p>`;
  return addonSubpage(c, context, { name, tab: "backups", title: `Restore ${slot} into a new add-on`, body });
}

async function goAhead(
  { context, name, slot }: BackupRequest,
  source: Source,
  wanted: string,
  { value, plan }: PlanOption,
): Promise<Html> {
  const { status, place, details } = source;
  const asksForKey = wantsKey(details.manifest, place);
  const wish = newServer(status, plan);
  const preview = await previewRestore(context.platform, {
    name: wanted,
    server: wish,
    restore: wishOf(name, slot, standIn(details.manifest, place)),
  });
  const { refusals } = preview;
  return html`<section class="card" aria-labelledby="preview-title">
    <h2 id="preview-title">What would happen</h2>
    ${refusals.map(({ code, cause, hint }) =>
      failureNotice({ code, operation: "restore into", subject: wanted, cause, hint, transient: false }),
    )}
    ${happening(preview, wanted)}
    ${
      refusals.length > 0
        ? ""
        : html`<form method="post" action="${pathOf(name, slot)}/restore-new">
            <input type="hidden" name="name" value="${wanted}" />
            <input type="hidden" name="plan" value="${value}" />
            ${asksForKey ? keyField(details.manifest, "restore-key") : ""}
            <p><button class="primary">Make ${wanted} and restore into it</button></p>
          </form>`
    }
  </section>`;
}

function happening({ plans, warnings }: RestorePreview, wanted: string): Html {
  return html`${warnings.length === 0 ? "" : notice("warn", "To be known", warnings)}
    <ul>
      <li>
        ${wanted} is made, with a password of its own and otherwise as the add-on whose backup it is (version,
        eviction policy, access, settings, labels); it listens on 127.0.0.1.
      </li>
      ${plans.map((sentence) => html`<li>${asSentence(sentence)}</li>`)}
      <li>
        It belongs to ${CONSOLE_OWNER.project}/${CONSOLE_OWNER.stack} until a program adopts it: how is said
        once it is there.
      </li>
    </ul>`;
}

/** Starts it. Whoever has that name already is left alone. */
export async function restoreNew(request: BackupRequest): Promise<Response> {
  const { c, context, name, slot } = request;
  const { platform, activities } = context;
  const fields = await formFields(request);
  const wanted = fields("name").trim();
  const operation = `restore backup ${slot} of ${name} into`;
  const problem = nameProblem(wanted) ?? (await takenProblem(platform, wanted));
  if (problem !== undefined)
    throw badInput(operation, JSON.stringify(wanted), problem, "Choose another name");
  const source = await sourceOf(request, taskOf(c, context));
  const chosen = source.options.find(({ value }) => value === fields("plan"));
  if (chosen === undefined)
    throw badInput(operation, wanted, "there is no such plan", "Choose one of the list");
  const wish = newServer(source.status, chosen.plan);
  const secrets = { key: typedKey(source.details.manifest, fields("key")) };
  log(`${wanted}: somebody restores backup ${slot} of ${name} into it in the console`);
  const activity = activities.start(
    {
      ...{ addon: name, tab: "backups" },
      title: `make ${wanted} from backup ${slot} of`,
      ifConsoleEnds: `${wanted} is there, and empty, unless its data were complete already: restore into it again`,
    },
    async (task) => {
      const claim = { kind: "create", token: randomUUID(), caller: CONSOLE_OWNER } as const;
      const again = `restore ${name}'s backup into it (redis-addon backup restore ${name} ${slot} --into ${wanted}), or delete it (redis-addon delete ${wanted})`;
      const restore = wishOf(name, slot, secrets);
      const made = await provision(platform, { name: wanted, claim, wish, given: [], restore, again }, task);
      const { record, restored } = made;
      return {
        words: [`${wanted} is there${restored === undefined ? "" : `, ${restoredWords(restored)}`}`],
        warnings: restored?.warnings ?? [],
        links: [{ href: `/addons/${wanted}`, text: wanted }],
        more: adoption(record, source.status.home),
      };
    },
  );
  return c.redirect(activityPath(activity), 303);
}

async function sourceOf({ context, name, slot }: BackupRequest, task: Task): Promise<Source> {
  const { platform, watch } = context;
  const status = await watch.one(name, task);
  if (status === undefined) throw await noSuchAddon(platform, name, "");
  const place = await placeOf({ kind: "addon", platform, name });
  const about = { operation: "restore", subject: `backup ${slot} of ${name}` };
  const details = await patiently(task, about, (looking) => showBackup(place, slot, looking));
  return { status, place, details, options: planOptions(status.wish, details) };
}

function optionOf({ options, status }: Source, asked: string | undefined): PlanOption | undefined {
  return options.find(({ value }) => value === asked) ?? defaultPlan(options, status.wish);
}

/** As the add-on whose backup it is, but for what must not be taken over unasked: where it listens, and its port. */
function newServer({ wish }: AddonStatus, plan: PlanOption["plan"]): ServerRequest {
  const { tier, access, evictionPolicy, persistence, settings, labels, deletion, version } = wish;
  return {
    ...{ plan, tier, access, evictionPolicy, persistence, settings, labels, deletion, version },
    bind: "127.0.0.1",
  };
}

function wishOf(name: string, slot: string, secrets: RestoreWish["secrets"]): RestoreWish {
  return { from: { addon: name, backup: slot }, secrets, replaceData: false };
}

async function takenProblem(platform: Platform, wanted: string): Promise<string | undefined> {
  // A record that can't be read has the name all the same.
  const names = await platform.names();
  return names.includes(wanted) ? `there is an add-on ${wanted} already` : undefined;
}

async function freeName(platform: Platform, name: string): Promise<string> {
  const names = await platform.names();
  for (let number = 1; ; number++) {
    const ending = number === 1 ? "-restored" : `-restored-${number}`;
    // Room for the ending in what a name may have.
    const wanted = `${name.slice(0, 40 - ending.length).replace(/-+$/, "")}${ending}`;
    if (!names.includes(wanted)) return wanted;
  }
}
