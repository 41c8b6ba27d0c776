import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import { asReceiver } from "../../provider/core/hand-over";
import { startAgent } from "../../provider/operations/agent";
import { standingOf } from "../../provider/redis/failover";
import { observeServer } from "../../provider/redis/observe";
import { guardWrites } from "../../provider/redis/write-guard";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";
import { until } from "../support/redis-server";
import { run } from "./agent-support";
import { exchange, expectRoles, load, makePair, withAdmin, type TestPair } from "./switch-over-support";

/** What an agent that is gone has left, and what has become of the servers since. */
interface Left {
  readonly what: string;
  readonly leave: (home: TestHome, pair: TestPair) => Promise<unknown>;
  readonly leads: "lead" | "copy";
}

const LEFT: readonly Left[] = [
  { what: "nothing but the intent", leave: () => Promise.resolve(), leads: "lead" },
  { what: "a failover that ended", leave: failOver, leads: "copy" },
  {
    what: "a failover that ended, and the old leader ended",
    leave: async (home, pair) => {
      await failOver(home, pair);
      await kill(home, "lead");
    },
    leads: "copy",
  },
  {
    what: "a failover that ended, and the new leader ended",
    leave: async (home, pair) => {
      await failOver(home, pair);
      await kill(home, "copy");
    },
    leads: "lead",
  },
  {
    what: "a failover that ended, and both ended",
    leave: async (home, pair) => {
      await failOver(home, pair);
      await kill(home, "lead");
      await kill(home, "copy");
    },
    leads: "lead",
  },
  {
    what: "a failover that can't end, as the new leader ended before",
    leave: async (home, pair) => {
      process.kill(await home.serverPid("copy"), "SIGSTOP");
      await beginFailover(home, pair);
      await kill(home, "copy");
    },
    leads: "lead",
  },
  {
    what: "the new leader's record and no more",
    leave: async (home, pair) => {
      await failOver(home, pair);
      await rewrite(home, "copy", (copy) => asReceiver(pair.lead, copy));
    },
    leads: "copy",
  },
  {
    what: "the new leader's record and no more, and both ended",
    leave: async (home, pair) => {
      await failOver(home, pair);
      await rewrite(home, "copy", (copy) => asReceiver(pair.lead, copy));
      await kill(home, "copy");
      await kill(home, "lead");
    },
    leads: "copy",
  },
];

it.each(LEFT)("an agent that finds $what has $leads lead, with all data", async ({ leave, leads }) => {
  await using home = await makeTestHome();
  const pair = await makePair(home, { persistence: "always" });
  const since = new Date().toISOString();
  await run(pair.lead, "SET", "kept", "yes");
  process.kill(await home.agentPid(), "SIGKILL");
  await withAdmin(home, "copy", (copy) => guardWrites(copy));
  await rewrite(home, "lead", (lead) => ({ ...lead, handingOver: { to: "copy", since } }));
  await leave(home, pair);

  await startAgent(home.path, home.task);
  await until("the records of it", async () => {
    const records = [await load(home, "lead"), await load(home, "copy")];
    return records.every(({ handingOver }) => handingOver === undefined);
  });
  const [leader, follower] = leads === "lead" ? [pair.lead, pair.copy] : [pair.copy, pair.lead];
  await expectRoles(home, { leader, follower });
  expect(await run(leader, "GET", "kept")).toBe("yes");
  expect((await load(home, "lead")).demoted?.to).toBe(leads === "lead" ? undefined : "copy");
  // It can be had from here.
  await exchange(home, pair, leads === "lead" ? "switched-over" : "declared");
  await expectRoles(home, { leader: follower, follower: leader });
});

it("while a server runs and doesn't answer nobody is placed, and it is settled once it does", async () => {
  await using home = await makeTestHome();
  const pair = await makePair(home);
  const since = new Date().toISOString();
  process.kill(await home.agentPid(), "SIGKILL");
  await rewrite(home, "lead", (lead) => ({ ...lead, handingOver: { to: "copy", since } }));
  const lead = await home.serverPid("lead");
  process.kill(lead, "SIGSTOP");
  try {
    await startAgent(home.path, home.task);
    await eventually(
      "its status says why",
      async () => {
        const placement = await home.platform.placement("copy");
        return placement?.process.state === "running" && placement.process.trouble?.includes("lead");
      },
      40_000,
    );
    expect((await load(home, "lead")).handingOver).toBeDefined();
    expect(await withAdmin(home, "copy", standingOf)).toBe("follows");
  } finally {
    process.kill(lead, "SIGCONT");
  }
  await expectRoles(home, { leader: pair.lead, follower: pair.copy });
}, 90_000);

async function beginFailover(home: TestHome, { copy }: TestPair): Promise<void> {
  await withAdmin(home, "lead", async (lead) => {
    const { replicaPassword } = copy.credentials;
    await lead.command("CONFIG", "SET", "masteruser", "redis-addon-replica", "masterauth", replicaPassword);
    // The leader hears of a sync's end a moment after the follower.
    await until("the follower is online to its leader", async () =>
      (await observeServer(lead)).followers.some(({ state }) => state === "online"),
    );
    await lead.command("FAILOVER", "TO", "127.0.0.1", copy.server.wish.port, "TIMEOUT", 600_000);
  });
}

/** As the agent has it done; the new leader takes no write, as nobody has recorded yet that it leads. */
async function failOver(home: TestHome, pair: TestPair): Promise<void> {
  await beginFailover(home, pair);
  await until("the failover's end", () =>
    withAdmin(home, "lead", async (lead) => (await standingOf(lead)) === "follows"),
  );
  await expect(run(pair.copy, "SET", "kept", "lost")).rejects.toThrow(/NOREPLICAS/);
}

async function kill(home: TestHome, name: string): Promise<void> {
  const pid = await home.serverPid(name);
  process.kill(pid, "SIGKILL");
  await until(`the end of the server of ${name}`, () => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  });
}

async function rewrite(
  home: TestHome,
  name: string,
  change: (record: AddonRecord) => AddonRecord,
): Promise<void> {
  const file = join(home.path, "addons", name, "record.json");
  const record = JSON.parse(await readFile(file, "utf8")) as AddonRecord;
  await writeFile(file, JSON.stringify(change(record)));
}
