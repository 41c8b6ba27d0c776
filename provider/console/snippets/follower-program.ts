import type { LeaderTls, ReplicationWish } from "../../core/facets";
import type { HomeIdentity } from "../../core/status";
import { literal, type Plain } from "./literal";
import { isUsualHome } from "./usual-home";

/** What a program takes from its stack's config, so that no code holds it. */
const SECRETS = {
  password: "leaderPassword",
  key: "leaderKey",
} as const;
type Secret = keyof typeof SECRETS;

/** How the literal below stands for code. */
const standIn = (secret: Secret): string => `\u0000${secret}`;

interface FollowerProgram {
  readonly name: string;
  readonly wish: ReplicationWish;
  readonly home: HomeIdentity;
  /** Whether keys that the add-on has are to be replaced. */
  readonly replaceData: boolean;
}

/** The Pulumi program that declares whom an add-on follows. What is secret of it comes from the stack's config. */
export function followerProgram({ name, wish, home, replaceData }: FollowerProgram): string {
  const args: Plain = {
    addon: name,
    leader: leaderOf(wish),
    replaceData: replaceData ? true : undefined,
    platform: isUsualHome(home) ? undefined : { kind: "local", dataHome: home.path },
  };
  const secrets = secretsOf(wish);
  const code = secrets.reduce(
    (text, secret) =>
      text.replace(JSON.stringify(standIn(secret)), `config.requireSecret("${SECRETS[secret]}")`),
    literal(args),
  );
  const config = secrets.length === 0 ? "" : configOf(secrets);
  return `${config === "" ? "" : 'import * as pulumi from "@pulumi/pulumi";\n'}import { RedisFollower } from "pulumi-redis-addon";

${config}new RedisFollower(${JSON.stringify(`${name}-follows`)}, ${code});
`;
}

function secretsOf(wish: ReplicationWish): readonly Secret[] {
  if (wish.kind === "addon") return [];
  return wish.tls?.key === undefined ? ["password"] : ["password", "key"];
}

function configOf(secrets: readonly Secret[]): string {
  const commands = secrets.map((secret) =>
    secret === "key"
      ? `// pulumi config set --secret ${SECRETS[secret]} < key.pem`
      : `// pulumi config set --secret ${SECRETS[secret]}`,
  );
  return `${commands.join("\n")}\nconst config = new pulumi.Config();\n`;
}

function leaderOf(wish: ReplicationWish): Plain {
  if (wish.kind === "addon") return wish.addon;
  const { host, port, username, tls } = wish;
  return {
    ...{ host, port, username, password: standIn("password") },
    tls: tls === undefined ? undefined : tlsOf(tls),
  };
}

function tlsOf({ key, ...open }: LeaderTls): Plain {
  if (key === undefined && Object.keys(open).length === 0) return true;
  return { ...open, key: key === undefined ? undefined : standIn("key") };
}
