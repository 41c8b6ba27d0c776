import { expect } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import type { ServerRequest, SwitchedOver, SwitchOver } from "../../provider/platforms/contract";
import { connectAdmin } from "../../provider/operations/connect-admin";
import type { RedisClient } from "../../provider/redis/client";
import type { Info } from "../../provider/redis/info";
import { creates, eventually, type TestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { make, run } from "./agent-support";

/** The same for both: users of a pair have one password, and go to whichever takes writes. */
export const PASSWORD = "the-password-of-both";

export interface TestPair {
  readonly lead: AddonRecord;
  readonly copy: AddonRecord;
}

/** A leader and a follower in sync with it, `lead<suffix>` and `copy<suffix>`. */
export async function makePair(
  home: TestHome,
  wish: Partial<ServerRequest> = {},
  suffix = "",
): Promise<TestPair> {
  const [lead, copy] = [`lead${suffix}`, `copy${suffix}`];
  // Not both at once: each call might start an agent, and the one that comes too late takes over from one that is killed.
  for (const name of [lead, copy]) await make(home, name, { password: PASSWORD, ...wish });
  await follows(home, { name: copy, leader: lead });
  return { lead: await load(home, lead), copy: await load(home, copy) };
}

export async function load(home: TestHome, name: string): Promise<AddonRecord> {
  const record = await home.platform.load(name);
  if (record === undefined) throw new Error(`there is no ${name}`);
  return record;
}

/** The platform's call alone, as `follows` of a test's program with the token `f1` would make it. */
export function exchange(
  home: TestHome,
  { copy }: TestPair,
  to: SwitchOver["to"],
  { timeoutMs = 10_000, task = home.task } = {},
): Promise<SwitchedOver> {
  return home.platform.switchOver({ name: copy.name, claim: creates("f1"), to, timeoutMs }, task);
}

export async function infoOf(home: TestHome, { name }: { readonly name: string }): Promise<Info> {
  return withAdmin(home, name, (server) => server.info());
}

export async function withAdmin<Answer>(
  home: TestHome,
  name: string,
  work: (server: RedisClient) => Promise<Answer>,
): Promise<Answer> {
  await using server = await connectAdmin(home.platform, await load(home, name), home.task);
  return await work(server);
}

/** Waits until this one takes users' writes, the other one refuses them, follows it and has what it has. */
export async function expectRoles(
  home: TestHome,
  { leader, follower }: { readonly leader: AddonRecord; readonly follower: AddonRecord },
): Promise<void> {
  const marker = `marker ${Math.random()}`;
  await eventually(
    `${leader.name} leads and ${follower.name} follows`,
    async () => {
      try {
        await run(leader, "SET", "marker", marker);
        const info = await infoOf(home, follower);
        const isFollowing =
          info.get("role") === "slave" && info.get("master_port") === String(leader.server.wish.port);
        return isFollowing && (await run(follower, "GET", "marker")) === marker;
      } catch {
        return false;
      }
    },
    40_000,
  );
  await expect(run(follower, "SET", "marker", "mine")).rejects.toMatchObject({ code: "read-only" });
}
