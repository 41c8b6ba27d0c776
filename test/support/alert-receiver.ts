import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type BackupAlert, BackupAlertSchema } from "../../provider/core/backup-alerts";
import { freePort } from "./redis-server";

/** A part of the path, as chat services put it there. */
export const TOKEN = "T0K3N-that-nobody-may-log";

interface Received {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly alert: BackupAlert;
}

/** What receives alerts, over real HTTP. */
export interface AlertReceiver extends AsyncDisposable {
  readonly url: string;
  readonly origin: string;
  /** Everything that was posted, also what was answered with an error. */
  readonly received: Received[];
  readonly events: readonly string[];
  /** Of those that were answered with 200. */
  readonly arrived: readonly string[];
  /** How it answers from now on; by default with 200. `hang`: never. */
  answer: number | "hang" | ((response: ServerResponse) => void);
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startAlertReceiver(): Promise<AlertReceiver> {
  const port = await freePort();
  const received: Received[] = [];
  const arrived: string[] = [];
  const server = createServer((request, response) => {
    void answer(request, response);
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const alert = BackupAlertSchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
    received.push({ path: request.url ?? "", headers: request.headers, alert });
    const how = receiver.answer;
    if (how === 200) arrived.push(alert.event);
    if (how === "hang") return;
    if (typeof how === "number") response.writeHead(how).end("thanks");
    else how(response);
  }
  const receiver: AlertReceiver = {
    url: `http://127.0.0.1:${port}/services/${TOKEN}?key=${TOKEN}`,
    origin: `http://127.0.0.1:${port}`,
    ...{ received, arrived },
    get events() {
      return received.map(({ alert }) => alert.event);
    },
    answer: 200,
    start: async () => {
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    },
    stop: async () => {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
    [Symbol.asyncDispose]: () => receiver.stop(),
  };
  await receiver.start();
  return receiver;
}
