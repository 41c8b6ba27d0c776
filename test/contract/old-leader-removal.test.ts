import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { closeHeld } from "../../provider/agent/connections/held-connections";
import { letGoOfLeader } from "../../provider/agent/replication/change/let-go";
import { NOBODY } from "../../provider/core/render";
import { setBackups } from "../../provider/operations/backups";
import { stopFollowing } from "../../provider/operations/promote";
import { remove } from "../../provider/operations/remove";
import { resync } from "../../provider/operations/resync";
import { dataMarkPath } from "../../provider/platforms/local/data-mark";
import { layoutOf } from "../../provider/platforms/local/home";
import { creates, eventually, makeTestHome, type TestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { change, crash, make, run } from "./agent-support";
import {
  copyOfData,
  distrusted,
  expectKeys,
  fill,
  makePair,
  marked,
  onDisk,
  refusedCopies,
  whileDown,
} from "./old-leader-support";

/** From now on no backup of it can be taken. */
async function loseBackups(home: TestHome, name: string): Promise<void> {
  const destination = join(home.path, "elsewhere");
  await mkdir(destination);
  const wish = {
    schedule: { daily: "03:00" },
    retention: { days: 7 },
    destination: pathToFileURL(destination).href,
  };
  await setBackups(home.platform, { name, claim: creates("b1"), given: [], wish }, home.task);
  await rm(destination, { recursive: true });
  await writeFile(destination, "no folder");
}

describe("a leader that lost its data erases no follower", { concurrent: true, timeout: 120_000 }, () => {
  it("whose removal fails, although the leader is looked at meanwhile", async () => {
    await using home = await makeTestHome();
    const { copy } = await makePair(home, 100, { leader: { persistence: "none" } });
    await marked(home, 100);
    await crash(home, "lead");
    await distrusted(home, /memory alone and was lost/);
    await refusedCopies(home);
    await loseBackups(home, "copy");
    let isOver = false;
    const removal = remove(home.platform, { name: "copy", token: "t1" }, home.task).finally(() => {
      isOver = true;
    });
    const refused = expect(removal).rejects.toMatchObject({ operation: "back up" });
    let looks = 0;
    while (!isOver) await change(home, "lead", { persistence: "none", labels: { look: `${looks++}` } });
    await refused;
    await refusedCopies(home);
    await expectKeys(copy, 100);
    await distrusted(home, /memory alone and was lost/);
  });

  it("that is promoted: it gives up its leader before it is recorded that nobody follows it", async () => {
    await using home = await makeTestHome();
    const { copy } = await makePair(home, 100, { leader: { persistence: "none" } });
    await using _held = { [Symbol.asyncDispose]: () => closeHeld("copy") };
    const following = await home.platform.load("copy");
    if (following === undefined) throw new Error("there is no copy");
    const triedPort = async () =>
      /master_port:(\d+)/.exec(String(await run(copy, "INFO", "replication")))?.[1];
    const leaderPort = await triedPort();
    await letGoOfLeader(following, undefined, home.task);
    expect(await triedPort(), "with a link it goes on until all is applied").toBe(leaderPort);

    await marked(home, 100);
    await crash(home, "lead");
    await distrusted(home, /memory alone and was lost/);
    await letGoOfLeader(following, following.replication?.wish, home.task);
    expect(await triedPort(), "it still follows").toBe(leaderPort);
    await letGoOfLeader(following, undefined, home.task);
    expect(await triedPort()).toBe(String(NOBODY.port));
    await stopFollowing(home.platform, { name: "copy", token: "f1" }, home.task);
    await expectKeys(copy, 100);
  });

  it("and can't be waited for where its server doesn't start: who wants its data is told so", async () => {
    await using home = await makeTestHome();
    const { copy } = await makePair(home, 10);
    await whileDown(home, "lead", () =>
      rm(join(home.path, "addons", "lead", "data", "appendonlydir"), { recursive: true }),
    );
    await expect(
      resync(home.platform, { name: "copy", deadlineMs: 60_000 }, home.task),
    ).rejects.toMatchObject({
      code: "leader-down",
      cause: expect.stringMatching(/^its leader lead is not running: .*holds no data any more/) as unknown,
    });
    await expectKeys(copy, 10);
  });

  it("where what was known of its data is damaged", async () => {
    await using home = await makeTestHome();
    const { lead, copy } = await makePair(home, 100);
    const older = await copyOfData(home);
    await fill(lead, 300);
    await marked(home, 300);
    await eventually("the follower has all", async () => (await run(copy, "DBSIZE")) === 300);
    await whileDown(home, "lead", () => older.put());
    await distrusted(home, /older than when/);
    await refusedCopies(home);
    await writeFile(dataMarkPath(layoutOf(home.path).addon("lead")), "");
    await change(home, "lead", { labels: { look: "again" } });
    await distrusted(home, /what was known of its data is damaged.* \(100 keys now\)/);
    await refusedCopies(home);
    await expectKeys(copy, 300);
  });

  it("of its own, where it followed another one and is being removed", async () => {
    await using home = await makeTestHome();
    const { copy } = await makePair(home, 100, { follower: { persistence: "none" } });
    const { record: third } = await make(home, "third");
    await follows(home, { name: "third", leader: "copy", token: "f3" });
    await onDisk(third);
    const leader = await home.serverPid("lead");
    process.kill(leader, "SIGSTOP");
    try {
      await crash(home, "copy");
      await expectKeys(copy, 0);
      const removal = await remove(home.platform, { name: "copy", token: "t1" }, home.task);
      expect(removal).toMatchObject({ outcome: "removed", finalBackup: { keys: 0 } });
      await expectKeys(third, 100);
    } finally {
      process.kill(leader, "SIGCONT");
    }
  });
});
