import { NOBODY } from "../../../core/render";
import { Failure } from "../../../core/errors";
import type { RedisClient } from "../../../redis/client";

/** Users' writes on one server, taken away until it is converged to a record again. */
interface RefusedWrites {
  /** From here on the server is nobody's leader: its data stay as they are, whatever users' rights become. */
  standStill(): Promise<void>;
}

/**
 * Takes every command that writes away from users, within scripts and open transactions too; they go on reading. In
 * memory alone: placing the server by its record gives the rights back, and so does the server's own restart.
 */
export async function refuseWrites(server: RedisClient, operation = "follow with"): Promise<RefusedWrites> {
  await server.command("ACL", "SETUSER", "default", "-@write");
  const mark = await markOf(server);
  return {
    async standStill() {
      await server.command("REPLICAOF", NOBODY.host, NOBODY.port);
      // Whoever had given the rights back in between would have made them those of the record again.
      if ((await markOf(server)) === mark) return;
      throw new Failure({
        code: "written-meanwhile",
        operation,
        subject: server.subject,
        cause: "its server was placed anew while its data were looked at, so users may have written since",
        hint: "Run it again: nothing was replaced",
        transient: true,
      });
    },
  };
}

async function markOf(server: RedisClient): Promise<string> {
  const rights = JSON.stringify(await server.command("ACL", "GETUSER", "default"));
  return `${(await server.info()).get("run_id")} ${rights}`;
}
