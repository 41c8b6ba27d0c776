import { dirname } from "node:path";
import { expect, test } from "vitest";
import { inspect } from "../../provider/operations/inspect";
import { eventually, makeTestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { serverOf } from "../support/matrix";
import { findRedisServer } from "../support/redis-server";
import { describeWith } from "../support/tools";
import { agentLog, change, make, onPath, run, spellingOf } from "./agent-support";

const password = "the-password-of-both";
const newer = serverOf("Redis 7.4");

describeWith([newer], `a new leader that became ${newer.name}`, () => {
  test("costs the old one no data, and is followed again by one of its version", async () => {
    using _ = onPath(dirname(findRedisServer()));
    await using home = await makeTestHome();
    const { record: lead } = await make(home, "lead", { password });
    const { record: copy } = await make(home, "copy", { password });
    await run(lead, "SET", "both", "have it");
    await follows(home, { name: "copy", leader: "lead" });
    await follows(home, { name: "copy", leader: "lead", position: "switched-over" });

    await change(home, "copy", { password, version: spellingOf(newer) });
    const because = /can't load the snapshot of its leader copy, of version 7\.4.*format 12/;
    await eventually("its status says that it follows nobody, and why", async () => {
      const status = await inspect(home.platform, "lead", home.task);
      return status?.health === "degraded" && status.problems.some((text) => because.test(text));
    });
    expect((await home.platform.load("lead"))?.demoted).toMatchObject({ halted: { why: because } });
    await eventually("it has its data back", async () => {
      return (await run(lead, "GET", "both").catch(() => undefined)) === "have it";
    });
    await expect(run(lead, "SET", "mine", "x")).rejects.toMatchObject({ code: "read-only" });

    await run(copy, "SET", "later", "yes");
    await change(home, "lead", { password, version: spellingOf(newer) });
    await eventually("it follows again", async () => (await run(lead, "GET", "later")) === "yes");
    expect((await home.platform.load("lead"))?.demoted).not.toHaveProperty("halted");
    await expect(run(lead, "SET", "mine", "x")).rejects.toMatchObject({ code: "read-only" });
  }, 120_000);

  test("keeps no follower from the upgrade that mends it, with a backup of what it has", async () => {
    using _ = onPath(dirname(findRedisServer()));
    await using home = await makeTestHome();
    const { record: lead } = await make(home, "lead");
    const { record: copy } = await make(home, "copy");
    await run(lead, "SET", "both", "have it");
    await follows(home, { name: "copy", leader: "lead" });
    await change(home, "lead", { version: spellingOf(newer) });
    await eventually("it follows nobody, with its data", async () => {
      const isHalted = (await home.platform.load("copy"))?.replication?.halted !== undefined;
      return isHalted && (await run(copy, "GET", "both").catch(() => undefined)) === "have it";
    });
    await change(home, "copy", { version: spellingOf(newer) });
    expect(await agentLog(home)).toMatch(/copy: backup \S+ taken before the upgrade from 7\.0/);
    await expect(run(copy, "SET", "mine", "x")).rejects.toMatchObject({ code: "read-only" });
    await follows(home, { name: "copy", leader: "lead" });
    await run(lead, "SET", "later", "yes");
    await eventually("it follows again", async () => (await run(copy, "GET", "later")) === "yes");
  }, 120_000);
});
