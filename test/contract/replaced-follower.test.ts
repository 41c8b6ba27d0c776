import { expect, test } from "vitest";
import { stopFollowing } from "../../provider/operations/promote";
import { follows } from "../support/follow";
import { makeTestHome } from "../support/data-home";
import { make } from "./agent-support";

test("a follower that was made anew by a replacement isn't promoted by the deletion of what it replaces", async () => {
  await using home = await makeTestHome();
  for (const name of ["lead", "copy"]) await make(home, name);
  await follows(home, { name: "copy", leader: "lead", token: "f1" });
  await follows(home, { name: "copy", leader: "lead", token: "f2" });
  const stop = (token: string) => stopFollowing(home.platform, { name: "copy", token }, home.task);
  expect(await stop("f1")).toEqual({ outcome: "stale" });
  expect((await home.platform.load("copy"))?.replication?.wish).toEqual({ kind: "addon", addon: "lead" });
  expect(await stop("f2")).toMatchObject({ outcome: "promoted" });
});
