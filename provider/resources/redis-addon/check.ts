import { autoName } from "../../core/addon-name";
import type { AddonRecord } from "../../core/facets";
import type { CheckAnswer, CheckCall } from "../../pulumi/definition";
import { parseUrn, type ParsedUrn } from "../../pulumi/urn";
import type { CheckFailure } from "../../pulumi/validate";
import type { Platform } from "../../platforms/contract";
import { fromFinding } from "../findings";
import type { Operations } from "../operations";
import { inputsChecked } from "./checked";
import type { RedisAddonInputs } from "./inputs";
import { addonOutputs } from "./outputs";
import { resolvedVersion } from "./resolved-version";
import { previewedCreate } from "./restore-preview";

/** What a preview can know and find out, before anything is touched. */
export async function checkRedisAddon(
  operations: Operations,
  call: CheckCall<RedisAddonInputs>,
): Promise<CheckAnswer> {
  const { inputs, unknown, hidden, olds } = call;
  inputsChecked(hidden.urn);
  const urn = hidden.urn === undefined ? undefined : parseUrn(hidden.urn);
  const sticky = inputs.name ?? stickyName(olds);
  if (inputs.platform === undefined || inputs.bind === undefined) {
    const derived = unknown.has("name") ? undefined : (sticky ?? derivedName(urn));
    return { fill: derived === undefined ? {} : { name: derived }, failures: [] };
  }
  const platform = await operations.openPlatform(inputs.platform);
  const name = unknown.has("name")
    ? undefined
    : (sticky ?? (await recordedName(platform, hidden.urn)) ?? derivedName(urn));
  const record = name === undefined ? undefined : await platform.load(name);
  const isCreate = Object.keys(olds).length === 0;
  const foreign = isCreate && record !== undefined ? foreignOwner(record, urn) : undefined;
  if (foreign !== undefined) return { fill: { name }, failures: [foreign] };

  const given = (key: "port" | "version" | "password") => hidden.given.includes(key);
  const version = given("version") ? inputs.version : undefined;
  const port = given("port") ? inputs.port : undefined;
  const findings = await platform.check({
    name: name ?? "",
    bind: inputs.bind,
    ...(version === undefined ? {} : { version }),
    ...(port === undefined ? {} : { port }),
    ...(inputs.plan === undefined || inputs.settings === undefined
      ? {}
      : { size: { plan: inputs.plan, settings: inputs.settings } }),
  });
  const failures = findings.map(fromFinding);
  // Of one that is there, what the last update did must be known: its comparison tells.
  if (isCreate && failures.length === 0)
    failures.push(...(await previewedCreate(operations, platform, { ...call, name, record })));
  const fill = {
    ...(name === undefined ? {} : { name }),
    backupHealth: record === undefined ? "fresh" : await knownHealth(operations, platform, record, olds),
  };
  if (record === undefined) return { fill, failures };
  // What is unknown leaves everything that is made of it unknown too.
  if (["port", "bind", "version", "password"].some((key) => unknown.has(key))) return { fill, failures };
  const change = {
    bind: inputs.bind,
    ...(port === undefined ? {} : { port }),
    ...(version === undefined ? {} : { version: resolvedVersion(record, version) }),
    ...(given("password") && inputs.password !== undefined ? { password: inputs.password } : {}),
  };
  return { fill: { ...fill, ...addonOutputs(record, change) }, failures };
}

/** As it was made known last: what an update filled in anew, the next refresh could not find changed. */
async function knownHealth(
  operations: Operations,
  platform: Platform,
  { name }: AddonRecord,
  { backupHealth }: CheckCall<RedisAddonInputs>["olds"],
): Promise<unknown> {
  return backupHealth ?? (await operations.backupHealthOf(platform, name))?.state;
}

function stickyName(olds: CheckCall<RedisAddonInputs>["olds"]): string | undefined {
  const name = olds["name"];
  return typeof name === "string" ? name : undefined;
}

/** A forced replacement brings no old inputs: its add-on is the one that is recorded under the same URN. */
async function recordedName(platform: Platform, urn: string | undefined): Promise<string | undefined> {
  // Neither a home that can't be read, which check tells, nor another add-on's record must hide this one.
  for (const name of urn === undefined ? [] : await platform.names().catch(() => [])) {
    const record = await platform.load(name).catch(() => undefined);
    if (record?.server.urn === urn) return name;
  }
  return undefined;
}

function derivedName(urn: ParsedUrn | undefined): string | undefined {
  return urn === undefined ? undefined : autoName(urn.project, urn.stack, urn.name);
}

function foreignOwner({ name, owner }: AddonRecord, urn: ParsedUrn | undefined): CheckFailure | undefined {
  if (urn === undefined || (owner.project === urn.project && owner.stack === urn.stack)) return undefined;
  const [theirs, ours] = [`${owner.project}/${owner.stack}`, `${urn.project}/${urn.stack}`];
  return {
    property: "name",
    reason:
      `an add-on of that name was made by the stack ${theirs}, and this is ${ours}: choose another name, ` +
      `or hand it over: redis-addon hand-over ${name} --to ${ours}`,
  };
}
