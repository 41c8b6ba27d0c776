import { beforeEach, describe, expect, test } from "vitest";
import { Failure } from "../../../provider/core/errors";
import { defineResource, type Handler } from "../../../provider/pulumi/define-resource";
import { UNKNOWN, type Properties } from "../../../provider/pulumi/properties";
import { redisAddonDefinition } from "../../../provider/resources/redis-addon/definition";
import { fakeEngine, FakeWorld, type FakeEngine } from "../../support/pulumi-fakes";
import { type FakeResource, inClear, refresh, sdkInputs, up } from "../../support/fake-program";

const URN = "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/redis-addon:RedisAddon::cache";
const NAME = "shop-dev-cache";
const FROM = { addon: "shop-dev-other" };
const [FIRST, SECOND] = ["20260501T030000000Z", "20260502T030000000Z"];

let world: FakeWorld;
let engine: FakeEngine;
let handler: Handler;
beforeEach(() => {
  world = new FakeWorld();
  engine = fakeEngine();
  handler = defineResource(redisAddonDefinition(world.operations), engine);
});

const computed = ["name", "host", "port", "password", "restoredBackup", "backupHealth"];
const program = (inputs: Properties = {}) => sdkInputs(URN, { plan: "s_mono", ...inputs }, computed);
const said = () => engine.messages.filter((message) => !message.ephemeral).map(({ message }) => message);
const restored = () => world.records.get(NAME)?.restored?.backup;

/** As after an update that the engine recorded although it failed. */
async function failing(news: Properties, old?: FakeResource): Promise<FakeResource> {
  const checked = await handler.check(old?.inputs ?? {}, news);
  const inputs = { ...inClear(checked.inputs), __provider: "text" };
  const call = old === undefined ? handler.create(inputs) : handler.update(old.id, old.outs, inputs);
  const left = await call.then(
    () => undefined,
    (error: { properties: Properties }) => error.properties,
  );
  expect(left).toMatchObject({ __phase: "provisioning" });
  return { id: NAME, inputs, outs: { ...inClear(left), __provider: "text" } };
}

test("a create begins with the backup's data, records which one that was, and says so", async () => {
  world.restorePreview = { refusals: [], warnings: [], plans: ["its data will be those of a backup"] };
  const { resource } = await up(handler, program({ restoreFrom: FROM }));
  expect(world.records.get(NAME)?.restored?.from).toEqual({ ...FROM, backup: "latest" });
  expect(resource.outs["restoredBackup"]).toBe(FIRST);
  expect(said()).toEqual([
    "its data will be those of a backup",
    `restored from backup ${FIRST} (3 keys) in 2.3 s`,
  ]);
});

test("without one nothing is asked and nothing is recorded", async () => {
  const { resource } = await up(handler, program({ replaceData: true }));
  expect(resource.outs).not.toHaveProperty("restoredBackup");
  expect(world.restoresPreviewed).toEqual([]);
});

