import { expect, test } from "vitest";
import { safetyBackup } from "../../provider/agent/replication/change/safety-backup";
import type { AgentService } from "../../provider/agent/service";
import type { AddonRecord } from "../../provider/core/facets";
import type { BackupResult } from "../../provider/platforms/contract";
import type { RedisClient } from "../../provider/redis/client";
import { systemClock } from "../../provider/system/clock";

const TAKEN = {
  slot: "20260101T000000000Z",
  archive: "file:///b/a.tar.gz",
  sizeBytes: 1,
  warnings: ["a warning"],
};

/** A backup that ends so, of a server that leads. */
async function taken(verification: BackupResult["verification"]): Promise<string> {
  const said: string[] = [];
  const result: BackupResult = { ...TAKEN, ...(verification === undefined ? {} : { verification }) };
  const service = { backups: { safety: () => Promise.resolve(result) } } as unknown as AgentService;
  const server = { info: () => Promise.resolve(new Map([["role", "master"]])) } as unknown as RedisClient;
  const held = { keys: 3, libraries: 0 };
  const record = { name: "copy" } as AddonRecord;
  await safetyBackup(
    service,
    { record, server, held },
    {
      clock: systemClock,
      signal: new AbortController().signal,
      progress: ({ message }) => said.push(message),
    },
  );
  return said.join("; ");
}

test.each(["verified", "structure-checked"] as const)("a backup that is %s is enough", async (outcome) => {
  expect(await taken({ outcome })).toBe(
    `backing up 3 keys of copy before they are replaced; backup ${TAKEN.slot} taken and looked at: ${outcome}`,
  );
});

test.each([undefined, { outcome: "damaged" } as const])(
  "a backup that nobody could look at, or that is damaged, is none: %j",
  async (verification) => {
    await expect(taken(verification)).rejects.toMatchObject({
      code: "backup-not-verified",
      cause: "its backup could not be proved, so nothing was replaced: a warning",
      hint: expect.stringContaining(`redis-addon backup verify copy ${TAKEN.slot}`) as unknown,
    });
  },
);
