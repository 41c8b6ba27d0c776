import { beforeEach, describe, expect, test } from "vitest";
import { Failure } from "../../../provider/core/errors";
import { defineResource, type Handler } from "../../../provider/pulumi/define-resource";
import { UNKNOWN, type Properties } from "../../../provider/pulumi/properties";
import { redisAddonDefinition } from "../../../provider/resources/redis-addon/definition";
import { fakeEngine, FakeWorld, type FakeEngine } from "../../support/pulumi-fakes";
import { inClear, refresh, sdkInputs, up } from "../../support/fake-program";

const URN = "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/redis-addon:RedisAddon::cache";
const NAME = "shop-dev-cache";

let world: FakeWorld;
let engine: FakeEngine;
let handler: Handler;
beforeEach(() => {
  world = new FakeWorld();
  engine = fakeEngine();
  handler = defineResource(redisAddonDefinition(world.operations), engine);
});

const program = (inputs: Properties = {}, urn = URN) => sdkInputs(urn, { plan: "s_mono", ...inputs });
const said = () => engine.messages.filter((message) => !message.ephemeral).map(({ message }) => message);

test("a create records inputs, outputs and under which token it was made", async () => {
  const { resource } = await up(handler, program());
  expect(resource.id).toBe(NAME);
  expect(resource.outs).toMatchObject({
    name: NAME,
    host: "127.0.0.1",
    port: 7001,
    password: "user-password",
    redisUrl: "redis://default:user-password@127.0.0.1:7001",
    redisCliUrl: "redis://user-password@127.0.0.1:7001",
    version: "7.0.15",
    __state: 1,
    __urn: URN,
    __given: ["plan"],
    __instance: "token-1",
    __phase: "ready",
    __home: { id: "home-1-xxxx", host: "alpha", path: "/data" },
  });
});

test("secrets are marked as such by the provider itself, in outputs and in what a refresh returns", async () => {
  const { resource } = await up(handler, program());
  const found = await handler.read(resource.id, resource.outs);
  for (const properties of [found.props, found.inputs ?? {}])
    for (const key of ["password", "redisUrl", "redisCliUrl"])
      expect(properties[key]).toMatchObject({
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
      });
});

test("what hasn't changed does nothing, also after a refresh", async () => {
  const made = (await up(handler, program({ evictionPolicy: "allkeys-lru" }))).resource;
  expect((await up(handler, program({ evictionPolicy: "allkeys-lru" }), made)).did).toBe("nothing");
  const refreshed = await refresh(handler, made);
  expect((await up(handler, program({ evictionPolicy: "allkeys-lru" }), refreshed)).did).toBe("nothing");
});

test("the preview of an update knows every output", async () => {
  const { resource } = await up(handler, program());
  const { inputs } = await handler.check(resource.inputs, program({ evictionPolicy: "allkeys-lru" }));
  for (const key of ["name", "host", "port", "password", "redisUrl", "redisCliUrl", "version", "createdAt"])
    expect(inputs[key], key).toBeDefined();
});

test("the preview of a create knows none that are chosen only then", async () => {
  const { inputs } = await handler.check({}, program());
  for (const key of ["host", "port", "password", "redisUrl", "redisCliUrl", "version", "createdAt"])
    expect(inputs, key).not.toHaveProperty(key);
});

test("what is unknown in a preview is neither refused nor lost", async () => {
  const { inputs, failures } = await handler.check(
    {},
    program({ plan: UNKNOWN, name: UNKNOWN, port: UNKNOWN }),
  );
  expect(failures).toEqual([]);
  expect(inputs).toMatchObject({ plan: UNKNOWN, name: UNKNOWN, port: UNKNOWN, tier: "standard" });
});

test("the name sticks when project, stack or resource are renamed, and when it is no longer given", async () => {
  const { resource } = await up(handler, program());
  const renamed = program({}, "urn:pulumi:prod::shop::pulumi-nodejs:dynamic/redis-addon:RedisAddon::other");
  expect((await up(handler, renamed, resource)).did).toBe("nothing");
  const named = (await up(handler, program({ name: "sessions" }))).resource;
  const unnamed = await up(handler, program(), named);
  expect(unnamed.did).toBe("nothing");
  expect(unnamed.resource.inputs["name"]).toBe("sessions");
});

test("the name sticks after a refresh too", async () => {
  const { resource } = await up(handler, program());
  const refreshed = await refresh(handler, resource);
  const renamed = program({}, "urn:pulumi:prod::shop::pulumi-nodejs:dynamic/redis-addon:RedisAddon::other");
  expect((await up(handler, renamed, refreshed)).resource.inputs["name"]).toBe(NAME);
});

