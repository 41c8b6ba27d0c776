import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { BackupPolicy, RedisAddon, RedisFollower } from "../../../sdk";

interface Request {
  getName(): string;
  getDeletedwith(): string;
}

/** The URN that the engine is handed as the option of that name, by the resource's name; empty: none. */
const deletedWith = new Map<string, string>();
let folder: string;

beforeAll(async () => {
  // The classes look for the provider from the program's folder.
  folder = await mkdtemp(join(tmpdir(), "sdk-"));
  const module = join(folder, "node_modules", "pulumi-redis-addon");
  await mkdir(module, { recursive: true });
  await writeFile(join(module, "provider.js"), "");
  vi.spyOn(process, "cwd").mockReturnValue(folder);
  await pulumi.runtime.setMocks({
    newResource: ({ name, inputs }) => ({ id: `shop-dev-${name}`, state: inputs as object }),
    call: () => ({}),
  });
  // The mocks are not told of options.
  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource: (request: Request, ...rest: unknown[]) => unknown;
  };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, ...rest) => {
    deletedWith.set(request.getName(), request.getDeletedwith());
    return register(request, ...rest);
  };
});
afterAll(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

function urnOf(resource: pulumi.Resource): Promise<string> {
  return new Promise((resolve) => {
    resource.urn.apply(resolve);
  });
}

async function declareBeside(addon: RedisAddon): Promise<void> {
  await urnOf(new BackupPolicy("nightly", { addon }));
  await urnOf(new RedisFollower("follower", { addon, leader: "other" }));
}

test("a policy and a follower need no deletion of their own where the add-on goes too", async () => {
  const addon = new RedisAddon("cache", { plan: "s_mono" });
  await declareBeside(addon);
  const urn = await urnOf(addon);
  expect([deletedWith.get("nightly"), deletedWith.get("follower")]).toEqual([urn, urn]);
});

test("those of an add-on that is only read are deleted by themselves, as it stays", async () => {
  await declareBeside(RedisAddon.get("cache", "shop-dev-cache"));
  expect([deletedWith.get("nightly"), deletedWith.get("follower")]).toEqual(["", ""]);
});
