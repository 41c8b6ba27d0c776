import { backUpAny } from "../../provider/operations/backup-any";
import { openPlatform } from "../../provider/operations/open-platform";
import { resolveRestore, type ResolvedRestore } from "../../provider/operations/restore/restore-source";
import { digest, task, temporaryFolder, temporaryStore } from "../contract/backup-support";
import { startRedisServer, type RedisServer } from "./redis-server";

/** What lets a test ask for DEBUG DIGEST; Redis 6.2 knows no such setting, and lets everybody. */
export function debugArgs(version = ""): string[] {
  return version.startsWith("Redis 6.2") ? [] : ["--enable-debug-command", "yes"];
}

/** A backup of a server that held a little of everything, in a store of its own. */
export interface BackedUpSource extends AsyncDisposable {
  readonly url: string;
  /** Its catalog in the store. */
  readonly name: string;
  readonly digest: string;
  readonly home: string;
  readonly backup: ResolvedRestore;
}

/** `version`: the server's name in the matrix, with its path. */
export async function backedUpSource(
  { name: version, path }: { readonly name: string; readonly path?: string | undefined } = { name: "" },
  fill: (source: RedisServer) => Promise<unknown> = fillALittle,
): Promise<BackedUpSource> {
  const store = await temporaryStore();
  const home = await temporaryFolder();
  await using source = await startRedisServer({
    // Redis 6.2 writes its snapshots to its disk unless it is told otherwise.
    args: [...debugArgs(version), "--repl-diskless-sync", "yes"],
    ...(path === undefined ? {} : { executable: path }),
  });
  await fill(source);
  if (!version.startsWith("Redis 6.2"))
    await source.client.call(
      "FUNCTION",
      "LOAD",
      "#!lua name=lib\nredis.register_function('one', function() return 1 end)",
    );
  const content = await digest(source.client);
  const [name, dataHome] = ["source", home.path];
  const { host, port } = source;
  const from = { host, port };
  await backUpAny({ source: from, destination: store.url, name, verify: true, dataHome }, task());
  const platform = await openPlatform({ kind: "local", dataHome });
  const origin = { url: `${store.url}/${name}`, backup: "latest" };
  return {
    url: store.url,
    name,
    digest: content,
    home: home.path,
    backup: await resolveRestore(platform, origin, {}, task()),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}

async function fillALittle(source: RedisServer): Promise<void> {
  const batch = source.client.pipeline();
  for (let i = 0; i < 2000; i++) batch.set(`key:${i}`, `${i}`.repeat(20));
  batch.hset("hash", { a: 1, b: 2 }).zadd("sorted", 1, "one").xadd("stream", "*", "field", "value");
  batch.set("later", "gone", "EX", 100_000);
  await batch.exec();
  await source.connect({ db: 3 }).set("far", "away");
}
