import fc from "fast-check";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ADMIN_USER, REPLICA_USER } from "../../provider/core/access";
import { liveDefaults, parseSettings, unsupportedSettings } from "../../provider/core/allowed-settings";
import type { AddonRecord } from "../../provider/core/facets";
import { desiredServer, renderServer } from "../../provider/core/render";
import type { SettingKind } from "../../provider/core/setting-kinds";
import { ALLOWED_SETTINGS } from "../../provider/core/setting-table";
import { parseSpelling, type ServerVersion } from "../../provider/core/version";
import { connectRedis, type RedisClient } from "../../provider/redis/client";
import { converge } from "../../provider/redis/converge";
import { following, testRecord, testTask } from "../support/local-addon";
import { matrix } from "../support/matrix";
import { startRedisServer, until } from "../support/redis-server";
import { describeWith } from "../support/tools";

/** Each of the others is too old to run an add-on. */
const supported = matrix.filter(({ name }) => !name.startsWith("Redis 6"));

/** At each bound, and what stands for something else. */
function edges(kind: SettingKind): readonly unknown[] {
  switch (kind.kind) {
    case "switch":
      return [true, false];
    case "number":
      return [kind.least, kind.most, ...(kind.special === undefined ? [] : [kind.special.value])];
    case "memory":
      return [
        kind.leastBytes,
        kind.mostBytes,
        ...(kind.special === undefined ? [] : [kind.special.value]),
        ...(kind.percent === undefined ? [] : [`${kind.percent.least}%`, `${kind.percent.most}%`]),
      ];
    case "keyspace-events":
      return ["KEA", "En", "KEmAn", "K$lshzxetdg", ""];
  }
}

const ROUNDS = Math.max(...ALLOWED_SETTINGS.map(({ kind }) => edges(kind).length));

/** Every setting that this version knows, each at one of its edges. */
function round(index: number, version: ServerVersion): Readonly<Record<string, string>> {
  const given = ALLOWED_SETTINGS.filter(
    ({ name }) => unsupportedSettings({ [name]: "" }, version).length === 0,
  ).map(({ name, kind }) => [name, edges(kind)[index % edges(kind).length]] as const);
  const { settings, problems } = parseSettings(Object.fromEntries(given));
  expect(problems).toEqual([]);
  return settings;
}

function versionOf(name: string): ServerVersion {
  const found = parseSpelling(name.replace(/^Redis /, "").replace(/^Valkey /, "valkey-"));
  if (found === undefined) throw new Error(`${name} is no version`);
  return found;
}