describe("of an add-on that is there", () => {
  test("another backup is put in place, and the update tells where the old data are", async () => {
    const made = (await up(handler, program({ restoreFrom: FROM }))).resource;
    const wish = { ...FROM, backup: "20260502" };
    const { did, resource } = await up(handler, program({ restoreFrom: wish, replaceData: true }), made);
    expect(did).toBe("updated");
    expect(resource.outs["restoredBackup"]).toBe(SECOND);
    expect(said().at(-1)).toBe(
      `restored from backup ${SECOND} (3 keys) in 2.3 s; its users could not write for 0.8 s; ` +
        "what it held before is in the backup 20260601T000000000Z",
    );
  });

  test.each([
    ["the same wish", { restoreFrom: FROM }],
    ["the same wish, spelt out", { restoreFrom: { ...FROM, backup: "latest" } }],
    ["the same wish with another key", { restoreFrom: { ...FROM, key: { passphrase: "other" } } }],
    ["no wish any more", {}],
    ["replaceData alone", { restoreFrom: FROM, replaceData: true }],
  ])("%s is no change, also after a refresh", async (_, inputs) => {
    const made = (await up(handler, program({ restoreFrom: FROM }))).resource;
    expect((await up(handler, program(inputs), made)).did).toBe("nothing");
    const refreshed = await refresh(handler, made);
    expect((await up(handler, program(inputs), refreshed)).did).toBe("nothing");
    expect(restored()).toBe(FIRST);
  });

  test("a wish that is unset and set again stays fulfilled, whatever else was changed between", async () => {
    const made = (await up(handler, program({ restoreFrom: FROM }))).resource;
    const unset = await up(handler, program({ plan: "m_mono" }), made);
    expect(unset.resource.outs).not.toHaveProperty("restoreFrom");
    expect((await up(handler, program({ plan: "m_mono", restoreFrom: FROM }), unset.resource)).did).toBe(
      "nothing",
    );
  });

  test("what a person restored since is not undone by a wish that was fulfilled before", async () => {
    const wish = { restoreFrom: FROM, replaceData: true };
    const made = (await up(handler, program(wish))).resource;
    const record = world.records.get(NAME);
    if (record?.restored === undefined) throw new Error("nothing was restored");
    const byHand = { ...record.restored, from: { url: "file:///b/c", backup: "latest" }, backup: "by hand" };
    world.records.set(NAME, { ...record, restored: byHand });
    expect((await up(handler, program(wish), made)).did).toBe("nothing");
    const refreshed = await refresh(handler, made);
    const { did } = await up(handler, program({ ...wish, plan: "m_mono" }), refreshed);
    expect([did, restored()]).toEqual(["updated", "by hand"]);
  });

  test("a wish whose update was cut off after it was fulfilled is not fulfilled twice", async () => {
    const made = (await up(handler, program())).resource;
    // The engine never heard of it.
    await up(handler, program({ restoreFrom: FROM }), made);
    expect((await up(handler, program({ restoreFrom: FROM }), made)).did).toBe("nothing");
    expect(restored()).toBe(FIRST);
  });

  test("a refusal fails the preview and names the input, but no refresh, which asks for nothing", async () => {
    const made = (await up(handler, program())).resource;
    const refusal = {
      property: "replaceData",
      code: "holds-data",
      cause: "it holds 3 keys",
      hint: "Set it",
    } as const;
    world.restorePreview = { refusals: [refusal], warnings: ["w"], plans: ["p"] };
    await expect(up(handler, program({ restoreFrom: FROM }), made)).rejects.toThrow(
      "cannot change the restoreFrom of shop-dev-cache: it holds 3 keys. Set it",
    );
    expect(said()).toEqual(["w", "p"]);
    expect(restored()).toBeUndefined();
    const { inputs } = await handler.check(made.inputs, program({ restoreFrom: FROM }));
    expect(await comparedByRefresh({ ...made, inputs: inClear(inputs) })).toBe(true);
  });

  test("the preview compares the backup with the add-on as it is wished", async () => {
    const made = (await up(handler, program())).resource;
    await up(handler, program({ restoreFrom: FROM, plan: "m_mono", version: "7.2" }), made);
    expect(world.restoresPreviewed).toEqual([
      {
        name: NAME,
        server: { plan: "m_mono", evictionPolicy: "noeviction", version: "7.2" },
        restore: { from: { ...FROM, backup: "latest" }, secrets: {}, replaceData: false },
      },
    ]);
  });
});

test("an add-on that is gone is made again with the data that it began with", async () => {
  const made = (await up(handler, program({ restoreFrom: FROM }))).resource;
  world.records.clear();
  const { resource } = await up(handler, program({ restoreFrom: FROM }), made);
  expect(resource.outs["restoredBackup"]).toBe(SECOND);
});

