import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { onTestFinished } from "vitest";
import { z } from "zod";
import { ADMIN_USER } from "../../provider/core/access";
import type { AddonRecord } from "../../provider/core/facets";
import { renderServer } from "../../provider/core/render";
import { redisUrl, withDatabase } from "../../provider/core/uri";
import { testRecord } from "./local-addon";
import { matrix, serverOf } from "./matrix";
import { startRedisServer } from "./redis-server";
import { describeWith, type Tool } from "./tools";

/** A server as a user has it: of plan l_mono, with standard access and noeviction. */
export interface StandardAddon extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly password: string;
  readonly url: string;
  urlFor(database: number): string;
  /** Connected as the administrator. */
  readonly admin: Redis;
  /** Every command, key, channel and login that anybody was refused so far. */
  refusals(): Promise<unknown[]>;
}

/** One group of tests on everyday Redis and one on the newest Valkey. */
export function describeRealUsers(body: (server: Tool) => void): void {
  const [, everyday] = matrix;
  for (const server of everyday === undefined ? [] : [everyday, serverOf("Valkey 9")])
    describeWith([server], server.name, () => body(server));
}

export async function startStandardAddon(
  server: Tool,
  settings: AddonRecord["server"]["wish"]["settings"] = {},
): Promise<StandardAddon> {
  const record = testRecord({ plan: "l_mono", settings });
  const { password, adminPassword } = record.credentials;
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), "redis-addon-users-"));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const aclFile = join(dir, "users.acl");
  const { conf, acl } = renderServer({ record, leader: undefined, dataDir: dir, aclFile });
  await writeFile(join(dir, "redis.conf"), conf);
  await writeFile(aclFile, acl);
  const running = stack.use(await startRedisServer({ executable: server.path, dir, config: "redis.conf" }));
  const admin = running.connect({ username: ADMIN_USER, password: adminPassword });
  await admin.acl("LOG", "RESET");
  const { host, port } = running;
  const url = redisUrl({ host, port, password });
  const owned = stack.move();
  // A test that runs out of time never leaves its `await using`, and vitest ends its worker without an exit.
  onTestFinished(() => owned.disposeAsync());
  return {
    ...{ host, port, password, url, admin },
    urlFor: (database) => withDatabase(url, database),
    refusals: async () => z.array(z.unknown()).parse(await admin.acl("LOG")),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