async function ownFolder() {
  const path = await mkdtemp(join(tmpdir(), "settings-matrix-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A server launched from the files of such a record, and its administrator. */
async function launched(executable: string, record: AddonRecord, folder?: string) {
  await using stack = new AsyncDisposableStack();
  const dir = folder ?? stack.use(await ownFolder()).path;
  const aclFile = join(dir, "users.acl");
  const { conf, acl } = renderServer({ record, leader: undefined, dataDir: dir, aclFile });
  await writeFile(join(dir, "redis.conf"), conf);
  await writeFile(aclFile, acl);
  const server = stack.use(await startRedisServer({ executable, dir, config: "redis.conf" }));
  const address = { host: server.host, port: server.port, username: ADMIN_USER };
  const password = record.credentials.adminPassword;
  const client = stack.use(await connectRedis({ ...address, password }, testTask()));
  const kept = stack.move();
  return { client, port: server.port, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function found(client: RedisClient, names: readonly string[]): Promise<Record<string, string>> {
  return Object.fromEntries(await client.config(...names));
}

const everyName = ALLOWED_SETTINGS.map(({ name }) => name);
const restarting = ALLOWED_SETTINGS.filter(({ apply }) => apply === "restart");
const isLive = (name: string) => ALLOWED_SETTINGS.some((each) => each.name === name && each.apply === "live");

for (const { name, path, ...tool } of supported)
  describeWith([{ name, path, ...tool }], name, () => {
    const version = versionOf(name);
    const unknown = everyName.filter((each) => unsupportedSettings({ [each]: "" }, version).length > 0);
    const wishing = (settings: Readonly<Record<string, string>>) =>
      testRecord({ version: version.spelling, settings });
    const convergeTo = async (client: RedisClient, record: AddonRecord) =>
      (await converge(client, desiredServer(record, undefined), testTask())).changes;

    it("has the defaults of the table, and knows exactly what the table says it knows", async () => {
      await using server = await startRedisServer({ executable: path });
      await using client = await connectRedis(
        { host: server.host, port: server.port, password: "" },
        testTask(),
      );
      const answered = await found(client, everyName);
      expect(Object.keys(answered).sort()).toEqual(
        everyName.filter((each) => !unknown.includes(each)).sort(),
      );
      expect(answered).toEqual({
        ...Object.fromEntries(liveDefaults(version)),
        ...Object.fromEntries(restarting.map((each) => [each.name, each.default])),
      });
    });

    it("starts with every setting at each of its edges, answers our spelling, and needs no change then", async () => {
      for (let index = 0; index < ROUNDS; index++) {
        const settings = round(index, version);
        await using server = await launched(path, wishing(settings));
        expect(await found(server.client, Object.keys(settings))).toEqual(settings);
        expect(await convergeTo(server.client, wishing(settings))).toEqual([]);
      }
    });

    it("takes every live setting at each of its edges while it runs, and returns to its defaults", async () => {
      await using server = await launched(path, wishing({}));
      const { client } = server;
      const session = await client.command("CLIENT", "ID");
      const untouched = await found(client, everyName);
      for (let index = 0; index < ROUNDS; index++) {
        const all = Object.entries(round(index, version));
        const settings = Object.fromEntries(all.filter(([each]) => isLive(each)));
        const changes = await convergeTo(client, wishing(settings));
        expect(changes.length).toBeGreaterThan(0);
        expect(await found(client, Object.keys(settings))).toEqual(settings);
        expect(await convergeTo(client, wishing(settings))).toEqual([]);
      }
      expect((await convergeTo(client, wishing({}))).length).toBeGreaterThan(0);
      expect(await found(client, everyName)).toEqual(untouched);
      expect(await convergeTo(client, wishing({}))).toEqual([]);
      expect(await client.command("CLIENT", "ID")).toBe(session);
    });

    it("answers each combination of keyspace events as we spell it", async () => {
      await using server = await startRedisServer({ executable: path });
      await using client = await connectRedis(
        { host: server.host, port: server.port, password: "" },
        testTask(),
      );
      const event = "notify-keyspace-events";
      await fc.assert(
        fc.asyncProperty(fc.subarray(Array.from("AKEg$lshzxetdmn")), async (characters) => {
          const given = characters.join("");
          const { settings, problems } = parseSettings({ [event]: given });
          if (problems.length > 0) return;
          await client.command("CONFIG", "SET", event, given);
          const answered = await found(client, [event]);
          const hidesNew = given.includes("n") && answered[event]?.startsWith("A");
          if (hidesNew !== true) expect(answered).toEqual(settings);
          await client.command("CONFIG", "SET", event, settings[event] ?? "");
          expect(await found(client, [event])).toEqual(settings);
        }),
        { numRuns: 200 },
      );
    });

    it("publishes new keys beside all other events, which no server tells in its answer", async () => {
      await using server = await startRedisServer({ executable: path });
      const event = "notify-keyspace-events";
      await server.client.config("SET", event, parseSettings({ [event]: "AnE" }).settings[event] ?? "");
      const listener = server.connect();
      const heard: string[] = [];
      listener.on("pmessage", (_, channel: string) => heard.push(channel.replace("__keyevent@0__:", "")));
      await listener.psubscribe("__keyevent@0__:*");
      await server.client.set("key", "value");
      await until("both events", () => heard.length === 2);
      expect(heard.sort()).toEqual(["new", "set"]);
    });

    // Valkey 9 takes io-threads while it runs; it is restarted for it all the same.
    it.runIf(version.flavor === "redis").each(restarting)(
      "refuses to take $name while it runs",
      async ({ name: each, kind }) => {
        await using server = await startRedisServer({ executable: path });
        await expect(server.client.config("SET", each, String(edges(kind)[1]))).rejects.toThrow(/immutable/);
      },
    );

    it("keeps a value that is larger than a limit chosen later, over a restart and in a follower", async () => {
      await using folder = await ownFolder();
      const value = "x".repeat(3 * 1024 ** 2);
      {
        await using before = await launched(path, wishing({}), folder.path);
        await before.client.command("SET", "large", value);
      }
      const { settings } = parseSettings({ "proto-max-bulk-len": "1mb", "client-query-buffer-limit": "1mb" });
      await using server = await launched(path, wishing(settings), folder.path);
      expect(await server.client.command("STRLEN", "large")).toBe(value.length);
      await using leader = await launched(path, wishing({}));
      const address = {
        host: "127.0.0.1",
        port: leader.port,
        username: REPLICA_USER,
        password: testRecord().credentials.replicaPassword,
      };
      await converge(server.client, desiredServer(following(wishing(settings)), address), testTask());
      const linked = async () => (await server.client.info()).get("master_link_status");
      await until("the follower's link", async () => (await linked()) === "up");
      // Over the link, after the snapshot.
      await leader.client.command("SET", "larger", value + value);
      expect(await leader.client.command("WAIT", 1, 20_000)).toBe(1);
      expect(await server.client.command("STRLEN", "larger")).toBe(2 * value.length);
    });

    it.runIf(unknown.length > 0).each(unknown)(
      "refuses to start with %s, which is why such a wish is refused before",
      async (each) => {
        const kind = ALLOWED_SETTINGS.find((setting) => setting.name === each)?.kind;
        const settings = { [each]: String(kind === undefined ? "" : edges(kind)[0]) };
        await expect(launched(path, wishing(settings))).rejects.toThrow(/Bad directive/);
      },
    );
  });
