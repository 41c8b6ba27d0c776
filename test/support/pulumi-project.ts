import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";
import ts from "typescript";
import { copyAssets } from "./checkout";
import { makeTestHome, type TestHome } from "./data-home";

const ROOT = join(import.meta.dirname, "../..");

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  /** Both streams, as a person sees them. */
  readonly output: string;
}

/** A Pulumi program with engine, backend and data home of its own; disposing it stops and removes everything. */
export interface PulumiProject extends AsyncDisposable {
  readonly folder: string;
  readonly home: TestHome;
  readonly env: Readonly<Record<string, string>>;
  /** Replaces the program, a CommonJS module's text. */
  program(text: string): Promise<void>;
  /** The real command line. */
  pulumi(...args: string[]): Promise<CliResult>;
  /** The real command line, with a part of its environment changed. */
  in(environment: Readonly<Record<string, string>>, ...args: string[]): Promise<CliResult>;
  /** Starts it and leaves it to the test, in a process group of its own. */
  start(...args: string[]): ReturnType<typeof spawn>;
  /** The Automation API's view of the stack `dev`, made where it is missing. */
  stack(name?: string): Promise<Stack>;
}

export async function makePulumiProject(name = "shop"): Promise<PulumiProject> {
  const stack = new AsyncDisposableStack();
  try {
    const root = await mkdtemp(join(tmpdir(), "rap-"));
    stack.defer(() => rm(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
    const home = stack.use(await makeTestHome());
    const folder = join(root, "program");
    const modules = join(folder, "node_modules");
    await mkdir(join(modules, "@pulumi"), { recursive: true });
    await mkdir(join(root, "backend"));
    await buildPackage(join(root, "package"));
    await symlink(join(root, "package"), join(modules, "pulumi-redis-addon"));
    await symlink(join(ROOT, "node_modules", "@pulumi", "pulumi"), join(modules, "@pulumi", "pulumi"));
    await writeFile(join(folder, "package.json"), JSON.stringify({ name, main: "index.js" }));
    await writeFile(
      join(folder, "Pulumi.yaml"),
      `name: ${name}\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n`,
    );

    const env = {
      PULUMI_HOME: join(root, "home"),
      PULUMI_BACKEND_URL: `file://${join(root, "backend")}`,
      PULUMI_CONFIG_PASSPHRASE: "of the test",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      REDIS_ADDON_HOME: home.path,
    };
    const startIn = (changed: Readonly<Record<string, string>>, ...args: string[]) =>
      spawn("pulumi", [...args, "--non-interactive"], {
        cwd: folder,
        env: { ...process.env, ...env, ...changed },
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
      });
    const disposal = stack.move();
    return {
      folder,
      home,
      env,
      start: (...args) => startIn({}, ...args),
      program: (text) => writeFile(join(folder, "index.js"), text),
      pulumi: (...args) => finished(startIn({}, ...args)),
      in: (changed, ...args) => finished(startIn(changed, ...args)),
      stack: (stackName = "dev") =>
        LocalWorkspace.createOrSelectStack(
          { stackName, workDir: folder },
          { envVars: env, pulumiHome: env.PULUMI_HOME },
        ),
      [Symbol.asyncDispose]: () => disposal.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function finished(child: ReturnType<typeof spawn>): Promise<CliResult> {
  let stdout = "";
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    output += chunk.toString();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? -1, stdout, output }));
  });
}

/** The package as it ships, made of today's sources: a test must not depend on whether `dist` is there and up to date. */
async function buildPackage(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await copyFile(join(ROOT, "package.json"), join(folder, "package.json"));
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  await copyAssets(folder);
  await Promise.all(
    globSync(["sdk/**/*.ts", "provider/**/*.ts"], { cwd: ROOT }).map(async (source) => {
      const { outputText } = ts.transpileModule(await readFile(join(ROOT, source), "utf8"), {
        // Whether a file is CommonJS depends on the package.json beside it, which transpiling doesn't look at.
        fileName: source.replace(/\.ts$/, ".cts"),
        compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.NodeNext },
      });
      const target = join(folder, "dist", source.replace(/\.ts$/, ".js"));
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, outputText);
    }),
  );
}
