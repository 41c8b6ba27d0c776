import type { HomeIdentity } from "../../core/status";
import { literal } from "./literal";
import { isUsualHome } from "./usual-home";

/** The Pulumi program that makes an add-on anew with the newest data of one that was deleted. */
export function restoringProgram(addon: string, home: HomeIdentity): string {
  const platform = isUsualHome(home) ? undefined : { kind: "local", dataHome: home.path };
  const args = literal({ name: addon, plan: "s_mono", restoreFrom: { addon }, platform });
  return `import { RedisAddon } from "pulumi-redis-addon";

// The plan that it had, or one that has room for the data.
const redis = new RedisAddon(${JSON.stringify(addon)}, ${args});

export const redisUrl = redis.redisUrl;
`;
}