test("a create whose restore fails is recorded, and the next update tries again", async () => {
  world.restoreFault = new Failure({ code: "x", operation: "restore", subject: NAME, cause: "no store" });
  const half = await failing(program({ restoreFrom: FROM }));
  expect(half.outs).not.toHaveProperty("restoreFrom");
  // The engine's own mark of the failure is cleared by a refresh.
  const refreshed = await refresh(handler, half);
  const { did, resource } = await up(handler, program({ restoreFrom: FROM }), refreshed);
  expect([did, resource.outs["restoredBackup"], resource.outs["__phase"]]).toEqual([
    "updated",
    FIRST,
    "ready",
  ]);
});

test("an update whose restore fails leaves the old wish recorded, and the next update tries again", async () => {
  const made = (await up(handler, program({ restoreFrom: FROM }))).resource;
  const wish = program({ restoreFrom: { ...FROM, backup: "20260502" }, replaceData: true });
  world.restoreFault = new Error("no store");
  const half = await failing(wish, made);
  expect(half.outs["restoreFrom"]).toMatchObject({ backup: "latest" });
  const { resource } = await up(handler, wish, half);
  expect(resource.outs["restoredBackup"]).toBe(SECOND);
});

test("a refusal of a create is told by its property, what may hold secrets by its path alone", async () => {
  world.restorePreview = {
    refusals: [
      {
        property: "restoreFrom",
        code: "no-such-backup",
        cause: "there is no such backup",
        hint: "There are: a",
      },
      { property: "replaceData", code: "holds-data", cause: "it holds keys", hint: "Set it" },
    ],
    warnings: [],
    plans: [],
  };
  const { failures } = await handler.check({}, program({ restoreFrom: FROM }));
  expect(failures).toEqual([
    { property: "", reason: "`restoreFrom`: there is no such backup. There are: a" },
    { property: "replaceData", reason: "it holds keys. Set it" },
  ]);
});

test("a backup of what the same update makes first is said to be unknown, and nothing is guessed", async () => {
  const unknown = program({ restoreFrom: { addon: UNKNOWN } });
  const { failures } = await handler.check({}, unknown);
  expect(failures).toEqual([]);
  expect(said()).toEqual([expect.stringMatching(/known only then/)]);
  const made = (await up(handler, program())).resource;
  const { inputs } = await handler.check(made.inputs, unknown);
  expect((await handler.diff(made.id, made.outs, inClear(inputs))).changes).toBe(true);
  expect(said()).toHaveLength(2);
  expect(world.restoresPreviewed).toEqual([]);
});

const KEY = { passphrase: "hush-hush" };
const IDENTITY = "AGE-SECRET-KEY-1HUSH-HUSH";
const CREDENTIALS = { accessKeyId: "id", secretAccessKey: "hush-hush", sessionToken: "hush-hush" };

test.each([
  [{ ...FROM, key: KEY }, { key: KEY }],
  [{ ...FROM, key: { identities: [IDENTITY] } }, { key: { identities: [IDENTITY] } }],
  [{ url: "s3://bucket/cache", credentials: CREDENTIALS }, { credentials: CREDENTIALS }],
])(
  "secrets of %j reach the platform, and are marked as such in inputs, outputs and a refresh",
  async (from, secrets) => {
    const news = program({ restoreFrom: from });
    const checked = await handler.check({}, news);
    const { resource } = await up(handler, news);
    expect(world.restoresPreviewed[0]?.restore.secrets).toMatchObject(secrets);
    const made = await handler.create({ ...inClear(checked.inputs), name: "other" });
    const found = await handler.read(resource.id, resource.outs);
    for (const properties of [checked.inputs, made.outs, found.props, found.inputs])
      expect(JSON.stringify(properties, hidingSecrets)).not.toMatch(/hush-hush/i);
    expect(inClear(found.inputs)["restoreFrom"]).toMatchObject(from);
    expect(JSON.stringify(engine.messages)).not.toMatch(/hush-hush/i);
  },
);

function hidingSecrets(_: string, value: unknown): unknown {
  const isSecret = typeof value === "object" && value !== null && "4dabf18193072939515e22adb298388d" in value;
  return isSecret ? "secret" : value;
}

