import { createRequire } from "node:module";
import type { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import type { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

/** The way back to the engine that runs this provider process. */
export interface EngineConnection {
  readonly client: EngineClient;
  readonly messages: { readonly LogRequest: typeof LogRequest; readonly LogSeverity: typeof LogSeverity };
  /** The channel's state that says it is connected. */
  readonly ready: number;
}

interface Grpc {
  readonly credentials: { createInsecure(): ConstructorParameters<typeof EngineClient>[1] };
  readonly connectivityState: { readonly READY: number };
}

/**
 * Connects to the engine whose address is the process's last argument; absent outside of a provider process.
 *
 * It takes the modules of the running process's own copy of the Pulumi SDK: they are loaded already, while another
 * copy (ours, where the package is linked) would cost a tenth of a second.
 */
export function connectEngine(argv: readonly string[] = process.argv): EngineConnection | undefined {
  const script = argv[1];
  const address = argv.at(-1);
  if (script === undefined || address === undefined || !/^[^/\s]+:\d+$/.test(address)) return undefined;
  try {
    const load = createRequire(script);
    const grpc = load("@grpc/grpc-js") as Grpc;
    const service = load("@pulumi/pulumi/proto/engine_grpc_pb") as { EngineClient: typeof EngineClient };
    const messages = load("@pulumi/pulumi/proto/engine_pb") as EngineConnection["messages"];
    const client = new service.EngineClient(address, grpc.credentials.createInsecure());
    return { client, messages, ready: grpc.connectivityState.READY };
  } catch {
    // Another layout of the SDK: an update without live messages is better than none.
    return undefined;
  }
}
