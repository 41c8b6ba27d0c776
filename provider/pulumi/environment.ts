import { randomUUID } from "node:crypto";
import { Failure } from "../core/errors";
import type { Clock } from "../core/task";
import { connectEngine, type EngineConnection } from "./engine-connection";
import { engineLog } from "./engine-log";
import { Activity, watchEngine } from "./engine-watch";
import { openRow, type Row } from "./row";

/** What the handlers of one provider process share. */
export interface ProviderEnvironment {
  readonly clock: Clock;
  readonly activity: Activity;
  row(urn: string | undefined): Row;
  newToken(): string;
}

/** The environment of a real provider process: its engine's rows, and its end when the engine is gone. */
export function engineEnvironment(clock: Clock): ProviderEnvironment {
  const activity = new Activity();
  let connection: EngineConnection | undefined;
  let tried = false;
  const connect = () => {
    if (tried) return connection;
    tried = true;
    connection = connectEngine();
    if (connection !== undefined) watchEngine(connection, clock, leave);
    return connection;
  };
  const leave = () => {
    const gone = new Failure({
      code: "engine-gone",
      operation: "go on with",
      subject: "the update",
      cause: "the Pulumi engine has disappeared",
      hint: "Run `pulumi up` again: what was begun is taken up",
      transient: true,
    });
    void activity.end(gone, clock).then(() => process.exit(1));
  };
  return {
    clock,
    activity,
    row: (urn) => {
      connect();
      return openRow(engineLog(connect), clock, urn);
    },
    newToken: randomUUID,
  };
}
