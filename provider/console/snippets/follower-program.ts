import type { ReplicationWish } from "../../core/facets";
import type { HomeIdentity } from "../../core/status";
import { literal, type Plain } from "./literal";
import { isUsualHome } from "./usual-home";

/** Of a program, so that no code holds the password. */
const PASSWORD_KEY = "leaderPassword";
/** How the literal below stands for code. */
const PASSWORD = "\u0000password";

interface FollowerProgram {
  readonly name: string;
  readonly wish: ReplicationWish;
  readonly home: HomeIdentity;
  /** Whether keys that the add-on has are to be replaced. */
  readonly replaceData: boolean;
}

/** The Pulumi program that declares whom an add-on follows. The leader's password comes from the stack's config. */
export function followerProgram({ name, wish, home, replaceData }: FollowerProgram): string {
  const args: Plain = {
    addon: name,
    leader: leaderOf(wish),
    replaceData: replaceData ? true : undefined,
    platform: isUsualHome(home) ? undefined : { kind: "local", dataHome: home.path },
  };
  const code = literal(args).replace(JSON.stringify(PASSWORD), `config.requireSecret("${PASSWORD_KEY}")`);
  const config = wish.kind === "external" ? CONFIG : "";
  return `${config === "" ? "" : 'import * as pulumi from "@pulumi/pulumi";\n'}import { RedisFollower } from "pulumi-redis-addon";

${config}new RedisFollower(${JSON.stringify(`${name}-follows`)}, ${code});
`;
}

const CONFIG = `// pulumi config set --secret ${PASSWORD_KEY}
const config = new pulumi.Config();
`;

function leaderOf(wish: ReplicationWish): Plain {
  if (wish.kind === "addon") return wish.addon;
  const { host, port, username, tls } = wish;
  return {
    ...{ host, port, username, password: PASSWORD },
    tls: tls === undefined ? undefined : tls.ca === undefined ? true : { ca: tls.ca },
  };
}
