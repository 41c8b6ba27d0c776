import { execFile } from "node:child_process";
import { once } from "node:events";
import { readdir, rename, rm, symlink } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseSlot } from "../../provider/core/slot";
import { eventually } from "../support/data-home";
import { makePulumiProject, type PulumiProject } from "../support/pulumi-project";
import { succeed, up } from "../support/stack-user";

/** A policy with everything: what it keeps, where, who is told; and what becomes of all that while its store is away. */
const ADDON = "shop-dev-cache";
const TOKEN = "of-the-webhook";

let project: PulumiProject;
let store: string;
let receiver: Awaited<ReturnType<typeof receiveAlerts>>;

beforeAll(async () => {
  [project, receiver] = await Promise.all([makePulumiProject(), receiveAlerts()]);
  store = join(project.folder, "store");
  await project.pulumi("stack", "init", "dev");
  await declare({ keepLast: 2 });
});
afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

function declare(retention: object): Promise<void> {
  return project.program(`
    const { BackupPolicy, RedisAddon } = require("pulumi-redis-addon");
    const cache = new RedisAddon("cache", { plan: "s_mono", tier: "premium" });
    new BackupPolicy("backups", {
      addon: cache,
      schedule: { every: "6h" },
      retention: ${JSON.stringify(retention)},
      destination: "file://${store}",
      alerts: { webhook: "http://127.0.0.1:${receiver.port}/hook/${TOKEN}" },
    });
    exports.health = cache.backupHealth;`);
}

async function redisAddon(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const entry = join(project.folder, "node_modules/pulumi-redis-addon/dist/provider/cli/main.js");
  const env = { ...process.env, ...project.env };
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [entry, ...args], { env })) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

async function slots(): Promise<string[]> {
  const [catalog = ""] = await readdir(store);
  const files = await readdir(join(store, catalog));
  return files.filter((file) => /^\d{8}T\d{9}Z\.json$/.test(file)).sort();
}

async function backUp(): Promise<number> {
  return (await redisAddon("backup", "run", ADDON)).code;
}

test("backups go where the policy says, and each run leaves as many as it keeps", async () => {
  await up(project);
  expect((await succeed(project, "stack", "output", "health")).stdout.trim()).toBe("fresh");
  for (let i = 0; i < 3; i++) expect(await backUp()).toBe(0);
  expect(await slots()).toHaveLength(2);
  const status = await redisAddon("backup", "status", ADDON);
  expect(status).toMatchObject({ code: 0, stderr: "" });
  expect(status.stdout).toMatch(/^Stored +2, .*, all verified$/m);
  expect(status.stdout).toContain(`to http://127.0.0.1:${receiver.port}`);
  expect(status.stdout).not.toContain(TOKEN);
  expect(await receiver.told()).toEqual([]);
});

test("a policy that keeps less says in the preview what it would remove, and how to list that", async () => {
  const [oldest] = await slots();
  await declare({ keepLast: 1 });
  const { output } = await succeed(project, "preview", "--diff");
  expect(output).toContain(`would remove 1 backup, `);
  const takenAt = parseSlot(oldest?.replace(".json", "") ?? "") ?? NaN;
  expect(output).toContain(`oldest ${new Date(takenAt).toISOString()}`);
  const [, command = ""] = /(redis-addon backup prune [^;)]*)/.exec(output) ?? [];
  const listed = await redisAddon(...command.split(" ").slice(1));
  expect(listed.stdout).toMatch(/ goes .* not among the last 1$/m);
  expect(await slots()).toHaveLength(2);
  await declare({ keepLast: 2 });
});

test("a store that is away: the webhook, the exit code, the preview and a refresh all say so", async () => {
  await rename(store, `${store} elsewhere`);
  // A link to itself: nobody gets in, not even root.
  await symlink(store, store);
  expect(await backUp()).toBe(1);

  const [alert] = await receiver.told(1);
  expect(alert).toMatchObject({ event: "backup-failed", addon: ADDON, project: "shop", stack: "dev" });
  expect(JSON.stringify(alert)).not.toContain(TOKEN);
  const status = await redisAddon("backup", "status", ADDON);
  expect(status.code).toBe(9);
  expect(status.stdout).toMatch(/^Backups +failing: .*cannot back up/m);
  expect(status.stdout).toMatch(/^Stored +not known: /m);

  const preview = await succeed(project, "preview");
  expect(preview.output).toMatch(/warning: .*failing/);
  // What went wrong is no change that an update could put right; a refresh shows it as one.
  expect(preview.output).not.toMatch(/\d+ to update/);
  const refresh = await succeed(project, "refresh", "--yes", "--diff");
  expect(refresh.output).toMatch(/backupHealth *: "fresh" => "failing"/);
});

test("once the store is back and a backup succeeds, all of them say that it is well again", async () => {
  await rm(store);
  await rename(`${store} elsewhere`, store);
  expect(await backUp()).toBe(0);
  const [, alert] = await receiver.told(2);
  expect(alert).toMatchObject({ event: "backups-recovered", addon: ADDON });
  expect((await redisAddon("backup", "status")).code).toBe(0);
  const refresh = await succeed(project, "refresh", "--yes", "--diff");
  expect(refresh.output).toMatch(/backupHealth *: "failing" => "fresh"/);
  await succeed(project, "preview", "--expect-no-changes");
});

/** Takes what is posted to it, as a chat service would. */
async function receiveAlerts() {
  const alerts: unknown[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      if (request.url === `/hook/${TOKEN}`) alerts.push(JSON.parse(body));
      response.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    /** Everything so far, once there are so many. */
    told: (atLeast = 0) =>
      eventually(`${atLeast} alerts arrive`, () => Promise.resolve(alerts.length >= atLeast && [...alerts])),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