test.each([
  [{ plan: "l_mono" }, "plan"],
  [{ tier: "premium" }, "tier"],
  [{ access: "advanced" }, "access"],
  [{ evictionPolicy: "volatile-ttl" }, "evictionPolicy"],
  [{ plan: { memory: "3gb", connections: 200, databases: 4 } }, "plan"],
  [{ bind: "0.0.0.0" }, "bind"],
  [{ persistence: "always" }, "persistence"],
  [{ settings: { timeout: "300" } }, "settings"],
  [{ labels: { team: "shop" } }, "labels"],
  [{ deletion: { finalBackup: false } }, "deletion"],
  [{ password: "another password" }, "password"],
  [{ port: 7100 }, "port"],
  [{ version: "7.2.4" }, "version"],
])("a change to %j is an update", async (inputs, key) => {
  const { resource } = await up(handler, program());
  const { did, resource: updated } = await up(handler, program(inputs), resource);
  expect(did).toBe("updated");
  expect(inClear(updated.outs)[key]).toEqual(Object.values(inputs)[0]);
  expect(updated.outs["__instance"]).toBe("token-1");
});

test.each([{ version: "7.0" }, { version: "7.0.15" }, { port: 7001 }])(
  "%j is what runs already",
  async (inputs) => {
    const { resource } = await up(handler, program());
    expect((await up(handler, program(inputs), resource)).did).toBe("nothing");
  },
);

test("the order of what an input holds is no change", async () => {
  const plan = { memory: "3gb", connections: 200, databases: 4 };
  const { resource } = await up(handler, program({ plan, labels: { a: "1", b: "2" } }));
  const turned = program({
    plan: { databases: 4, connections: 200, memory: "3gb" },
    labels: { b: "2", a: "1" },
  });
  expect((await up(handler, turned, resource)).did).toBe("nothing");
});

test("a password that is left out again stays", async () => {
  const { resource } = await up(handler, program({ password: "of my own choice" }));
  expect(inClear(resource.outs)["redisUrl"]).toContain("of%20my%20own%20choice");
  const { did, resource: later } = await up(handler, program(), resource);
  expect(did).toBe("nothing");
  expect(inClear(later.outs)["password"]).toBe("of my own choice");
});

test("the preview of another password knows the URLs, as secrets, and says who needs it", async () => {
  const { resource } = await up(handler, program());
  const inputs = program({ password: "of my own choice" });
  const checked = await handler.check(resource.inputs, inputs);
  expect(inClear(checked.inputs)["redisCliUrl"]).toBe("redis://of%20my%20own%20choice@127.0.0.1:7001");
  await up(handler, inputs, resource);
  expect(said()).toEqual([
    "the password changes: connections that are open stay open, new ones need the new one",
  ]);
  expect(JSON.stringify(engine.messages)).not.toContain("own choice");
});

describe("a plan that is made smaller", () => {
  const MIB = 1024 ** 2;
  const usage = { usedMemoryBytes: 200 * MIB, keysByDatabase: { 0: 10 }, connections: 180 };

  test("than its data is refused in the preview with the figures", async () => {
    const { resource } = await up(handler, program({ plan: "m_mono" }));
    world.usage = usage;
    await expect(up(handler, program(), resource)).rejects.toThrow(
      /change the plan of shop-dev-cache.*200 MiB of memory are in use, and the new plan has 128 MiB/s,
    );
    expect(world.records.get(NAME)?.server.wish.plan).toBe("m_mono");
  });

  test("says how many connections it closes, and how long a restart takes", async () => {
    const { resource } = await up(handler, program({ plan: "m_mono" }));
    world.usage = { ...usage, usedMemoryBytes: 100 * MIB };
    world.restartedMs = 843;
    await up(handler, program(), resource);
    expect(said()).toEqual([
      "180 connections are open and the new plan allows 100: the newest 80 are closed",
      "the server will restart and keep its data, which takes about 1.2 s: databases from 5 to 1",
      "the server restarted in 843 ms and kept its data",
    ]);
  });
});

test("a restart is announced in the preview", async () => {
  const { resource } = await up(handler, program());
  await up(handler, program({ port: 7100 }), resource);
  expect(said()).toEqual(["the server will restart and keep its data: port from 7001 to 7100"]);
});

test("another version is announced with the backup that is taken before", async () => {
  const { resource } = await up(handler, program());
  await up(handler, program({ version: "7.2.4" }), resource);
  expect(said()).toEqual([
    "the server will restart and keep its data: version from 7.0.15 to 7.2.4",
    "a verified backup is taken before it changes its version",
  ]);
});

test.each([
  [{ process: { state: "stopped", why: "it was killed" } } as const, "it was killed"],
  [
    { process: { state: "running", pid: 1 }, unattended: "the agent is not running" } as const,
    "the agent is not running",
  ],
])("an add-on that nobody keeps running is an update, which says why (%#)", async (running, why) => {
  const { resource } = await up(handler, program());
  world.running = running;
  expect((await up(handler, program(), resource)).did).toBe("updated");
  expect(said()).toEqual([expect.stringContaining(why)]);
});

