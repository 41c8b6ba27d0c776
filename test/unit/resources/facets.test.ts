import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { defineResource, type Handler } from "../../../provider/pulumi/define-resource";
import type { Finding } from "../../../provider/redis/preflight/finding";
import { UNKNOWN, type Properties } from "../../../provider/pulumi/properties";
import { backupPolicyDefinition } from "../../../provider/resources/backup-policy/definition";
import { redisAddonDefinition } from "../../../provider/resources/redis-addon/definition";
import { redisFollowerDefinition } from "../../../provider/resources/redis-follower/definition";
import { makeAuthority } from "../../support/certificates";
import { fakeEngine, FakeWorld, type FakeEngine } from "../../support/pulumi-fakes";
import { refresh, sdkInputs, up } from "../../support/fake-program";

const URN = "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/redis-addon:X::x";

let world: FakeWorld;
let engine: FakeEngine;
let addon: Handler;
let follower: Handler;
let policy: Handler;
beforeEach(async () => {
  world = new FakeWorld();
  engine = fakeEngine();
  addon = defineResource(redisAddonDefinition(world.operations), engine);
  follower = defineResource(redisFollowerDefinition(world.operations), engine);
  policy = defineResource(backupPolicyDefinition(world.operations), engine);
  for (const [name, tier] of [
    ["lead", "premium"],
    ["copy", "standard"],
  ] as const)
    await up(addon, sdkInputs(URN, { plan: "s_mono", name, tier }));
});

const follows = (inputs: Properties = {}) =>
  sdkInputs(URN, { addon: "copy", leader: "lead", ...inputs }, ["role", "leaderHost", "leaderPort"]);
const backups = (inputs: Properties = {}) =>
  sdkInputs(URN, { addon: "lead", schedule: { every: "6h" }, retention: { days: 30 }, ...inputs }, []);
const said = () => engine.messages.filter((message) => !message.ephemeral).map(({ message }) => message);
const EXTERNAL = { host: "10.0.0.1", port: 6379, password: "hush-hush" };
const { certificate: CERTIFICATE, key: KEY } = makeAuthority();
const pem = (label: string, text: string) => `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`;

test("a follower knows whom it follows, and nothing that changes by itself", async () => {
  const { resource } = await up(follower, follows());
  expect(resource.id).toBe("copy");
  expect(resource.outs).toMatchObject({
    addon: "copy",
    leader: "lead",
    role: "follower",
    leaderHost: "127.0.0.1",
    leaderPort: 7001,
  });
  expect(world.records.get("copy")?.replication?.wish).toEqual({ kind: "addon", addon: "lead" });
});

test.each([follows(), follows({ leader: EXTERNAL }), follows({ leader: { ...EXTERNAL, username: "repl" } })])(
  "a follower that hasn't changed does nothing, also after a refresh (%#)",
  async (program) => {
    const { resource } = await up(follower, program);
    expect((await up(follower, program, resource)).did).toBe("nothing");
    expect((await up(follower, program, await refresh(follower, resource))).did).toBe("nothing");
  },
);

test.each([{ leader: EXTERNAL }, { leader: UNKNOWN }])("another leader is an update: %j", async (inputs) => {
  const { resource } = await up(follower, follows());
  const { inputs: checked } = await follower.check(resource.inputs, follows(inputs));
  expect(await follower.diff("copy", resource.outs, checked)).toMatchObject({ changes: true, replaces: [] });
});

test("another password of the leader is an update", async () => {
  const { resource } = await up(follower, follows({ leader: EXTERNAL }));
  const changed = await up(follower, follows({ leader: { ...EXTERNAL, password: "changed" } }), resource);
  expect(changed.did).toBe("updated");
  expect(world.records.get("copy")?.replication?.wish).toMatchObject({ password: "changed" });
});

test.each(["lead", UNKNOWN])("another add-on that follows (%s) replaces", async (name) => {
  const { resource } = await up(follower, follows({ leader: EXTERNAL }));
  const { inputs } = await follower.check(resource.inputs, follows({ addon: name, leader: EXTERNAL }));
  expect((await follower.diff("copy", resource.outs, inputs)).replaces).toEqual(["addon"]);
});

