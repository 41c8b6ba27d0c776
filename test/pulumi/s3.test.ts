import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { backUp } from "../../provider/operations/backups";
import { describeWith } from "../support/tools";
import { makePulumiProject, type PulumiProject } from "../support/pulumi-project";
import { type S3Server, startVersityGw, versityGw } from "../support/s3-servers";

const program = ({ endpoint, bucket }: S3Server, keyExpression: string) => `
const { BackupPolicy, RedisAddon } = require("pulumi-redis-addon");
const cache = new RedisAddon("cache", { plan: "s_mono" });
new BackupPolicy("backups", {
  addon: cache,
  destination: "s3://${bucket}/team?endpoint=${encodeURIComponent(endpoint)}",
  credentials: { accessKeyId: process.env.KEY_ID, secretAccessKey: ${keyExpression} },
  encryption: { passphrase: "correct horse battery" },
});
`;

describeWith([versityGw], "a policy whose backups go to an S3 store", () => {
  test("is declared with its keys, takes verified backups there, the final one included, and keeps its secrets", async () => {
    await using s3 = await startVersityGw();
    await using project = await makePulumiProject();
    const env = { KEY_ID: s3.accessKeyId, KEY_SECRET: s3.secretAccessKey };
    await project.program(program(s3, "process.env.KEY_SECRET"));
    await project.pulumi("stack", "init", "dev");
    const made = await project.in(env, "up", "--stack", "dev", "--yes", "--skip-preview");
    expect(made.code, made.output).toBe(0);
    const again = await project.in(env, "preview", "--stack", "dev", "--diff", "--expect-no-changes");
    expect(again.code, again.output).toBe(0);

    const { platform, task } = project.home;
    const taken = await backUp(platform, "shop-dev-cache", task);
    expect(taken).toMatchObject({ verification: { outcome: "verified" }, warnings: [] });
    expect(taken.archive).toMatch(/^s3:\/\/[^?]+\/team\/shop-dev-cache-\w+\/\w+-\w+\.tar\.gz\.age$/);

    const destroyed = await project.in(env, "destroy", "--stack", "dev", "--yes");
    expect(destroyed.code, destroyed.output).toBe(0);
    expect(destroyed.output).toMatch(/its final backup: s3:\/\/\S+\.tar\.gz\.age \(verified\)/);
    const slots = (await keysIn(s3)).filter((key) => key.endsWith(".verified.json"));
    expect(slots).toHaveLength(2);

    for (const output of [made.output, again.output, destroyed.output]) refuseSecrets(s3, output);
    for (const file of await filesOf(project)) refuseSecrets(s3, await readFile(file, "utf8"));
  });

  test("fails with what is wrong when its key is refused, and the add-on can't be deleted without its backup", async () => {
    await using s3 = await startVersityGw();
    await using project = await makePulumiProject();
    const env = { KEY_ID: s3.accessKeyId };
    await project.program(program(s3, `"not-the-secret-key"`));
    await project.pulumi("stack", "init", "dev");
    const made = await project.in(env, "up", "--stack", "dev", "--yes", "--skip-preview");
    expect(made.code, made.output).toBe(0);
    const { platform, task } = project.home;
    await expect(backUp(platform, "shop-dev-cache", task)).rejects.toMatchObject({
      operation: "back up",
      subject: "shop-dev-cache",
      cause: expect.stringMatching(/secret/i),
    });
    const destroyed = await project.in(env, "destroy", "--stack", "dev", "--yes");
    expect(destroyed.code).not.toBe(0);
    expect(await platform.names()).toEqual(["shop-dev-cache"]);
    expect(await keysIn(s3)).toEqual([]);
  });
});

async function keysIn({ client, bucket }: S3Server): Promise<string[]> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
  return Contents.map(({ Key = "" }) => Key);
}

function refuseSecrets(s3: S3Server, text: string): void {
  for (const secret of [s3.secretAccessKey, "correct horse"]) expect(text).not.toContain(secret);
}

/** What Pulumi wrote, and what the agent and its servers logged. */
async function filesOf(project: PulumiProject): Promise<string[]> {
  const roots = [join(project.folder, "..", "backend"), join(project.home.path, "agent.log")];
  const found = await Promise.all(
    roots.map(async (root) => {
      const entries = await readdir(root, { withFileTypes: true, recursive: true }).catch(() => undefined);
      if (entries === undefined) return [root];
      return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    }),
  );
  return found.flat();
}
