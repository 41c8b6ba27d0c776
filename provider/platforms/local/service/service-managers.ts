import { Failure } from "../../../core/errors";
import { runTool } from "./run-tool";
import type { ServiceFile } from "./service-definition";

/** What is asked of a user's systemd or launchd; each fails with a Failure that says what it answered. */
export interface ServiceManager {
  /** Fails where this user's manager can't be reached from here. */
  require(signal: AbortSignal): Promise<void>;
  /** From now on the service is started when the user's manager is; its file is written. */
  register(signal: AbortSignal): Promise<void>;
  start(signal: AbortSignal): Promise<void>;
  /** Ends the agent that it runs, where it does, and starts none any more. */
  forget(signal: AbortSignal): Promise<void>;
  /** Its file is gone. */
  forgotten(signal: AbortSignal): Promise<void>;
  /** The process that it runs; 0: none. Absent: it doesn't tell. */
  process(signal: AbortSignal): Promise<number | undefined>;
  /** How a person looks at what became of it. */
  readonly look: string;
}

export function managerOf(file: ServiceFile): ServiceManager {
  return file.kind === "systemd" ? systemd(file) : launchd(file);
}

function systemd({ name }: ServiceFile): ServiceManager {
  const unit = `${name}.service`;
  const ctl = (signal: AbortSignal, ...args: string[]) => ask(unit, "systemctl", ["--user", ...args], signal);
  return {
    require: (signal) => ctl(signal, "show", "--property=Version"),
    register: async (signal) => {
      await ctl(signal, "daemon-reload");
      await ctl(signal, "enable", unit);
    },
    start: (signal) => ctl(signal, "start", unit),
    forget: (signal) => ctl(signal, "disable", "--now", unit),
    forgotten: (signal) => ctl(signal, "daemon-reload"),
    process: async (signal) => {
      const asked = ["--user", "show", "--property=MainPID", unit];
      const answer = await runTool("systemctl", asked, signal);
      const [, pid] = /^MainPID=(\d+)$/m.exec(answer.outcome === "done" ? answer.output : "") ?? [];
      return pid === undefined ? undefined : Number(pid);
    },
    look: `systemctl --user status ${unit}`,
  };
}

function launchd({ name, path }: ServiceFile): ServiceManager {
  const domain = `gui/${process.getuid?.() ?? 0}`;
  const service = `${domain}/${name}`;
  const ctl = (signal: AbortSignal, ...args: string[]) => ask(name, "launchctl", args, signal);
  // One that isn't there can't be taken away.
  const bootOut = async (signal: AbortSignal) =>
    void (await runTool("launchctl", ["bootout", service], signal));
  return {
    require: (signal) => ctl(signal, "print", domain),
    // A file in that folder is all that launchd needs at the next login.
    register: (signal) => ctl(signal, "enable", service),
    start: async (signal) => {
      await bootOut(signal);
      await ctl(signal, "bootstrap", domain, path);
    },
    forget: bootOut,
    forgotten: () => Promise.resolve(),
    process: async (signal) => {
      const answer = await runTool("launchctl", ["print", service], signal);
      if (answer.outcome !== "done") return undefined;
      return Number(/^\s*pid = (\d+)$/m.exec(answer.output)?.[1] ?? 0);
    },
    look: `launchctl print ${service}`,
  };
}

async function ask(
  subject: string,
  program: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const answer = await runTool(program, args, signal);
  if (answer.outcome === "done") return;
  throw new Failure({
    code: "no-service-manager",
    operation: `ask ${program} for`,
    subject,
    cause: answer.absent ? `there is no ${program} here` : `${program} ${args.join(" ")}: ${answer.why}`,
    hint: answer.absent
      ? "Have your system run `redis-addon agent start` when it boots"
      : "Run this as the user whom the data home belongs to, in a login of their own (ssh, or machinectl shell; not su or sudo)",
  });
}