test.each([
  ["cache", /`restoreFrom`: write \{ addon \} or \{ url \}/],
  [{}, /`restoreFrom`: write \{ addon \} or \{ url \}/],
  [{ addon: "a", url: "file:///b/c" }, /`restoreFrom`: write \{ addon \} or \{ url \}/],
  [{ addon: "A B" }, /`restoreFrom.addon`: .*lower case/],
  [{ addon: "a", backup: "yesterday" }, /`restoreFrom.backup`: write "latest"/],
  [{ addon: "a", key: {} }, /`restoreFrom.key`: give the archive's/],
  [{ addon: "a", key: { passphrase: "x", identities: ["AGE-SECRET-KEY-1"] } }, /`restoreFrom.key`/],
  [{ addon: "a", key: { identities: ["hush-hush"] } }, /`restoreFrom.key.identities.0`: give/],
  [{ addon: "a", credentials: CREDENTIALS }, /`restoreFrom`: .*credentials/],
  [{ url: "/backups/cache" }, /`restoreFrom.url`: it is no URL/],
  [{ url: "s3://hush-hush:x@bucket/cache" }, /`restoreFrom.url`: it holds credentials/],
  [{ url: "file:///b/old.tar.gz", backup: "2026" }, /`restoreFrom.backup`: the URL is that of one archive/],
])("the wish %j is refused by its path, without its value", async (restoreFrom, reason) => {
  const { failures } = await handler.check({}, program({ restoreFrom }));
  expect(failures).toEqual([{ property: "", reason: expect.stringMatching(reason) }]);
  expect(JSON.stringify(failures)).not.toContain("hush-hush");
});

describe("backups that aren't fresh any more", () => {
  test("are warned of by every preview, and are no change", async () => {
    const { resource } = await up(handler, program());
    world.health = { state: "overdue", why: "none since Monday" };
    expect((await up(handler, program(), resource)).did).toBe("nothing");
    expect((await up(handler, program({ tier: "premium" }), resource)).did).toBe("updated");
    expect(said()).toEqual(Array(2).fill("its backups are overdue: none since Monday"));
  });

  test("are an output as the last refresh found them, whatever was updated since", async () => {
    const { resource } = await up(handler, program());
    expect(resource.outs["backupHealth"]).toBe("fresh");
    world.health = { state: "failing", why: "the disk is full" };
    const same = (await up(handler, program(), resource)).resource;
    const { resource: updated } = await up(handler, program({ tier: "premium" }), same);
    for (const { inputs, outs } of [same, updated])
      expect([inputs["backupHealth"], outs["backupHealth"]]).toEqual(["fresh", "fresh"]);
    expect(await comparedByRefresh(updated)).toBe(true);
    const refreshed = await refresh(handler, updated);
    expect([refreshed?.inputs["backupHealth"], refreshed?.outs["backupHealth"]]).toEqual([
      "failing",
      "failing",
    ]);
  });

  test("are a change to a refresh", async () => {
    const { resource } = await up(handler, program());
    expect(await comparedByRefresh(resource)).toBe(false);
    world.health = { state: "failing", why: "the disk is full" };
    expect(await comparedByRefresh(resource)).toBe(true);
    const refreshed = await refresh(handler, resource);
    if (refreshed === undefined) throw new Error("it is gone");
    expect(await comparedByRefresh(refreshed)).toBe(false);
  });

  test("are none where the last update was made by a version that knew nothing of them", async () => {
    const { resource } = await up(handler, program());
    const { backupHealth: _, ...inputs } = resource.inputs;
    world.health = { state: "failing", why: "the disk is full" };
    expect(await comparedByRefresh({ ...resource, inputs })).toBe(false);
  });
});

/** Whether a refresh shows a change: the engine compares what was read with the inputs of the last update. */
async function comparedByRefresh({ id, inputs, outs }: FakeResource): Promise<boolean> {
  const found = await handler.read(id, outs);
  // Another process, which has checked nothing.
  const old = { ...inputs, __urn: `${URN}-of-a-refresh` };
  return (await handler.diff(id, { ...inClear(found.props), __provider: "text" }, old)).changes;
}
