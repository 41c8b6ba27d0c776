import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileProgram } from "../support/compiled-program";
import { until } from "../support/redis-server";

/** Arguments of a server that sends its snapshot at once, instead of waiting 5 s for other replicas to ask as well. */
export const AT_ONCE = ["--repl-diskless-sync-delay", "0"];

interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line while it runs. */
export interface CliRun {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Everything that was printed so far. */
  output(): string;
  /** Resolves once this was printed. */
  printed(text: string): Promise<void>;
  readonly result: Promise<CliResult>;
}

interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
}

/** The compiled command line, with a data home of its own that nobody has used. */
export interface Cli extends AsyncDisposable {
  readonly home: string;
  run(args: readonly string[], options?: CliOptions): Promise<CliResult>;
  start(args: readonly string[], options?: CliOptions): CliRun;
  /** In a terminal of its own; what is typed goes to `child.stdin`. */
  startInTerminal(args: readonly string[], options?: CliOptions): CliRun;
}

/** Runs a command in a pseudo-terminal, and ends with its exit code. */
const PTY = "import os,pty,sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

export async function makeCli(): Promise<Cli> {
  const program = await compileProgram();
  // The local platform looks for the package that it is a part of.
  await symlink(join(import.meta.dirname, "../../package.json"), program.path("package.json"));
  const folder = await mkdtemp(join(tmpdir(), "cli-"));
  // Not made: a command that needs no data home must not make one.
  const home = join(folder, "data-home");
  const entry = program.path("provider/cli/main.ts");
  const launch = (command: readonly string[], { env = {} }: CliOptions = {}): CliRun => {
    const [file = "", ...args] = command;
    const child = spawn(file, args, {
      // Nothing of this process's environment that could answer in a secret's place.
      env: { PATH: process.env["PATH"] ?? "", HOME: folder, TERM: "xterm", REDIS_ADDON_HOME: home, ...env },
      cwd: folder,
      stdio: "pipe",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const killWithUs = () => child.kill("SIGKILL");
    process.once("exit", killWithUs);
    const result = once(child, "close").then(([code]: (number | null)[]) => {
      process.removeListener("exit", killWithUs);
      return { code: code ?? null, stdout, stderr };
    });
    const output = () => stdout + stderr;
    return {
      child,
      pid: child.pid ?? 0,
      output,
      printed: (text) =>
        until(`the command to print ${text}`, () => {
          if (output().includes(text)) return true;
          if (child.exitCode === null) return false;
          throw new Error(`it ended without printing ${text}:\n${output()}`);
        }),
      result,
    };
  };
  const start = (args: readonly string[], options?: CliOptions) => {
    const run = launch([process.execPath, entry, ...args], options);
    run.child.stdin?.end();
    return run;
  };
  return {
    home,
    start,
    run: (args, options) => start(args, options).result,
    startInTerminal: (args, options) =>
      launch(["python3", "-c", PTY, process.execPath, entry, ...args], options),
    [Symbol.asyncDispose]: async () => {
      await program[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
