import { autoName } from "../../core/addon-name";
import type { ServerWish } from "../../core/facets";
import type { AddonStatus } from "../../core/status";
import { literal, type Plain } from "./literal";
import { isUsualHome } from "./usual-home";

/** What a program that says nothing gets. */
const DEFAULTS = {
  access: "standard",
  bind: "127.0.0.1",
  persistence: "everysec",
} as const satisfies Partial<ServerWish>;

/**
 * The Pulumi program that declares an add-on as it is. The port is left out: it stays as it was first chosen. So is the
 * password, which no program should hold.
 */
export function addonProgram(status: Pick<AddonStatus, "name" | "owner" | "wish" | "home">): string {
  return `import { RedisAddon } from "pulumi-redis-addon";

const redis = new RedisAddon(${JSON.stringify(resourceName(status))}, ${literal(argsOf(status))});

export const redisUrl = redis.redisUrl;
`;
}

/** What the program of the add-on's owner calls it, as far as its name tells. */
function resourceName({ name, owner: { project, stack } }: Pick<AddonStatus, "name" | "owner">): string {
  const rest = name.slice(`${project}-${stack}-`.length);
  return rest !== "" && autoName(project, stack, rest) === name ? rest : name;
}

function argsOf({ name, wish, home }: Pick<AddonStatus, "name" | "wish" | "home">): Plain {
  const { tier, access, evictionPolicy, version, persistence, bind, settings, labels, deletion } = wish;
  return {
    name,
    plan: planOf(wish),
    // Said always: a stack's config may have another default.
    tier,
    access: access === DEFAULTS.access ? undefined : access,
    evictionPolicy,
    version,
    persistence: persistence === DEFAULTS.persistence ? undefined : persistence,
    bind: bind === DEFAULTS.bind ? undefined : bind,
    settings: isEmpty(settings) ? undefined : settings,
    labels: isEmpty(labels) ? undefined : labels,
    deletion: deletion.finalBackup ? undefined : deletion,
    platform: isUsualHome(home) ? undefined : { kind: "local", dataHome: home.path },
  };
}

function planOf({ plan }: ServerWish): Plain {
  return typeof plan === "string" ? plan : { ...plan };
}

function isEmpty(entries: Readonly<Record<string, string>>): boolean {
  return Object.keys(entries).length === 0;
}
