import { spawn } from "node:child_process";
import { once } from "node:events";
import { setPriority } from "node:os";
import { join } from "node:path";
import { FromConsoleSchema, type ToConsole } from "../../core/console-channel";
import { hostAndPortText, type HostAndPort } from "../../core/host-and-port";
import type { Clock } from "../../core/task";
import type { HomeLayout } from "../../platforms/local/home";
import { DAEMON_FLAGS } from "../../system/daemon-flags";
import { identify, signalProcess, type ProcessIdentity } from "../../system/processes";

const CONSOLE_ENTRY = join(__dirname, "..", "..", "console", "main.js");
/** Behind the servers on this machine, and not so far that pages are slow. */
const NICE = 5;
/** How long it may take to end what it does for those who look at it. */
const LEAVE_LIMIT_MS = 1_000;

/** A console that runs, in a process of its own: what serves pages to people must not keep databases waiting. */
export interface ConsoleProcess {
  readonly identity: ProcessIdentity;
  /** Resolves once it answers; rejects where it ends before. */
  readonly origin: Promise<string>;
  /** Resolves to how it ended, a clause for the log. */
  readonly ended: Promise<string>;
  /** An address that logs in whoever opens it first. Never resolves where the process ends meanwhile. */
  login(): Promise<string>;
  /** Ends it; returns once it is gone. */
  end(): Promise<void>;
}

/** `onUse` is called now and then while somebody who has logged in looks at it. */
export async function startConsole(
  layout: HomeLayout,
  listen: HostAndPort,
  clock: Clock,
  onUse: () => void,
): Promise<ConsoleProcess> {
  const child = spawn(
    process.execPath,
    [...DAEMON_FLAGS, CONSOLE_ENTRY, "--home", layout.root, "--listen", hostAndPortText(listen)],
    // Its words go to the agent's log.
    { stdio: ["ignore", "inherit", "inherit", "ipc"], cwd: layout.root },
  );
  const ended = once(child, "exit").then(([code, signal]: (number | string | null)[]) =>
    typeof signal === "string" ? `it was ended by ${signal}` : `it ended with exit code ${code}`,
  );
  await once(child, "spawn");
  setPriority(child.pid ?? 0, NICE);
  // To a process that ends at this moment nothing can be sent any more; its end says so.
  child.on("error", () => undefined);
  const identity = (await identify(child.pid ?? 0)) ?? { pid: child.pid ?? 0, startedAt: "ended" };

  const listening = Promise.withResolvers<string>();
  const logins = new Map<number, (url: string) => void>();
  child.on("message", (message) => {
    const told = FromConsoleSchema.parse(message);
    if (told.kind === "listening") listening.resolve(told.origin);
    else if (told.kind === "failed") listening.reject(new Error(told.why));
    else if (told.kind === "used") onUse();
    else logins.get(told.call)?.(told.url);
  });
  void ended.then((how) => listening.reject(new Error(how)));
  // Whoever waits for neither is not told.
  listening.promise.catch(() => undefined);

  let calls = 0;
  return {
    identity,
    origin: listening.promise,
    ended,
    login: () => {
      const call = ++calls;
      const answered = Promise.withResolvers<string>();
      logins.set(call, (url) => {
        logins.delete(call);
        answered.resolve(url);
      });
      child.send({ kind: "login", call } satisfies ToConsole, () => undefined);
      return answered.promise;
    },
    end: async () => {
      // It takes this for the agent's end.
      if (child.connected) child.disconnect();
      await Promise.race([ended, clock.sleep(LEAVE_LIMIT_MS)]);
      await signalProcess(identity, "SIGKILL");
      await ended;
    },
  };
}
