import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { restoreAny } from "../../provider/operations/restore-any";
import { digest, task } from "../contract/backup-support";
import { serversThatLoad } from "../../provider/core/version";
import { matrix } from "../support/matrix";
import { startRedisServer } from "../support/redis-server";
import { backedUpSource, debugArgs } from "../support/restore-source";
import { describeWith } from "../support/tools";

/** `Redis 7.0.15` as records spell it. */
function spelling(name: string): string {
  const [kind, version = ""] = name.split(" ");
  return kind === "Valkey" ? `valkey-${version}` : version;
}

/** Every server of the matrix as the source and as the target, with an AOF and without, empty and with data. */
for (const from of matrix)
  for (const to of matrix)
    describeWith([from, to], `from ${from.name} into ${to.name}`, () => {
      for (const appendonly of ["yes", "no"])
        it(`loads everything or refuses by name, with appendonly ${appendonly}`, async () => {
          await using source = await backedUpSource(from);
          const { backup, home: dataHome, url: destination } = source;
          await using target = await startRedisServer({
            executable: to.path ?? "",
            args: [...debugArgs(to.name), "--appendonly", appendonly, "--repl-diskless-sync", "yes"],
          });
          await target.client.set("old", "data");
          const { host, port } = target;
          const restoring = restoreAny(
            {
              ...{ backup, dataHome, target: { host, port }, replaceData: true },
              safety: { destination, name: "target" },
            },
            task(),
          );
          const { manifest } = backup;
          if (manifest === undefined) throw new Error("a backup has a manifest");
          if (serversThatLoad(manifest, [{ version: spelling(to.name) }]).length === 0) {
            await expect(restoring).rejects.toMatchObject({ code: "snapshot-format" });
            return expect(await target.client.get("old")).toBe("data");
          }
          await restoring;
          expect(await digest(target.client)).toBe(source.digest);
          expect(await target.client.set("written", "now")).toBe("OK");
        });
    });

describe("data that take a while to be sent and loaded", () => {
  it("arrive whole, in constant memory, with progress in bytes", async () => {
    await using source = await backedUpSource(undefined, async ({ client }) => {
      for (let batch = 0; batch < 20; batch++) {
        const pipeline = client.pipeline();
        for (let i = 0; i < 1000; i++) pipeline.set(`${batch}:${i}`, randomBytes(4000));
        await pipeline.exec();
      }
    });
    await using target = await startRedisServer({ args: debugArgs() });
    const { backup, home: dataHome } = source;
    const { host, port } = target;
    const doing = task();
    const before = process.memoryUsage.rss();
    await restoreAny({ backup, dataHome, target: { host, port }, replaceData: false }, doing);
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 1024 ** 2);
    expect(await digest(target.client)).toBe(source.digest);
    const sent = doing.told.filter(({ message }) => message === "sending the snapshot");
    expect(sent.at(-1)?.doneBytes).toBe(sent.at(-1)?.totalBytes);
  });
});