test("a version that can't load the data is refused in the preview", async () => {
  const { resource } = await up(handler, program({ version: "7.4.1" }));
  await expect(up(handler, program({ version: "7.2.4" }), resource)).rejects.toThrow(/keep version 7.4.1/);
});

test("another name replaces, and the preview says what that costs and how to avoid it", async () => {
  const { resource } = await up(handler, program());
  expect((await up(handler, program({ name: "other" }), resource)).replaces).toEqual(["name"]);
  expect(said().join()).toMatch(/new, empty add-on.*final backup.*name: "shop-dev-cache".*aliases/);
});

test("another data home replaces, another spelling of the same one doesn't", async () => {
  const { resource } = await up(handler, program());
  const moved = program({ platform: { kind: "local", dataHome: "/elsewhere" } });
  expect((await up(handler, moved, resource)).replaces).toEqual([]);
  world.home = { id: "home-2", host: "alpha", path: "/elsewhere" };
  expect((await up(handler, moved, resource)).replaces).toEqual(["platform"]);
});

test.each(["diff", "read", "update", "delete"] as const)(
  "%s in another data home touches nothing and says where the add-on lives",
  async (call) => {
    const { resource } = await up(handler, program());
    const { id, outs, inputs } = resource;
    world.home = { id: "home-2-yyyy", host: "beta", path: "/home/me/data" };
    const calls = {
      diff: () => handler.diff(id, outs, inputs),
      read: () => handler.read(id, outs),
      update: () => handler.update(id, outs, inputs),
      delete: () => handler.delete(id, outs),
    };
    const before = JSON.stringify([...world.records]);
    await expect(calls[call]()).rejects.toThrow(
      /it lives on host alpha, data home home-1-x \(\/data\); this is host beta, data home home-2-y \(\/home\/me\/data\)\. .*REDIS_ADDON_HOME.*pulumi state delete/,
    );
    expect(JSON.stringify([...world.records])).toBe(before);
  },
);

test("a refresh finds an add-on gone only where its data home is", async () => {
  const { resource } = await up(handler, program());
  world.records.clear();
  expect(await refresh(handler, resource)).toBeUndefined();
});

test("an add-on that is gone is made again by a plain update, under a new token", async () => {
  const { resource } = await up(handler, program());
  world.records.clear();
  const { did, resource: again } = await up(handler, program(), resource);
  expect(did).toBe("updated");
  expect(again.outs["__instance"]).not.toBe(resource.outs["__instance"]);
  expect(world.records.has(NAME)).toBe(true);
  expect((await up(handler, program(), again)).did).toBe("nothing");
});

test("a forced replacement keeps the add-on that it adopts", async () => {
  const old = (await up(handler, program())).resource;
  const { resource: replacement } = await up(handler, program());
  await handler.delete(old.id, old.outs);
  expect(world.records.has(NAME)).toBe(true);
  expect(said()).toEqual([expect.stringContaining("nothing was deleted")]);
  expect((await up(handler, program(), replacement)).did).toBe("nothing");
});

test("after a replacement that was killed, the old state takes over again", async () => {
  const old = (await up(handler, program())).resource;
  await up(handler, program());
  const { did, resource } = await up(handler, program(), old);
  expect(did).toBe("updated");
  expect((await up(handler, program(), resource)).did).toBe("nothing");
  await handler.delete(resource.id, resource.outs);
  expect(world.records.has(NAME)).toBe(false);
});

test("a state that was overtaken fails in the preview and goes with a refresh", async () => {
  const old = (await up(handler, program())).resource;
  const newer = (await up(handler, program())).resource;
  await up(handler, program({ tier: "premium" }), newer);
  await expect(up(handler, program(), old)).rejects.toThrow(/taken it over.*pulumi refresh/);
  expect(await refresh(handler, old)).toBeUndefined();
});

test("a delete says where the final backup is; a second one is success", async () => {
  const { resource } = await up(handler, program());
  await handler.delete(resource.id, resource.outs);
  await handler.delete(resource.id, resource.outs);
  expect(said()).toEqual([
    `${NAME} is deleted; its final backup: file:///data/backups/final.tar.gz (verified)`,
  ]);
});

test("a create that fails before anything is recorded leaves nothing in the state", async () => {
  world.fault = { when: "before", error: new Error("no server") };
  await expect(up(handler, program())).rejects.toSatisfy((error: object) => !("id" in error));
});

