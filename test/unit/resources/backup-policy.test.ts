import { beforeEach, describe, expect, test } from "vitest";
import { defineResource, type Handler } from "../../../provider/pulumi/define-resource";
import { UNKNOWN, type Properties } from "../../../provider/pulumi/properties";
import { backupPolicyDefinition } from "../../../provider/resources/backup-policy/definition";
import { redisAddonDefinition } from "../../../provider/resources/redis-addon/definition";
import { refresh, sdkInputs, up } from "../../support/fake-program";
import { fakeEngine, FakeWorld, type FakeEngine } from "../../support/pulumi-fakes";

const urnOf = (name: string, stack = "dev") =>
  `urn:pulumi:${stack}::shop::pulumi-nodejs:dynamic/redis-addon:BackupPolicy::${name}`;
const ADDON_URN = "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/redis-addon:RedisAddon::x";

let world: FakeWorld;
let engine: FakeEngine;
let policy: Handler;
/** The next engine run: it has a process, and with it a handler, of its own. */
const nextRun = () => {
  policy = defineResource(backupPolicyDefinition(world.operations), engine);
};
beforeEach(async () => {
  world = new FakeWorld();
  engine = fakeEngine();
  const addon = defineResource(redisAddonDefinition(world.operations), engine);
  for (const [name, tier] of [
    ["lead", "premium"],
    ["spare", "premium"],
    ["small", "standard"],
  ] as const)
    await up(addon, sdkInputs(ADDON_URN, { plan: "s_mono", name, tier }));
  nextRun();
});

const declares = (name: string, inputs: Properties = {}, stack = "dev") =>
  sdkInputs(
    urnOf(name, stack),
    { addon: "lead", schedule: { every: "6h" }, retention: { days: 30 }, ...inputs },
    ["destination"],
  );
const said = () => engine.messages.filter((message) => !message.ephemeral);
const failuresOf = async (news: Properties, olds: Properties = {}) =>
  (await policy.check(olds, news)).failures;
const SECOND = { property: "addon", reason: expect.stringMatching(/has a backup policy already.*::a\)/) };

describe("a second policy of one add-on", () => {
  test("is refused in the preview where both are new", async () => {
    expect(await failuresOf(declares("a"))).toEqual([]);
    expect(await failuresOf(declares("b"))).toEqual([SECOND]);
    // Each is looked at more than once in a run.
    expect(await failuresOf(declares("a"))).toEqual([]);
    expect(await failuresOf(declares("b", { addon: "spare" }))).toEqual([]);
  });

  test("is nothing that the next run remembers", async () => {
    await failuresOf(declares("a"));
    nextRun();
    expect(await failuresOf(declares("b"))).toEqual([]);
  });

  test("is refused in the preview where the first is recorded, new or moved there from another add-on", async () => {
    await up(policy, declares("a"));
    nextRun();
    expect(await failuresOf(declares("b"))).toEqual([SECOND]);
    const { resource } = await up(policy, declares("c", { addon: "spare" }));
    expect(await failuresOf(declares("c"), resource.inputs)).toEqual([SECOND]);
    // Whichever the program declares first, it is the new one that is refused.
    expect(await failuresOf(declares("a"), { addon: "lead" })).toEqual([]);
  });

  test("is none where the same resource is made again: after an interruption, forced, or dropped from the state", async () => {
    world.fault = { when: "after", error: new Error("killed") };
    await expect(up(policy, declares("a"))).rejects.toThrow("killed");
    nextRun();
    const { resource } = await up(policy, declares("a"));
    nextRun();
    expect((await up(policy, declares("a"))).did).toBe("created");
    await policy.delete(resource.id, resource.outs);
    expect(world.records.get("lead")?.backups).toBeDefined();
  });

  test("is none where the first was renamed by an alias: the update records its new name, and no more", async () => {
    const { resource } = await up(policy, declares("a"));
    nextRun();
    const renamed = await up(policy, declares("b"), resource);
    expect(renamed.did).toBe("updated");
    expect(said().at(-1)?.message).toContain(`recorded as ${urnOf("a")}`);
    expect(world.records.get("lead")?.backups?.urn).toBe(urnOf("b"));
    nextRun();
    expect((await up(policy, declares("b"), renamed.resource)).did).toBe("nothing");
    // From now on it is the old name that would be another one.
    expect((await up(policy, declares("b"))).did).toBe("created");
    nextRun();
    expect(await failuresOf(declares("a"))).toHaveLength(1);
  });

  test("is none where the stack was renamed", async () => {
    const { resource } = await up(policy, declares("a"));
    nextRun();
    expect(await failuresOf(declares("a", {}, "prod"))).toEqual([]);
    expect((await up(policy, declares("a", {}, "prod"), resource)).did).toBe("updated");
    expect(world.records.get("lead")?.backups?.urn).toBe(urnOf("a", "prod"));
  });

  test("is none where an old version recorded the first without its URN", async () => {
    const { resource } = await up(policy, declares("a"));
    const record = world.records.get("lead");
    if (record?.backups === undefined) throw new Error("no policy");
    const { urn: _, ...backups } = record.backups;
    world.records.set("lead", { ...record, backups });
    nextRun();
    expect((await up(policy, declares("a"), resource)).did).toBe("nothing");
    nextRun();
    expect(await failuresOf(declares("b"))).toEqual([]);
  });

  test("is none in another data home", async () => {
    await failuresOf(declares("a"));
    world.home = { id: "home-2-xxxx", host: "alpha", path: "/other" };
    expect(await failuresOf(declares("b"))).toEqual([]);
  });
});

