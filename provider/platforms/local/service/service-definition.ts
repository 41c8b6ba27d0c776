import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { Failure } from "../../../core/errors";
import { serviceEnvironment } from "../agent-environment";
import { homePath, type HomeLayout } from "../home";
import { launcherPath } from "./launcher";
import { renderLaunchd } from "./render-launchd";
import { renderSystemd } from "./render-systemd";

type ServiceKind = "systemd" | "launchd";

/** A service as it is, or would be, installed. */
export interface ServiceFile {
  readonly kind: ServiceKind;
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

/**
 * The service of a data home's agent on this system. Pure but for what the system is: renders, writes nothing.
 *
 * @throws Failure `no-service-manager` on another system than Linux or macOS, `home-unusable` for a path that no unit holds.
 */
export function serviceOf(
  layout: HomeLayout,
  environment: NodeJS.ProcessEnv = process.env,
  system: NodeJS.Platform = process.platform,
): ServiceFile {
  const { root } = layout;
  if (/\p{Cc}/u.test(root))
    throw new Failure({
      code: "home-unusable",
      operation: "make a service for",
      subject: JSON.stringify(root),
      cause: "its path has a control character, which no service manager's file can hold",
      hint: "Choose another data home with --home or REDIS_ADDON_HOME",
    });
  const name = serviceName(root, environment);
  const spec = { name, root, launcher: launcherPath(layout), environment: serviceEnvironment(environment) };
  switch (system) {
    case "linux":
      return { kind: "systemd", name, path: systemdPath(name, environment), text: renderSystemd(spec) };
    case "darwin":
      return {
        kind: "launchd",
        name,
        path: join(homedir(), "Library", "LaunchAgents", `${name}.plist`),
        text: renderLaunchd(spec),
      };
    default:
      throw new Failure({
        code: "no-service-manager",
        operation: "make a service for",
        subject: root,
        cause: `only systemd and launchd are known, and this system is ${system}`,
        hint: "Have your system run: redis-addon agent start",
      });
  }
}

/** `redis-addon` for the usual data home; others have each a name of their own. */
export function serviceName(root: string, environment: NodeJS.ProcessEnv): string {
  const { REDIS_ADDON_HOME: _, ...usual } = environment;
  if (root === homePath(undefined, usual)) return "redis-addon";
  return `redis-addon-${createHash("sha256").update(root).digest("hex").slice(0, 8)}`;
}

function systemdPath(name: string, environment: NodeJS.ProcessEnv): string {
  const config = environment["XDG_CONFIG_HOME"];
  const base = config !== undefined && isAbsolute(config) ? config : join(homedir(), ".config");
  return join(base, "systemd", "user", `${name}.service`);
}
