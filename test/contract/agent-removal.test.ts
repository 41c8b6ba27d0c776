import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { remove } from "../../provider/operations/remove";
import { makeTestHome } from "../support/data-home";
import { agentLog, make, run } from "./agent-support";

it("an add-on that wants no final backup goes without one, and the log says so", async () => {
  await using home = await makeTestHome();
  const { record } = await make(home, "cache", { deletion: { finalBackup: false } });
  await run(record, "SET", "a", "1");
  const removal = await remove(home.platform, { name: "cache", token: "t1" }, home.task);
  expect(removal).toEqual({ outcome: "removed", noBackup: "not-wanted" });
  expect(await readdir(join(home.path, "backups")).catch(() => [])).toEqual([]);
  expect(await agentLog(home)).toContain("cache: removed without a final backup");
});
