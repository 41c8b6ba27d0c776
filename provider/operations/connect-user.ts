import { Failure } from "../core/errors";
import { planOf } from "../core/plans";
import type { AddonStatus } from "../core/status";
import type { Task } from "../core/task";
import type { Platform } from "../platforms/contract";
import { connectPatiently } from "../redis/connect-patiently";
import { findRedisCli } from "./find-redis-cli";
import { noSuchAddon } from "./no-such-addon";

/** What an add-on's users log in as. */
const USER = "default";

/** A redis-cli to be run; disposing it closes the way to the server, where there is one. */
export interface RedisCliCall extends AsyncDisposable {
  readonly file: string;
  readonly args: readonly string[];
  /** What its environment needs besides: the password, which must not stand among the arguments. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface RedisCliWish {
  /** 0 unless given. */
  readonly database?: number | undefined;
  /** What is passed on to redis-cli as it is. */
  readonly args: readonly string[];
  readonly dataHome?: string | undefined;
}

/**
 * How to run redis-cli on an add-on as its user. The server was asked first, for newer redis-clis end well after a login
 * that failed. Fails with `no-such-database`, `no-redis-cli`, `server-down`, or as a connection does.
 */
export async function redisCliCall(
  platform: Platform,
  { name, server, wish }: Pick<AddonStatus, "name" | "server" | "wish">,
  { database = 0, args, dataHome }: RedisCliWish,
  task: Pick<Task, "signal" | "clock">,
): Promise<RedisCliCall> {
  const { databases } = planOf(wish.plan);
  if (database >= databases) throw noSuchDatabase(name, database, databases);
  const file = await findRedisCli(dataHome);
  if (file === undefined) throw noRedisCli(name);
  if (server.state === "stopped") throw serverDown(name, server.why);
  const record = await platform.load(name);
  if (record === undefined) throw await noSuchAddon(platform, name, "See what there is: redis-addon list");
  const access = await platform.connect(record);
  try {
    const { host, port } = access;
    const { password } = record.credentials;
    const target = { host, port, username: USER, password, subject: name, operation: "connect to" };
    await using _ = await connectPatiently(target, task);
    return {
      file,
      args: ["-h", host, "-p", String(port), "--user", USER, ...inDatabase(database), ...args],
      environment: { REDISCLI_AUTH: password },
      [Symbol.asyncDispose]: () => access[Symbol.asyncDispose](),
    };
  } catch (error) {
    await access[Symbol.asyncDispose]();
    throw error;
  }
}

function inDatabase(database: number): string[] {
  return database === 0 ? [] : ["-n", String(database)];
}

function noSuchDatabase(name: string, database: number, databases: number): Failure {
  return new Failure({
    code: "no-such-database",
    operation: "connect to",
    subject: name,
    cause: `its plan has ${databases === 1 ? "database 0 alone" : `the databases 0 to ${databases - 1}`}, and not ${database}`,
    hint: "Choose one of them, or a plan with more",
  });
}

function noRedisCli(name: string): Failure {
  return new Failure({
    code: "no-redis-cli",
    operation: "connect to",
    subject: name,
    cause: "there is no redis-cli or valkey-cli on the PATH, nor beside a server that is",
    hint: `Install one (Debian, Ubuntu: apt-get install redis-tools; macOS: brew install redis), or see how any other client reaches it: redis-addon info ${name} --reveal`,
  });
}

function serverDown(name: string, why: string): Failure {
  return new Failure({
    code: "server-down",
    operation: "connect to",
    subject: name,
    cause: why,
    hint: `Start it: redis-addon restart ${name}; or see why it is down: redis-addon logs ${name}`,
  });
}
