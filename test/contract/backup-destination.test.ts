import { mkdir, realpath, symlink } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { destinationProblem, workingFolders } from "../../provider/core/destination";
import { layoutOf } from "../../provider/platforms/local/home";
import { defineResource } from "../../provider/pulumi/define-resource";
import { backupPolicyDefinition } from "../../provider/resources/backup-policy/definition";
import { redisAddonDefinition } from "../../provider/resources/redis-addon/definition";
import { sdkInputs, up } from "../support/fake-program";
import { fakeEngine, FakeWorld } from "../support/pulumi-fakes";
import { temporaryFolder } from "./backup-support";

const url = (...parts: string[]) => pathToFileURL(join(...parts)).href;
const look = (path: string) => realpath(path);
const problem = (home: string, destination: string) =>
  destinationProblem(destination, workingFolders(layoutOf(home)), look);

/** A data home, a link to it, and a link from elsewhere into it. */
async function homeWithLinks() {
  const folder = await temporaryFolder();
  const [home, link, into] = ["home", "link", "into"].map((name) => join(folder.path, name)) as [
    string,
    string,
    string,
  ];
  await mkdir(join(home, "addons", "cache"), { recursive: true });
  await symlink(home, link);
  await symlink(join(home, "addons"), into);
  return { folder: folder.path, home, link, into, [Symbol.asyncDispose]: folder[Symbol.asyncDispose] };
}

test("a destination among a data home's own files is refused, by whatever way it leads there", async () => {
  await using place = await homeWithLinks();
  const { home, link, into } = place;
  for (const destination of [
    url(home, "addons"),
    url(home, "addons", "cache"),
    url(home, "addons", "not", "yet", "there"),
    url(home, "trash"),
    url(home, "jobs", "x"),
    url(home, "programs"),
    url(home, "servers"),
    url(link, "addons", "cache"),
    url(into, "new"),
    `file://${home}/backups/../addons/cache`,
    `file://localhost${home}/%61ddons`,
  ])
    expect(await problem(home, destination), destination).toMatchObject({
      cause: expect.stringContaining("deleted with the add-on"),
      hint: expect.stringContaining("or leave it out"),
    });
  // The home itself may be named by a link as well.
  expect(await problem(link, url(home, "addons", "x"))).toBeDefined();
});

test("every other destination may be: backups/ of the data home, neighbours, what only sounds alike, other stores", async () => {
  await using place = await homeWithLinks();
  const { folder, home } = place;
  for (const destination of [
    url(home, "backups"),
    url(home, "elsewhere"),
    url(home, "addons-of-mine"),
    url(folder),
    url(folder, "addons"),
    "file:///",
    "s3://bucket/addons",
    "no url",
  ])
    expect(await problem(home, destination), destination).toBeUndefined();
});

test("the preview of a backup policy refuses it too", async () => {
  await using place = await homeWithLinks();
  const world = new FakeWorld();
  world.home = { id: "home-1-xxxx", host: "alpha", path: place.home };
  const urn = "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/redis-addon:X::x";
  const addon = defineResource(redisAddonDefinition(world.operations), fakeEngine());
  await up(addon, sdkInputs(urn, { plan: "s_mono", name: "lead", tier: "premium" }));
  const policy = defineResource(backupPolicyDefinition(world.operations), fakeEngine());
  const check = async (destination: string) =>
    (await policy.check({}, sdkInputs(urn, { addon: "lead", destination }, []))).failures;
  expect(await check(url(place.into, "lead"))).toEqual([
    expect.objectContaining({
      reason: expect.stringMatching(/`destination`.*deleted with the add-on.*leave it out/),
    }),
  ]);
  expect(await check(url(place.home, "backups"))).toEqual([]);
  world.home = undefined;
  expect(await check(url(place.home, "addons"))).toEqual([]);
});
