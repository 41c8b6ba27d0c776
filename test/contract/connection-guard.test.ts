import { expect, it } from "vitest";
import { ConnectionGuard } from "../../provider/agent/connections/connection-guard";
import { closeHeld, holdConnection } from "../../provider/agent/connections/held-connections";
import { planOf } from "../../provider/core/plans";
import { startAddon, testTask } from "../support/local-addon";

it("a server that is far from full is asked at each fourth look alone, one that is half full at each", async () => {
  await using addon = await startAddon();
  const { record } = addon;
  const client = await holdConnection(record, testTask());
  try {
    const guard = new ConnectionGuard(() => undefined);
    /** How often it asked within eight looks. */
    const asked = async (): Promise<number> => {
      await client.command("CONFIG", "RESETSTAT");
      for (let look = 0; look < 8; look++) {
        guard.look(record.name, testTask());
        // Answered after what it asked, if it did: the next look begins when this one has ended.
        await client.command("PING");
        await new Promise(setImmediate);
      }
      const stats = String(await client.command("INFO", "commandstats"));
      return Number(/^cmdstat_info:calls=(\d+)/m.exec(stats)?.[1] ?? 0);
    };
    expect(await asked()).toBe(2);
    for (let half = planOf(record.server.wish.plan).connections / 2; half > 0; half--) await addon.user();
    await asked();
    expect(await asked()).toBe(8);
  } finally {
    await closeHeld(record.name);
  }
});
