import { nearest } from "./nearest";
import { refusal, REFUSED_NAMES } from "./refused-settings";
import { howToWrite, settingValue } from "./setting-kinds";
import { ALLOWED_SETTINGS, type AllowedSetting } from "./setting-table";
import { compareVersions, oldestWanted, type ServerVersion } from "./version";

/** What is wrong with one of the settings that a program gives. */
export interface SettingProblem {
  readonly name: string;
  readonly reason: string;
}

/** A program's further settings, in the spelling that CONFIG GET answers with. */
export function parseSettings(given: Readonly<Record<string, unknown>>): {
  readonly settings: Readonly<Record<string, string>>;
  readonly problems: readonly SettingProblem[];
} {
  const settings: [string, string][] = [];
  const problems: SettingProblem[] = [];
  for (const [name, value] of Object.entries(given)) {
    const allowed = allowedSetting(name);
    if (allowed === undefined) {
      problems.push({ name, reason: whyNot(name) });
      continue;
    }
    const text = settingValue(allowed.kind, value);
    if (text === undefined) problems.push({ name, reason: howToWrite(allowed.kind) });
    else settings.push([name, text]);
  }
  return { settings: Object.fromEntries(settings), problems };
}

/** The settings that a server of this version doesn't know: it would refuse to start with them. */
export function unsupportedSettings(
  settings: Readonly<Record<string, string>>,
  version: ServerVersion,
): readonly SettingProblem[] {
  return Object.keys(settings).flatMap((name) => {
    const allowed = allowedSetting(name);
    if (allowed === undefined) return [{ name, reason: whyNot(name) }];
    if (isKnown(allowed, version)) return [];
    const server = `${version.flavor === "redis" ? "Redis" : "Valkey"} ${version.version}`;
    return [{ name, reason: `${server} doesn't know it: it came with Redis ${allowed.sinceRedis}` }];
  });
}

/** What a server of this version has where nothing is said, for every live setting that it knows. */
export function liveDefaults(version: ServerVersion): ReadonlyMap<string, string> {
  const known = ALLOWED_SETTINGS.filter((setting) => setting.apply === "live" && isKnown(setting, version));
  return new Map(known.map((setting) => [setting.name, defaultOf(setting, version)]));
}

/** Whether it takes a launch to change this setting. */
export function needsRestart(name: string): boolean {
  return allowedSetting(name)?.apply === "restart";
}

function defaultOf(setting: AllowedSetting, version: ServerVersion): string {
  return (version.flavor === "valkey" ? setting.valkeyDefault : undefined) ?? setting.default;
}

function isKnown({ sinceRedis }: AllowedSetting, version: ServerVersion): boolean {
  const first = sinceRedis === undefined ? undefined : oldestWanted(sinceRedis);
  return first === undefined || version.flavor === "valkey" || compareVersions(version, first) >= 0;
}

function allowedSetting(name: string): AllowedSetting | undefined {
  return ALLOWED_SETTINGS.find((setting) => setting.name === name);
}

function whyNot(name: string): string {
  const reason = refusal(name);
  if (reason !== undefined) return reason;
  const meant = nearest(name, [...ALLOWED_SETTINGS.map((setting) => setting.name), ...REFUSED_NAMES]);
  if (meant === undefined)
    return "it is not among the settings that an add-on takes; sdk/SETTINGS.md lists them";
  const refused = refusal(meant);
  return refused === undefined || allowedSetting(meant) !== undefined
    ? `there is no such setting; did you mean \`${meant}\`?`
    : `there is no such setting; if \`${meant}\` is meant: ${refused}`;
}
