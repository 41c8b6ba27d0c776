import { expect, test } from "vitest";
import { describeWith, pathOf } from "../support/tools";
import { describeMatrix, matrix, serverOf } from "../support/matrix";
import { atHand, backedUp } from "./verify-support";

describeMatrix((server) => {
  test("a backup of it is verified by the servers at hand, by one of its own version where that opens it both ways", async () => {
    await using backup = await backedUp({}, pathOf(server));
    const servers = matrix
      .filter(({ unavailable }) => unavailable === undefined)
      .map(({ path }) => atHand(path));
    const verification = await backup.verify({ servers });
    expect(verification).toMatchObject({ outcome: "verified" });
    const { name, version } = backup.manifest.server;
    expect(verification.server).toEqual(
      version.startsWith("6.2")
        ? { name: "redis", version: expect.stringMatching(/^7\.0\./) }
        : { name, version },
    );
  });
});

const [old, recent] = [serverOf("Redis 6.2"), serverOf("Redis 7.4")];
describeWith([old], "with Redis 6.2 alone at hand", () => {
  test("a backup of it is structure-checked: nobody can open it by its redis.conf", async () => {
    await using backup = await backedUp({}, pathOf(old));
    expect(await backup.verify({ servers: [atHand(pathOf(old))] })).toMatchObject({
      outcome: "structure-checked",
      why: expect.stringContaining("takes Redis 7.0 or newer"),
      counts: { keys: 2_004, expires: 2 },
    });
  });
});

describeWith([recent], "with everything but Redis 7.4 at hand", () => {
  test("a backup of it is structure-checked", async () => {
    await using backup = await backedUp({}, pathOf(recent));
    const servers = matrix
      .filter(({ path, unavailable }) => unavailable === undefined && path !== recent.path)
      .map(({ path }) => atHand(path));
    expect(await backup.verify({ servers })).toMatchObject({
      outcome: "structure-checked",
      why: expect.stringMatching(/^no server at hand loads what Redis 7\.4\.\d+ wrote \(REDIS0012\)$/),
    });
  });
});