test("deleting a follower promotes it; a stale delete changes nothing and says so", async () => {
  const old = (await up(follower, follows())).resource;
  const newer = (await up(follower, follows())).resource;
  await up(follower, follows({ leader: EXTERNAL }), newer);
  await follower.delete(old.id, old.outs);
  expect(world.records.get("copy")?.replication).toBeDefined();
  await follower.delete(newer.id, newer.outs);
  expect(world.records.get("copy")?.replication).toBeUndefined();
  expect(said().slice(-2)).toEqual([
    expect.stringContaining("nothing was changed"),
    expect.stringContaining("copy is a leader now"),
  ]);
});

test("a follower that was promoted by hand follows again with the next update", async () => {
  const { resource } = await up(follower, follows());
  await world.operations.stopFollowing(world.platform, { name: "copy", token: "token-3" }, {} as never);
  expect(await refresh(follower, resource)).toBeUndefined();
  expect((await up(follower, follows(), resource)).did).toBe("updated");
  expect(world.records.get("copy")?.replication).toBeDefined();
});

test.each([
  [{ leader: undefined }, /`leader`: name the leader/],
  [{ leader: "copy" }, /can't follow itself/],
  [{ leader: { ...EXTERNAL, port: 0 } }, /`leader.port`: write a whole number/],
  [{ leader: { ...EXTERNAL, host: "" } }, /`leader.host`: name the leader's host/],
  [{ leader: { host: "h", port: 1 } }, /`leader.password`: give the leader's password/],
  [{ leader: { ...EXTERNAL, tls: { ca: "hush-hush" } } }, /`leader`: `tls.ca` is not a certificate in PEM/],
  [
    { leader: { ...EXTERNAL, tls: { ca: pem("CERTIFICATE", "hush-hush") } } },
    /`leader`: `tls.ca` is not a certificate in PEM/,
  ],
  [
    { leader: { ...EXTERNAL, tls: { certificate: "hush-hush", key: KEY } } },
    /`leader`: `tls.certificate` is not a certificate/,
  ],
  [
    { leader: { ...EXTERNAL, tls: { certificate: CERTIFICATE, key: pem("PRIVATE KEY", "hush-hush") } } },
    /`leader`: `tls.key` is not a private key/,
  ],
  [{ leader: { ...EXTERNAL, tls: { key: KEY } } }, /`tls.certificate` and `tls.key` belong together/],
])("the follower's input %j is refused in the preview", async (inputs, reason) => {
  const { failures } = await follower.check({}, follows(inputs));
  expect(failures).toEqual([{ property: "", reason: expect.stringMatching(reason) }]);
  expect(JSON.stringify(failures)).not.toContain("hush-hush");
  expect(world.previewed).toEqual([]);
});

test.each([{ tls: true }, { tls: { ca: CERTIFICATE } }, { tls: { certificate: CERTIFICATE, key: KEY } }])(
  "a leader by TLS is taken as given (%#)",
  async (tls) => {
    const { failures } = await follower.check({}, follows({ leader: { ...EXTERNAL, ...tls } }));
    expect(failures).toEqual([]);
  },
);

test.each([
  [{ promote: true, switchedOver: true }, /with `promote` the two are independent leaders/],
  [{ switchedOver: true, leader: EXTERNAL }, /roles are exchanged between two add-ons.*use `promote: true`/],
])("a position that can't be, %j, is refused in the preview", async (inputs, reason) => {
  const { failures } = await follower.check({}, follows(inputs));
  expect(failures).toEqual([{ property: "switchedOver", reason: expect.stringMatching(reason) }]);
});

const OWN_KEYS = { held: { keys: 3, libraries: 0 }, follows: false };

test("a follower that is new or changed is looked at in the preview, one that stays as it is never", async () => {
  const { resource } = await up(follower, follows());
  expect(world.previewed).toEqual([{ name: "copy", wish: { kind: "addon", addon: "lead" } }]);
  world.previewed.length = 0;
  await up(follower, follows(), resource);
  await up(follower, follows(), await refresh(follower, resource));
  await follower.check(resource.inputs, follows({ leader: UNKNOWN }));
  await follower.check(resource.inputs, follows({ promote: true }));
  await follower.check(resource.inputs, follows({ replaceData: UNKNOWN }));
  expect(world.previewed).toEqual([]);
  const promoted = await up(follower, follows({ promote: true }), resource);
  for (const changed of [
    [resource, { leader: EXTERNAL }],
    [resource, { replaceData: true }],
    [resource, { switchedOver: true }],
    [promoted.resource, {}],
  ] as const)
    await follower.check(changed[0].inputs, follows(changed[1]));
  expect(world.previewed.map(({ wish }) => wish)).toEqual([
    { kind: "external", ...EXTERNAL },
    { kind: "addon", addon: "lead" },
    { kind: "addon", addon: "lead", position: "switched-over" },
    { kind: "addon", addon: "lead" },
  ]);
});

test("an add-on that isn't there yet is no reason not to try its leader's address", async () => {
  await follower.check({}, follows({ addon: UNKNOWN, leader: EXTERNAL }));
  expect(world.previewed).toEqual([{ name: undefined, wish: { kind: "external", ...EXTERNAL } }]);
});

test("what would make following fail is a failure of the preview, without the leader's name or value", async () => {
  const finding = { code: "c", severity: "refuse", cause: "it refuses", hint: "Do this", transient: false };
  world.followPreview = { findings: [finding as Finding, { ...(finding as Finding), cause: "and that" }] };
  const { failures } = await follower.check({}, follows({ leader: EXTERNAL }));
  expect(failures).toEqual([
    { property: "", reason: "`leader`: it refuses. Do this" },
    { property: "", reason: "`leader`: and that. Do this" },
  ]);
  expect(said()).toEqual([]);
});

test("what may pass by itself, and what only somebody should know, is a warning", async () => {
  const finding = { code: "c", cause: "nothing answers", hint: "Start it" };
  world.followPreview = {
    findings: [
      { ...finding, severity: "refuse", transient: true },
      { ...finding, severity: "warn", transient: false, cause: "it hides" },
    ],
  };
  expect((await follower.check({}, follows())).failures).toEqual([]);
  expect(said()).toEqual(["the leader: nothing answers. Start it", "the leader: it hides. Start it"]);
});

test("keys that would go are counted: without permission a failure, with it a warning", async () => {
  world.followPreview = { findings: [], replaces: OWN_KEYS };
  const { failures } = await follower.check({}, follows());
  expect(failures).toEqual([
    {
      property: "replaceData",
      reason: expect.stringMatching(
        /^copy holds 3 keys of its own, .*`replaceData: true`: a verified backup/,
      ),
    },
  ]);
  expect((await follower.check({}, follows({ replaceData: true }))).failures).toEqual([]);
  expect(said()).toEqual([
    "3 keys of copy will be replaced by those of the leader; a verified backup of them is taken first",
  ]);
});

test.each(["addon", "leader"])(
  "an add-on that doesn't exist is refused as %s, unless it was there before",
  async (key) => {
    const inputs = follows({ [key]: "nobody" });
    const { failures } = await follower.check({}, inputs);
    expect(failures).toEqual([
      { property: key, reason: expect.stringContaining("there is no add-on nobody") },
    ]);
    expect((await follower.check(inputs, inputs)).failures).toEqual([]);
  },
);

test("no failure of a leader shows or names what holds its password", async () => {
  const part = fc.oneof(fc.string(), fc.integer(), fc.constant(undefined), fc.constant(null), fc.object());
  await fc.assert(
    fc.asyncProperty(fc.record({ host: part, port: part, username: part, more: part }), async (leader) => {
      const { failures } = await follower.check(
        {},
        follows({ leader: { ...leader, password: "hush-hush-9" } }),
      );
      for (const { property, reason } of failures) {
        expect(["", "addon"]).toContain(property);
        expect(reason).not.toContain("hush-hush-9");
      }
    }),
  );
});

test("a leader's password is marked as a secret within the outputs", async () => {
  const checked = await follower.check({}, follows({ leader: EXTERNAL }));
  const { outs } = await follower.create({
    ...follows({ leader: EXTERNAL }),
    ...checked.inputs,
    leader: EXTERNAL,
  });
  expect(outs["leader"]).toMatchObject({ host: "10.0.0.1", password: { value: "hush-hush" } });
  expect(JSON.stringify(outs).match(/hush-hush/g)).toHaveLength(1);
});

test("a policy is set, changed and, once deleted, back at its default", async () => {
  const { resource } = await up(policy, backups());
  expect(world.records.get("lead")?.backups?.wish).toEqual({
    schedule: { every: "6h" },
    retention: { days: 30 },
  });
  expect((await up(policy, backups(), resource)).did).toBe("nothing");
  expect((await up(policy, backups(), await refresh(policy, resource))).did).toBe("nothing");
  const changed = await up(policy, backups({ destination: "file:///elsewhere" }), resource);
  expect(changed.did).toBe("updated");
  await policy.delete("lead", changed.resource.outs);
  expect(world.records.get("lead")?.backups).toBeUndefined();
});

test.each([
  [{ schedule: { cron: "61 * * * *" } }, /`schedule.cron`: "61 \* \* \* \*" is no cron expression/],
  [{ schedule: { every: "soon" } }, /`schedule.every`/],
  [{ schedule: "daily" }, /`schedule`: "daily" is no schedule/],
  [{ retention: { days: 0 } }, /`retention.days`/],
  [{ retention: {} }, /`retention`: say how long/],
  [{ destination: "s3" }, /`destination`: it is no URL. Write file:/],
  [{ destination: "s3://key:hush-hush@bucket" }, /`destination`: (?!.*hush)/],
  [{ credentials: { accessKeyId: "key" } }, /`credentials.secretAccessKey`/],
  [{ credentials: { accessKeyId: "key", secretAccessKey: "" } }, /`credentials.secretAccessKey`: write/],
  [{ encryption: { recipients: [] } }, /`encryption.*age1/],
  [{ encryption: { passphrase: "" } }, /`encryption/],
  [{ encryption: { recipients: ["age1qqqqqqqq"] } }, /`encryption.*age1/],
  [
    // The last letter is another one than age-keygen printed.
    { encryption: { recipients: ["age1w5qk3lpnhxjz4v6c0a3wnstc5k60ec5e0xrjw5mv9ue3jhxq4y8qz3d7sq"] } },
    /`encryption`: age1.*checksum.*Copy it again/,
  ],
])("the policy's input %j is refused in the preview", async (inputs, reason) => {
  const { failures } = await policy.check({}, backups(inputs));
  expect(failures).toEqual([{ property: "", reason: expect.stringMatching(reason) }]);
});

test("a policy's keys and passphrase are recorded for the agent, and are secrets everywhere else", async () => {
  const credentials = { accessKeyId: "AKIA", secretAccessKey: "hush-hush", sessionToken: "hush-too" };
  const encryption = { passphrase: "hush-as-well" };
  const program = backups({ destination: "file:///elsewhere", credentials, encryption });
  const { resource } = await up(policy, program);
  expect(world.records.get("lead")?.backups?.wish).toMatchObject({ credentials, encryption });
  expect((await up(policy, program, await refresh(policy, resource))).did).toBe("nothing");

  const { inputs, props } = await policy.read("lead", resource.outs);
  for (const told of [inputs, props])
    expect(told).toMatchObject({
      credentials: { secretAccessKey: { value: "hush-hush" }, sessionToken: { value: "hush-too" } },
      encryption: { passphrase: { value: "hush-as-well" } },
    });
  const { resource: changed } = await up(policy, backups(), resource);
  expect(world.records.get("lead")?.backups?.wish).not.toHaveProperty("credentials");
  expect(JSON.stringify(changed.outs)).not.toContain("hush");
});

test.each([
  ["by what the SDK class passes", { addon: UNKNOWN, __tier: "standard" }],
  ["by what is recorded", { addon: "copy" }],
])("a standard add-on, known %s, has no frequency or retention of its own", async (_, inputs) => {
  const { failures } = await policy.check({}, { ...backups(), ...inputs });
  expect(failures.map(({ reason }) => reason)).toEqual([
    expect.stringMatching(/^`schedule`.*`tier: "premium"`.*redis-addon:tier premium/),
    expect.stringMatching(/^`retention`.*`tier: "premium"`/),
  ]);
});

test("the tier that the program sets now counts, not the one that is recorded", async () => {
  const { failures } = await policy.check({}, { ...backups(), addon: "copy", __tier: "premium" });
  expect(failures).toEqual([]);
});

test("a standard add-on may choose the hour and the place", async () => {
  const { failures } = await policy.check(
    {},
    sdkInputs(URN, { addon: "copy", schedule: { daily: "22:15" }, destination: "file:///b" }, []),
  );
  expect(failures).toEqual([]);
});
