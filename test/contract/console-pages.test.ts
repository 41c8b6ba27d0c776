import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import { redisUrl } from "../../provider/core/uri";
import { serveConsole, type RunningConsole } from "../../provider/console/serve";
import { addonProgram } from "../../provider/console/snippets/addon-program";
import { LIBRARIES } from "../../provider/console/snippets/clients";
import { inspect } from "../../provider/operations/inspect";
import { systemClock } from "../../provider/system/clock";
import { redisPys } from "../support/clients-python";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { shownAddon } from "../support/shown-addon";
import { connectUrl } from "../support/stack-user";
import { pathOf } from "../support/tools";
import { make, run } from "./agent-support";

const ROOT = join(import.meta.dirname, "../..");

let home: TestHome;
let cache: AddonRecord;
let console_: RunningConsole;
let cookie: string;

beforeAll(async () => {
  home = await makeTestHome();
  cache = (await make(home, "cache", { labels: { team: "checkout" } })).record;
  await make(home, "copy");
  await run(cache, "SET", "key", "value");
  await follows(home, { name: "copy", leader: "cache" });
  console_ = await serveConsole({
    dataHome: home.path,
    listen: { host: "127.0.0.1", port: 0 },
    clock: systemClock,
    signal: new AbortController().signal,
  });
  const answer = await fetch(console_.loginUrl(), { redirect: "manual" });
  cookie = answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
});
afterAll(async () => {
  await console_?.[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

describe("the console's pages of a real data home", () => {
  it("list what runs in it", async () => {
    const page = await text("/");
    expect(page).toContain("<strong>2 add-ons</strong>");
    expect(page).toMatch(/[\d.]+ [KM]iB of 128 MiB/);
    expect(page).toContain("follower of cache: synced");
    expect(page).toContain(`<span>${home.path}</span>`);
    expect(await text("/?q=checkout")).not.toContain(`href="/addons/copy"`);
  });

  it("show an add-on, and others where there is none of that name", async () => {
    const page = await text("/addons/cache");
    expect(page).toContain(`<code id="port">${cache.server.wish.port}</code>`);
    expect(page).toContain(cache.server.wish.version);
    const answer = await ask("/addons/nothing");
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain(`href="/addons/copy"`);
  });

  it("reveal credentials that work, to who asks for them", async () => {
    const { password } = cache.credentials;
    for (const path of ["/", "/addons/cache"]) expect(await text(path)).not.toContain(password);
    using write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    const answer = await ask("/addons/cache/credentials", {
      method: "POST",
      headers: { origin: console_.origin },
    });
    const page = await answer.text();
    expect(write.mock.calls.join()).toContain("cache: credentials were revealed in the console");
    expect(write.mock.calls.join()).not.toContain(password);
    expect(answer.headers.get("cache-control")).toContain("no-store");
    const url = /<code id="redis-url">([^<]+)</.exec(page)?.[1] ?? "";
    await using client = await connectUrl(url);
    expect(await client.command("GET", "key")).toBe("value");
  });

  it("show an add-on whose record is damaged, and say so on its page", async () => {
    const file = join(home.path, "addons", "cache", "record.json");
    const record = await readFile(file, "utf8");
    try {
      await writeFile(file, "{");
      // The list is of a look some seconds ago.
      const page = await eventually("the list shows it", async () => {
        const seen = await text("/");
        return seen.includes("unreadable") && seen;
      });
      expect(page).toContain("Cannot read the record of cache");
      const answer = await ask("/addons/cache");
      expect(answer.status).toBe(500);
      expect(await answer.text()).toContain("is not a record that this version understands");
    } finally {
      await writeFile(file, record);
    }
  });
});

describe("snippets", () => {
  it.each(LIBRARIES.filter(({ id }) => id !== "go"))(
    "reach an add-on: $title",
    async ({ id, text: code }) => {
      const folder = await mkdtemp(join(tmpdir(), "snippet-"));
      try {
        await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
        const { password } = cache.credentials;
        const { port } = cache.server.wish;
        const env = { ...process.env, REDIS_URL: redisUrl({ host: "127.0.0.1", port, password }) };
        const python = id === "python";
        const file = join(folder, python ? "snippet.py" : "snippet.mjs");
        await writeFile(file, code);
        const [redisPy] = redisPys;
        const command = python && redisPy !== undefined ? pathOf(redisPy) : process.execPath;
        const { stdout } = await promisify(execFile)(command, [file], { env, cwd: folder });
        expect(stdout.trim()).toBe(python ? "True" : "PONG");
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );

  it("declare an add-on so that the program compiles", async () => {
    const here = await inspect(home.platform, "cache", home.task);
    const other = shownAddon(
      { name: "billing" },
      {
        ...{ plan: { memory: "3gb", connections: 200, databases: 4 }, tier: "premium", access: "advanced" },
        ...{ evictionPolicy: "allkeys-lru", version: "valkey-8.1.8", persistence: "always", bind: "0.0.0.0" },
        ...{
          settings: { timeout: "300" },
          labels: { team: `the "new"\\` },
          deletion: { finalBackup: false },
        },
      },
    );
    if (here === undefined) throw new Error("there is no cache");
    const programs = [here, other].map(addonProgram);
    const wrong = addonProgram(other).replace("plan:", "plans:");
    const [first, second, third] = typeErrors([...programs, wrong]);
    expect(first).toEqual([]);
    expect(second).toEqual([]);
    expect(third?.join()).toContain("plans");
  });
});

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { cookie, ...(init.headers as Record<string, string> | undefined) };
  return fetch(`${console_.origin}${path}`, { ...init, headers });
}

async function text(path: string): Promise<string> {
  const answer = await ask(path);
  expect(answer.status).toBe(200);
  return answer.text();
}

/** What the compiler finds wrong with each program that imports the package. */
function typeErrors(programs: readonly string[]): string[][] {
  const files = new Map(programs.map((program, i) => [join(ROOT, "test", `snippet-${i}.ts`), program]));
  const options: ts.CompilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, exactOptionalPropertyTypes: true },
    ...{ target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    paths: { "pulumi-redis-addon": [join(ROOT, "sdk/index.ts")] },
    lib: ["lib.es2024.d.ts", "lib.esnext.disposable.d.ts"],
    types: ["node"],
    typeRoots: [join(ROOT, "node_modules/@types")],
  };
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (file) => files.has(file) || disk.fileExists(file),
    readFile: (file) => files.get(file) ?? disk.readFile(file),
    getSourceFile: (file, ...rest) => {
      const program = files.get(file);
      if (program === undefined) return disk.getSourceFile(file, ...rest);
      return ts.createSourceFile(file, program, ts.ScriptTarget.ES2023);
    },
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files.keys()].map((file) =>
    program
      .getSemanticDiagnostics(program.getSourceFile(file))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")),
  );
}