describe("the tiers", () => {
  test.each([
    { schedule: { daily: "22:15", timezone: "Europe/Paris" } },
    { retention: { days: 7 } },
    { retention: { minimum: 1, days: 7 } },
    { alerts: { webhook: "https://hooks.example.com/x" } },
    { destination: "file:///b", encryption: { passphrase: "correct horse" } },
  ])("standard includes %j", async (inputs) => {
    const news = sdkInputs(urnOf("a"), { addon: "small", ...inputs }, []);
    expect(await failuresOf(news)).toEqual([]);
  });

  test.each([
    [{ schedule: { every: "1d" } }, /^`schedule`.*`tier: "premium"`.*config set redis-addon:tier premium/],
    [{ schedule: { cron: "0 3 * * *" } }, /^`schedule`/],
    [{ retention: { days: 8 } }, /^`retention`.*`tier: "premium"`/],
    [{ retention: { days: 7, weekly: 1 } }, /^`retention`/],
    [{ retention: { days: 7, minimum: 2 } }, /^`retention`/],
    [{ retention: { keepLast: 1 } }, /^`retention`/],
  ])("premium is needed for %j, and the preview names what to set", async (inputs, reason) => {
    const news = sdkInputs(urnOf("a"), { addon: "small", ...inputs }, []);
    expect(await failuresOf(news)).toEqual([{ property: "", reason: expect.stringMatching(reason) }]);
  });
});

describe("alerts", () => {
  const HUSH = "https://hooks.example.com/hush-hush";

  test("are recorded for the agent, and their webhook is a secret everywhere else", async () => {
    const { resource } = await up(policy, declares("a", { alerts: { webhook: HUSH } }));
    expect(world.records.get("lead")?.backups?.wish.alerts).toEqual({ webhook: HUSH });
    const { inputs, props } = await policy.read("lead", resource.outs);
    for (const told of [inputs, props])
      expect(told).toMatchObject({ alerts: { webhook: expect.objectContaining({ value: HUSH }) } });
    const same = declares("a", { alerts: { webhook: HUSH } });
    expect((await up(policy, same, await refresh(policy, resource))).did).toBe("nothing");
    expect((await up(policy, declares("a"), resource)).did).toBe("updated");
    expect(world.records.get("lead")?.backups?.wish).not.toHaveProperty("alerts");
  });

  test.each([
    [{ webhook: "hush-hush" }, /^`alerts.webhook`: write an http or https URL/],
    [{ webhook: "ftp://hush-hush" }, /^`alerts.webhook`: write an http or https URL/],
    [{ webhook: "https://" }, /^`alerts.webhook`: write an http or https URL/],
    [{}, /^`alerts.webhook`: write an http or https URL/],
    [{ webHook: "https://hush-hush" }, /^`alerts`: there is no `webHook` in it; did you mean `webhook`\?/],
    [{ mail: "hush-hush" }, /^`alerts`: there is no `mail` in it; there are webhook/],
    ["https://hush-hush", /^`alerts`: write \{ webhook: … \}/],
  ])("that are none, %j, are refused without being repeated", async (alerts, reason) => {
    const failures = await failuresOf(declares("a", { alerts }));
    expect(failures).toEqual([{ property: "", reason: expect.stringMatching(reason) }]);
    expect(JSON.stringify(failures)).not.toContain("hush-hush");
  });

  test("don't show in a failure of the agent's", async () => {
    world.fault = { when: "before", error: new Error(`can't post to ${HUSH}`) };
    await expect(up(policy, declares("a", { alerts: { webhook: HUSH } }))).rejects.toThrow(
      "can't post to [secret]",
    );
  });
});

test.each([
  [{ dayly: 3 }, /^`retention`: there is no `dayly` in it; did you mean `daily`\?/],
  [{ days: 3, keeplast: 2 }, /^`retention`: there is no `keeplast` in it; did you mean `keepLast`\?/],
  [{ hourly: 24 }, /^`retention`: there is no `hourly` in it; there are days, keepLast, daily, weekly/],
  [{ weekly: 0 }, /^`retention.weekly`: write a whole number of weeks/],
  [{ minimum: 3 }, /^`retention`: say how long backups are kept/],
])("the retention %j is refused with what was meant", async (retention, reason) => {
  expect(await failuresOf(declares("a", { retention }))).toEqual([
    { property: "", reason: expect.stringMatching(reason) },
  ]);
});

