import { Failure } from "../../core/errors";
import { refusal, type Finding } from "../preflight/finding";
import type { RedisClient } from "../client";

/** Whether a user may run a command: `no-right`: its rules forbid it; `no-command`: nobody may, it has been taken away. */
type Right = "yes" | "no-right" | "no-command";

/** Runs a command that changes nothing, and tells whether it may be run at all; any other refusal is a yes. */
export async function rightTo(client: RedisClient, name: string, ...args: string[]): Promise<Right> {
  try {
    await client.command(name, ...args);
    return "yes";
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code === "not-permitted") return "no-right";
    if (error.code !== "redis-error") throw error;
    return /unknown (?:sub)?command/i.test(error.cause) ? "no-command" : "yes";
  }
}

const INSTEAD =
  "Restore it into a folder instead (--folder <path>), start a server there and load that into the service by its own import";

/** What a restore over replication needs, and the user lacks; each thing is tried in a form that changes nothing. */
export async function lackingRights(client: RedisClient): Promise<readonly Finding[]> {
  const config = await rightTo(client, "CONFIG", "GET", "masteruser");
  const needed: readonly (readonly [command: string, rule: string, right: Right])[] = [
    // A port that is no number: it is refused after the rights were looked at, and before anything is done.
    ["REPLICAOF", "+replicaof", await rightTo(client, "REPLICAOF", "127.0.0.1", "none")],
    ["CONFIG GET", "+config|get", config],
    ["CONFIG SET", "+config|set", config === "yes" ? await mayConfigure(client) : config],
  ];
  return needed.flatMap(([command, rule, right]) => {
    if (right === "yes") return [];
    if (right === "no-right")
      return [
        refusal(
          "not-permitted",
          `its user may not run ${command}`,
          `Allow it (ACL SETUSER <user> ${rule}), or give another user. ${INSTEAD}`,
        ),
      ];
    return [
      refusal(
        "command-disabled",
        `it knows no ${command}: whoever runs it has switched that off, as managed services do`,
        INSTEAD,
      ),
    ];
  });
}

/** Sets what is set already. */
async function mayConfigure(client: RedisClient): Promise<Right> {
  const current = (await client.config("masteruser")).get("masteruser") ?? "";
  return rightTo(client, "CONFIG", "SET", "masteruser", current);
}
