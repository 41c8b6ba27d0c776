import type { EngineConnection } from "./engine-connection";

export interface EngineMessage {
  readonly severity: "info" | "warning";
  readonly message: string;
  /** Whose row it is; absent: the stack's. */
  readonly urn: string | undefined;
  readonly ephemeral: boolean;
}

/** Says something on a resource's row. Never fails: a message that can't be delivered must not fail an operation. */
export type EngineLog = (message: EngineMessage) => Promise<void>;

export function engineLog(connect: () => EngineConnection | undefined): EngineLog {
  return async ({ severity, message, urn, ephemeral }) => {
    const connection = connect();
    if (connection === undefined) return;
    const request = new connection.messages.LogRequest();
    const severities = connection.messages.LogSeverity;
    request.setSeverity(severity === "info" ? severities.INFO : severities.WARNING);
    request.setMessage(message);
    request.setUrn(urn ?? "");
    request.setEphemeral(ephemeral);
    await new Promise<void>((resolve) => {
      connection.client.log(request, () => resolve());
    });
  };
}
