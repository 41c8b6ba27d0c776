import { rm } from "node:fs/promises";
import type { ConsoleSetting } from "../../core/console-setting";
import { asFailure, Failure } from "../../core/errors";
import type { HomeIdentity } from "../../core/status";
import type { Clock, Task } from "../../core/task";
import type { ConsoleNote } from "../../platforms/local/console-note";
import type { HomeLayout } from "../../platforms/local/home";
import { writeDurably } from "../../system/files";
import { log } from "../log";
import { consolePort } from "./console-port";
import { startConsole, type ConsoleProcess } from "./console-process";

const HOST = "127.0.0.1";
/** An agent is often started by the creation of the first add-on, which should have the machine for itself. */
const START_AFTER_MS = 5_000;
const LONGEST_BUSY_MS = 60_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** One that served for so long has ended for a new reason. */
const SETTLED_AFTER_MS = 60_000;
const LOGIN_DEADLINE_MS = 20_000;
const POLL_MS = 20;

interface Surroundings {
  readonly layout: HomeLayout;
  readonly identity: HomeIdentity;
  readonly setting: ConsoleSetting;
  readonly clock: Clock;
  /** Resolves once the agent does nothing for anybody, or after that time. */
  readonly settled: (deadlineMs: number) => Promise<void>;
  /** Called now and then while somebody looks at the console. */
  readonly onUse: () => void;
}

/** Keeps the console running as long as the agent runs. */
export class ConsoleKeeper {
  #console: ConsoleProcess | undefined;
  #starts = 0;
  #failure: Failure | undefined;
  /** Aborted by whoever wants to look at it now, until it is started for him. */
  #asked = new AbortController();

  constructor(readonly around: Surroundings) {}

  /** Starts it where it doesn't run. Resolves to an address that logs in whoever opens it first, within ten minutes. */
  async login(task: Task): Promise<string> {
    this.#requireServed();
    const before = this.#starts;
    const end = task.clock.now() + LOGIN_DEADLINE_MS;
    this.#asked.abort();
    while (task.clock.now() < end) {
      const running = this.#console;
      if (running !== undefined) {
        const gone = running.ended.then(() => undefined);
        const late = task.clock.sleep(end - task.clock.now(), task.signal).then(() => undefined);
        const url = await Promise.race([running.login(), gone, late]);
        if (url !== undefined) return url;
        if (task.clock.now() >= end) {
          // One that hangs is as good as one that crashed.
          void running.end();
          break;
        }
      }
      // Of an attempt that began after this call.
      if (this.#failure !== undefined && this.#starts > before) throw this.#failure;
      await task.clock.sleep(POLL_MS, task.signal);
    }
    throw notServed(this.around.layout, `it did not answer within ${LOGIN_DEADLINE_MS / 1000} s`);
  }

  /** Goes on until the signal, and ends it then. */
  async run(signal: AbortSignal): Promise<void> {
    const { setting, clock, settled } = this.around;
    if (setting.kind === "unusable") log(`console: ${setting.why}`);
    if (setting.kind === "off" || setting.kind === "unusable") return;
    await this.#pause(START_AFTER_MS, signal);
    await Promise.race([settled(LONGEST_BUSY_MS), aborted(AbortSignal.any([this.#asked.signal, signal]))]);
    let said = "";
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      const startedAt = clock.now();
      const how = await this.#serve(signal);
      if (signal.aborted) return;
      const hadSettled = clock.now() - startedAt >= SETTLED_AFTER_MS;
      if (hadSettled) pauseMs = FIRST_PAUSE_MS;
      // What lasts, such as a port that somebody else has, is said once.
      if (hadSettled || how !== said) log(`console: ${how}; it is started again in ${pauseMs / 1000} s`);
      said = how;
      await this.#pause(pauseMs, signal);
    }
  }

  /** Serves until it ends by itself, or by the signal; returns how it ended. */
  async #serve(signal: AbortSignal): Promise<string> {
    const { layout, identity, setting, clock, onUse } = this.around;
    this.#starts += 1;
    this.#failure = undefined;
    this.#asked = new AbortController();
    let running: ConsoleProcess | undefined;
    try {
      const usual = async () => ({ host: HOST, port: await consolePort(layout, identity.id, HOST) });
      const listen = setting.kind === "at" ? setting.listen : await usual();
      running = await startConsole(layout, listen, clock, onUse);
      const { ended } = running;
      const told = aborted(signal).then(() => undefined);
      const origin = await Promise.race([running.origin, told]);
      if (origin === undefined) return "it was told to end";
      const note: ConsoleNote = { origin, ...running.identity };
      await writeDurably(layout.console, JSON.stringify(note), 0o600);
      this.#console = running;
      return (await Promise.race([ended, told])) ?? "it was told to end";
    } catch (error) {
      this.#failure = notServed(layout, asFailure(error, "serve", "the console").cause);
      return this.#failure.cause;
    } finally {
      this.#console = undefined;
      await running?.end();
      for (const file of [layout.console, layout.consoleLogin]) await rm(file, { force: true });
    }
  }

  /** Cut short by whoever wants to look at the console now. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const cut = AbortSignal.any([this.#asked.signal, signal]);
    await this.around.clock.sleep(ms, cut).catch(() => undefined);
  }

  #requireServed(): void {
    const { layout, setting } = this.around;
    if (setting.kind === "off")
      throw notServed(layout, "REDIS_ADDON_CONSOLE=off was said where the agent was started");
    if (setting.kind === "unusable") throw notServed(layout, setting.why);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}

function notServed({ root, agentLog }: HomeLayout, cause: string): Failure {
  return new Failure({
    code: "console-not-served",
    operation: "open the console of",
    subject: root,
    cause,
    hint: `Serve one from here: redis-addon console --listen 127.0.0.1:0; the agent's log is ${agentLog}`,
  });
}
