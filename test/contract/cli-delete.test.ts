import { readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inspect } from "../../provider/operations/inspect";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { redisAddon as runRedisAddon } from "../support/redis-addon";
import { make, run } from "./agent-support";

let home: TestHome;

beforeAll(async () => {
  home = await makeTestHome();
});
afterAll(() => home[Symbol.asyncDispose]());

const redisAddon = (...args: string[]) => runRedisAddon(home.path, ...args);

describe("redis-addon delete", () => {
  it("says whose it is, what goes with it and who follows it, and takes a verified backup first", async () => {
    const { record } = await make(home, "cache");
    await make(home, "copy");
    await run(record, "SET", "kept", "yes");
    await follows(home, { name: "copy", leader: "cache" });
    const asked = await redisAddon("delete", "cache");
    expect(asked).toMatchObject({ code: 1, stdout: "" });
    for (const words of ["the stack shop/dev", "(1 key)", "a final backup is taken", "copy loses its leader"])
      expect(asked.stderr).toContain(words);
    expect(await home.platform.names()).toContain("cache");
    const deleted = await redisAddon("delete", "cache", "--yes", "--json");
    expect(JSON.parse(deleted.stdout)).toMatchObject({
      outcome: "removed",
      finalBackup: { verification: { outcome: "verified" } },
    });
    expect(await home.platform.names()).toEqual(["copy"]);
  });

  it("gives the data of a server that can't run any more up only where it is told to", async () => {
    const { record } = await make(home, "broken");
    await run(record, "SET", "lost", "yes");
    const data = join(home.path, "addons", "broken", "data");
    process.kill(await home.serverPid("broken"), "SIGSTOP");
    const aof = join(data, "appendonlydir");
    const manifest = (await readdir(aof)).find((name) => name.endsWith(".manifest")) ?? "";
    await rename(join(aof, manifest), join(aof, "away"));
    await writeFile(join(aof, manifest), "this is no manifest\n");
    process.kill(await home.serverPid("broken"), "SIGKILL");
    await eventually(
      "it is down",
      async () => (await inspect(home.platform, "broken", home.task))?.server.state === "stopped",
    );
    const refused = await redisAddon("delete", "broken", "--yes");
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(await home.platform.names()).toContain("broken");
    const asked = await redisAddon("delete", "broken", "--no-final-backup");
    expect(asked.stderr).toContain("without a final backup: no backup of it is known to be verified");
    const deleted = await redisAddon("delete", "broken", "--no-final-backup", "--yes");
    expect(deleted).toMatchObject({
      code: 0,
      stdout: "broken is deleted; its final backup: none, as was asked for.\n",
    });
    expect(await home.platform.names()).not.toContain("broken");
  });
});
