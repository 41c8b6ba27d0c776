import { type SettingProblem, unsupportedSettings } from "./allowed-settings";
import type { ServerWish } from "./facets";
import { planOf } from "./plans";
import { settingsBeyondPlan } from "./settings-of-plan";
import { parseSpelling } from "./version";

/** The settings that are right by themselves and go with the plan or with the server's version not. */
export function unfitSettings({
  settings,
  plan,
  version,
}: Pick<ServerWish, "settings" | "plan" | "version">): readonly SettingProblem[] {
  const server = parseSpelling(version);
  return [
    ...(server === undefined ? [] : unsupportedSettings(settings, server)),
    ...settingsBeyondPlan(settings, planOf(plan)),
  ];
}