describe("backups that a change would remove", () => {
  const CATALOG = "file:///data/backups/lead-home-1-x";
  const TWELVE = {
    backups: 12,
    sizeBytes: 3.4 * 1024 ** 3,
    oldest: "2026-05-01T03:00:00.000Z",
    catalog: CATALOG,
  };
  const LIST = "redis-addon backup prune lead --dry-run";

  test("are told where the retention of a policy changes, with the command that lists them", async () => {
    const { resource } = await up(policy, declares("a"));
    world.retentionChanges.length = 0;
    world.retentionPreview = { removes: TWELVE };
    const news = declares("a", { retention: { days: 2, keepLast: 3, minimum: 2 } });
    const { inputs } = await policy.check(resource.inputs, news);
    expect(said()).toEqual([]);
    await policy.diff("lead", resource.outs, inputs);
    expect(world.retentionChanges).toMatchObject([
      { name: "lead", from: { retention: { days: 30 } }, to: { retention: { days: 2, keepLast: 3 } } },
    ]);
    expect(said()).toMatchObject([
      {
        severity: "warning",
        urn: urnOf("a"),
        message: `would remove 12 backups, 3.4 GiB, oldest 2026-05-01T03:00:00.000Z, with the next backup (list them: ${LIST} --days 2 --keep-last 3 --minimum 2; keep one: redis-addon backup pin lead <slot>)`,
      },
    ]);
  });

  test("are told where a policy is new, in place of the default", async () => {
    world.retentionPreview = { removes: { ...TWELVE, backups: 1 } };
    await policy.check({}, declares("a", { retention: { keepLast: 1 } }));
    expect(world.retentionChanges).toMatchObject([
      { from: { retention: { days: 7 } }, to: { retention: { keepLast: 1 } } },
    ]);
    expect(said()).toMatchObject([{ message: expect.stringMatching(/^would remove 1 backup, 3.4 GiB/) }]);
  });

  test("are told together with those that stay at another place, which the command wouldn't find", async () => {
    world.retentionPreview = { removes: TWELVE, leaves: { backups: 5, catalog: CATALOG } };
    await policy.check({}, declares("a", { destination: "file:///elsewhere" }));
    expect(said().map(({ message }) => message)).toEqual([
      expect.stringMatching(new RegExp(`would remove 12 backups.*\\(they lie in ${CATALOG}; keep one:`)),
      `5 backups stay in ${CATALOG}, where nothing removes them any more`,
    ]);
  });

  test("that could not be told of are told as such", async () => {
    world.retentionPreview = { untold: "the store did not tell within 5 s" };
    await policy.check({}, declares("a", { retention: { days: 2 } }));
    expect(said()).toMatchObject([
      {
        message: `which backups this would remove could not be told: the store did not tell within 5 s. Ask again: ${LIST} --days 2`,
      },
    ]);
  });

  test("are not asked about while the change isn't known, is refused, or is none", async () => {
    const { resource } = await up(policy, declares("a"));
    world.retentionChanges.length = 0;
    world.retentionPreview = { removes: TWELVE };
    for (const input of [
      { retention: UNKNOWN },
      { destination: UNKNOWN },
      { retention: { days: UNKNOWN } },
    ]) {
      const { inputs } = await policy.check(resource.inputs, declares("a", input));
      expect((await policy.diff("lead", resource.outs, inputs)).changes).toBe(true);
    }
    await up(policy, declares("a"), resource);
    await policy.check({}, declares("b", { retention: { days: 1 } }));
    await policy.check({}, declares("c", { addon: "small", retention: { days: 1 } }));
    expect(world.retentionChanges).toEqual([]);
  });

  test("are told by a deletion, whose default keeps less", async () => {
    const { resource } = await up(policy, declares("a"));
    world.retentionChanges.length = 0;
    world.retentionPreview = { removes: TWELVE };
    await policy.delete("lead", resource.outs);
    expect(world.retentionChanges).toMatchObject([
      { from: { retention: { days: 30 } }, to: { retention: { days: 7 } } },
    ]);
    expect(said().at(-1)?.message).toBe(
      "lead is backed up daily and for 7 days again; no backup was removed; the next run will remove 12 backups, " +
        "3.4 GiB, the oldest of 2026-05-01T03:00:00.000Z: pin those to keep (redis-addon backup pin lead <slot>)",
    );
  });

  test.each([
    [{}, /no backup was removed$/],
    [
      { leaves: { backups: 1, catalog: CATALOG } },
      /removed; 1 backup stays in \S+, where nothing removes them any more$/,
    ],
    [{ leaves: { backups: 0, catalog: CATALOG } }, /no backup was removed$/],
    [
      { untold: "it is gone" },
      /could not be told \(it is gone\): ask redis-addon backup prune lead --dry-run$/,
    ],
  ])("a deletion that finds %j says no more than that", async (preview, message) => {
    const { resource } = await up(policy, declares("a"));
    world.retentionPreview = preview;
    await policy.delete("lead", resource.outs);
    expect(said().at(-1)?.message).toMatch(message);
  });
});
