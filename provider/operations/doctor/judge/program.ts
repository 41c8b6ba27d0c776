import { forShell } from "../../../core/for-shell";
import { type Check, notApplicable, ok, problem, warning } from "../check";
import { type OurCommand, ourCommand } from "../our-command";

/** As package.json's `engines` says. */
const OLDEST_NODE = { major: 22, minor: 13 };

export function judgeNode(version: string): Check {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  const isOld = major < OLDEST_NODE.major || (major === OLDEST_NODE.major && minor < OLDEST_NODE.minor);
  if (!isOld) return ok("node", version);
  return problem("node", version, {
    why: `the agent and the provider need ${OLDEST_NODE.major}.${OLDEST_NODE.minor} or newer`,
    remedy: "install a newer Node.js from https://nodejs.org",
  });
}

export interface SeenAgent {
  /** This build. */
  readonly mine: string;
  readonly addons: number;
  readonly home: string;
  readonly agent:
    | { readonly state: "none" }
    | { readonly state: "silent"; readonly why: string }
    /** `order`: of its version and this one's; negative where the agent is older. */
    | { readonly state: "runs"; readonly pid: number; readonly program: string; readonly order: number };
}

export function judgeAgent({ mine, addons, home, agent }: SeenAgent): Check {
  const command = ourCommand(home)("agent start");
  switch (agent.state) {
    case "none":
      if (addons === 0) return ok("agent", "none runs, and none is needed without add-ons");
      return problem("agent", `none runs for ${counted(addons)}`, {
        why: "nothing restarts a server that ends, and no backups are taken",
        remedy: command,
      });
    case "silent":
      return problem("agent", `it does not answer: ${agent.why}`, {
        why: "changes wait for it, and backups may not be taken",
        remedy: `read ${forShell(`${home}/agent.log`)}`,
      });
    case "runs":
      return judgeBuild(mine, agent, command);
  }
}

function judgeBuild(
  mine: string,
  { pid, program, order }: Extract<SeenAgent["agent"], { state: "runs" }>,
  command: string,
): Check {
  if (program === mine) return ok("agent", `process ${pid}, of this build ${mine}`);
  const seen = `process ${pid} of the build ${program}, and this is ${mine}`;
  if (order > 0) return ok("agent", `${seen}: it is newer`);
  return warning("agent", seen, {
    why: "the next change by this build replaces it; until then servers are looked after as the other build does",
    remedy: command,
  });
}

export interface SeenService {
  readonly command: OurCommand;
  readonly addons: number;
  /** Why there can't be one here; absent: there can. */
  readonly impossible?: string;
  readonly installed: boolean;
  readonly name: string;
  /** Absent: nobody tells, or it makes no difference here. */
  readonly lingering?: boolean;
  /** Whether the agent that runs is its; absent: none runs, or nobody tells. */
  readonly runsIt?: boolean;
}

export function judgeService(seen: SeenService): Check {
  const { command, addons, impossible, installed, name, lingering, runsIt } = seen;
  if (installed && lingering === false)
    return warning("service", `${name} is installed, and lingering is off for this user`, {
      why: "the agent starts at the first login instead of at boot, and the last logout ends it and its servers",
      remedy: "loginctl enable-linger",
    });
  if (installed && runsIt === false)
    return warning(
      "service",
      `${name} is installed, and the agent was started without it, by a command or pulumi up`,
      {
        why: "where that agent crashes, nothing starts it again before the next command or boot",
        remedy: command("agent install-service"),
      },
    );
  if (installed) return ok("service", `${name} is installed`);
  if (impossible !== undefined)
    return notApplicable("service", `none can be installed from here: ${impossible}`);
  if (addons === 0) return ok("service", "none is installed, and none is needed without add-ons");
  return warning("service", "none is installed", {
    why: "after a boot add-ons are down until the next pulumi up or redis-addon agent start",
    remedy: command("agent install-service"),
  });
}

export function counted(addons: number): string {
  return `${addons} add-on${addons === 1 ? "" : "s"}`;
}
