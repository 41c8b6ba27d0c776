import type { FailureReport } from "../../../core/errors";
import { followed } from "../../../core/followed";
import { html, type Html } from "../../html";
import { failureNotice } from "../parts/failure";
import { EMPTY_FIELDS, type FieldName, type FieldProblems, type FollowFields } from "./follow-fields";
import { answerWith, type ReplicationRequest } from "./request";

export interface Refused {
  readonly fields?: FollowFields;
  readonly problems?: FieldProblems;
  /** Of no field alone. */
  readonly failures?: readonly FailureReport[];
}

/** Asks whom an add-on is to follow; with what was typed before, but for what is secret, where that can't be. */
export async function followForm(request: ReplicationRequest, refused: Refused = {}): Promise<Response> {
  const { context, status } = request;
  const { fields = EMPTY_FIELDS, problems = {}, failures = [] } = refused;
  const { name } = status;
  const record = await context.platform.load(name);
  const now = record && followed(record);
  const others = (await context.platform.names()).filter((each) => each !== name);
  const isRefused = failures.length > 0 || Object.keys(problems).length > 0;
  const body = html`<div role="${isRefused ? "alert" : "presentation"}">
      ${failures.map(failureNotice)}
      ${
        Object.keys(problems).length === 0
          ? ""
          : html`<section class="notice bad">
              <h2>${name} can't follow with this</h2>
              <ul>
                ${Object.entries(problems).map(
                  ([field, problem]) => html`<li><a href="#${field}">${problem}</a></li>`,
                )}
              </ul>
            </section>`
      }
    </div>
    <p>
      A follower is a read-only copy of its leader that keeps up with it. Before anything is changed, the
      leader is asked whether it can be followed, and the next page says what would happen.
    </p>
    ${others.length === 0 ? "" : addonForm(name, others, { fields, problems }, now?.kind === "addon" ? now.addon : "")}
    ${addressForm(name, { fields, problems })}`;
  return answerWith(request, "Set as follower", body, isRefused ? 422 : 200);
}

interface Typed {
  readonly fields: FollowFields;
  readonly problems: FieldProblems;
}

function addonForm(
  name: string,
  others: readonly string[],
  { fields, problems }: Typed,
  present: string,
): Html {
  const chosen = fields.addon === "" ? present : fields.addon;
  const input = html`<select id="addon" name="addon" required ${described("addon", problems)}>
    <option value="">Choose an add-on</option>
    ${others.map(
      (other) => html`<option value="${other}" ${other === chosen ? "selected" : ""}>${other}</option>`,
    )}
  </select>`;
  return html`<section class="card" aria-labelledby="follow-addon">
    <h2 id="follow-addon">Follow an add-on of this place</h2>
    <form method="post" action="/addons/${name}/replication/follow">
      <input type="hidden" name="kind" value="addon" />
      ${labelled("addon", "Leader", input, { problems })}
      <p><button class="primary">See what would happen</button></p>
    </form>
  </section>`;
}

function addressForm(name: string, { fields, problems }: Typed): Html {
  const text = (field: "host" | "port" | "username" | "serverName", more: Html | "" = "") =>
    html`<input
      id="${field}"
      name="${field}"
      value="${fields[field]}"
      autocomplete="off"
      autocapitalize="none"
      spellcheck="false"
      ${more}
      ${described(field, problems)}
    />`;
  return html`<section class="card" aria-labelledby="follow-address">
    <h2 id="follow-address">Follow any Redis</h2>
    <form method="post" action="/addons/${name}/replication/follow">
      <input type="hidden" name="kind" value="address" />
      ${labelled("host", "Host", text("host", html`required`), { problems })}
      ${labelled("port", "Port", text("port", html`required inputmode="numeric"`), { problems })}
      ${labelled("username", "User name", text("username"), {
        problems,
        help: "Redis's user default where none is given. It needs the rights to PSYNC, SYNC and REPLCONF, and should have INFO.",
      })}
      ${labelled(
        "password",
        "Password",
        html`<input
          id="password"
          name="password"
          type="password"
          autocomplete="new-password"
          ${described("password", problems, true)}
        />`,
        { problems, help: "Empty where the leader wants none." },
      )}
      <fieldset>
        <legend>TLS</legend>
        <p>
          <label for="tls">
            <input
              type="checkbox"
              id="tls"
              name="tls"
              ${fields.tls ? "checked" : ""}
              ${described("tls", problems)}
            />
            It speaks TLS
          </label>
          ${problemText("tls", problems)}
        </p>
        ${labelled("ca", "Certificates to trust", pem("ca", fields.ca, problems), {
          problems,
          help: "In PEM. Empty: those of this machine's system.",
        })}
        ${labelled("serverName", "Name that the leader's certificate must have", text("serverName"), {
          problems,
          help: "Empty: its host.",
        })}
        ${labelled(
          "certificate",
          "Certificate of the follower",
          pem("certificate", fields.certificate, problems),
          { problems, help: "In PEM, where the leader asks for one." },
        )}
        ${labelled("key", "Key of that certificate", pem("key", "", problems), {
          problems,
          help: "In PEM, without a passphrase. What is typed is not shown again.",
        })}
      </fieldset>
      <p><button class="primary">See what would happen</button></p>
    </form>
  </section>`;
}

/** What begins with a line of its own keeps it: a browser drops the first one. */
function pem(field: "ca" | "certificate" | "key", value: string, problems: FieldProblems): Html {
  const kind = field === "key" ? "PRIVATE KEY" : "CERTIFICATE";
  return html`<textarea
    id="${field}"
    name="${field}"
    rows="3"
    autocomplete="off"
    spellcheck="false"
    placeholder="-----BEGIN ${kind}-----"
    ${described(field, problems, true)}
  >
${value}</textarea>`;
}

function labelled(
  field: FieldName,
  label: string,
  input: Html,
  { problems, help }: { readonly problems: FieldProblems; readonly help?: string },
): Html {
  return html`<p>
    <label for="${field}">${label}</label>
    ${input} ${help === undefined ? "" : html`<span class="help muted" id="${field}-help">${help}</span>`}
    ${problemText(field, problems)}
  </p>`;
}

function problemText(field: FieldName, problems: FieldProblems): Html | "" {
  const problem = problems[field];
  return problem === undefined ? "" : html`<strong class="help" id="${field}-problem">${problem}</strong>`;
}

const HELPED: ReadonlySet<FieldName> = new Set(["username", "serverName"]);

/** What a field is described by for who hears it. */
function described(field: FieldName, problems: FieldProblems, hasHelp = HELPED.has(field)): Html | "" {
  const isWrong = problems[field] !== undefined;
  const ids = [...(isWrong ? [`${field}-problem`] : []), ...(hasHelp ? [`${field}-help`] : [])];
  if (ids.length === 0) return "";
  return html`aria-describedby="${ids.join(" ")}" ${isWrong ? html`aria-invalid="true"` : ""}`;
}