test("a create that fails half-way is recorded with its reason and finished by the next update", async () => {
  world.fault = {
    when: "after",
    error: new Failure({
      code: "x",
      operation: "create",
      subject: NAME,
      cause: "user-password didn't answer",
      hint: "Wait",
    }),
  };
  const checked = await handler.check({}, program());
  const failure = await handler.create({ ...checked.inputs, __provider: "text" }).then(
    () => undefined,
    (error: { id: string; properties: Properties; reasons: string[]; message: string }) => error,
  );
  expect(failure).toMatchObject({
    id: NAME,
    reasons: ["cannot create shop-dev-cache: [secret] didn't answer. Wait"],
  });
  expect(failure?.properties).toMatchObject({
    __provider: "text",
    __phase: "provisioning",
    __instance: "token-1",
  });

  const outs = JSON.parse(JSON.stringify(failure?.properties)) as Properties;
  const half = {
    id: NAME,
    inputs: checked.inputs,
    outs: { ...outs, password: "", redisUrl: "", redisCliUrl: "" },
  };
  // The engine's own mark of the failure is cleared by a refresh; ours isn't.
  const refreshed = await refresh(handler, half);
  const { did, resource } = await up(handler, program(), refreshed);
  expect([did, resource.outs["__phase"]]).toEqual(["updated", "ready"]);
});

test("an update that fails is tried again", async () => {
  const { resource } = await up(handler, program());
  world.fault = { when: "after", error: new Error("it didn't restart") };
  const failure = await up(handler, program({ port: 7100 }), resource).then(
    () => undefined,
    (error: { properties: Properties }) => error.properties,
  );
  expect(failure).toMatchObject({ __phase: "provisioning", __instance: "token-1", port: 7100 });
});

test("the add-on of another project or stack is refused in the preview, naming both and the command", async () => {
  await up(handler, program({ name: "cache" }));
  const other = program(
    { name: "cache" },
    "urn:pulumi:dev::shelf::pulumi-nodejs:dynamic/redis-addon:RedisAddon::c",
  );
  const { failures } = await handler.check({}, other);
  expect(failures).toEqual([
    {
      property: "name",
      reason: expect.stringMatching(
        /shop\/dev, and this is shelf\/dev: .*redis-addon hand-over cache --to shelf\/dev/,
      ),
    },
  ]);
});

test("get reads an add-on that no state holds, again at a refresh, and says so where there is none", async () => {
  await up(handler, program({ name: "cache" }));
  const props = sdkInputs(URN, {}, ["platform", "plan", "port"]);
  const found = await handler.read("cache", props);
  expect([found.id, found.props["port"], found.props["plan"]]).toEqual(["cache", 7001, "s_mono"]);
  expect((await handler.read("cache", inClear(found.props))).id).toBe("cache");
  await expect(handler.read("other", props)).rejects.toThrow(
    "cannot read other: there is no add-on of that name",
  );
});

test("a state that a newer version wrote is refused with the command that updates", async () => {
  const { resource } = await up(handler, program());
  await expect(handler.diff(resource.id, { ...resource.outs, __state: 2 }, resource.inputs)).rejects.toThrow(
    /state version 2, this one knows 1.*npm install pulumi-redis-addon@latest/,
  );
});

test("what a newer version adds to a state is no hindrance", async () => {
  const { resource } = await up(handler, program());
  resource.outs = { ...resource.outs, tls: true, __later: { a: 1 } };
  expect((await up(handler, program(), resource)).did).toBe("nothing");
});

test.each([
  [{ plan: "huge" }, "plan", /no such plan: s_mono/],
  [{ plan: null }, "plan", /choose the plan: s_mono/],
  [{ tier: "gold" }, "tier", /no such tier: standard, premium/],
  [{ port: 70_000 }, "port", /1 to 65535/],
  [{ port: 0.5 }, "port", /whole number/],
  [{ name: "a/b" }, "name", /lower case letters, digits and hyphens/],
  [{ version: "seven" }, "version", /"7.2"/],
  [{ bind: "everywhere" }, "bind", /IP address/],
  [{ evictionpolicy: "x" }, "", /no input `evictionpolicy`; did you mean `evictionPolicy`\?/],
  [{ pasword: "hush-hush" }, "", /no input `pasword`; there are name, plan/],
  [{ platform: { kind: "moon" } }, "", /`platform.kind`: the platforms are: "local"/],
])("the input %j is refused in the preview", async (inputs, property, reason) => {
  const { failures } = await handler.check({}, program(inputs));
  expect(failures).toEqual([{ property, reason: expect.stringMatching(reason) }]);
  expect(JSON.stringify(failures)).not.toContain("hush-hush");
});

test("what the platform finds is told by its property, an object's by its dotted path alone", async () => {
  world.findings = [
    { property: "version", reason: "too old" },
    { property: "platform", reason: "below a file" },
  ];
  const { failures } = await handler.check({}, program());
  expect(failures).toEqual([
    { property: "version", reason: "too old" },
    { property: "", reason: "`platform`: below a file" },
  ]);
});
