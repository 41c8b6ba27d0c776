import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { HostAndPort } from "../core/host-and-port";
import type { Clock } from "../core/task";
import { openPlatform } from "../operations/open-platform";
import { activities } from "./activities/activities";
import { consoleApp } from "./app";
import { assets } from "./static-files";
import type { ConsoleContext } from "./context";
import { listenHttp, type TlsFiles } from "./http-server";
import { guarded } from "./security/guard";
import { SECURITY_HEADERS } from "./security/headers";
import type { ServedBy } from "./security/login-pages";
import { loginTokens } from "./security/login-tokens";
import { oursOf, type Ours } from "./security/ours";
import { refusalOf } from "./security/refusal";
import { sessions } from "./security/sessions";
import { addonWatch } from "./watch/addon-watch";

export interface ConsoleOptions {
  /** Absent: the usual data home. */
  readonly dataHome: string | undefined;
  /** An address of this machine; the port 0 takes one that is free. */
  readonly listen: HostAndPort;
  /** Absent: plain HTTP, for loopback or behind a proxy. */
  readonly tls?: TlsFiles;
  /** `https://console.example.org`: how browsers reach it where that isn't the address that is listened on. */
  readonly statedOrigin?: string;
  /** Where people are told to get an address to log in with; absent: `agent`. */
  readonly servedBy?: ServedBy;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called at each request of somebody who has logged in. */
  readonly onUse?: () => void;
}

export interface RunningConsole extends AsyncDisposable {
  /** `http://127.0.0.1:31007` */
  readonly origin: string;
  /** That it listens on. */
  readonly port: number;
  /** An address that logs in whoever opens it first, within ten minutes. */
  loginUrl(): string;
  /** Whether somebody has such an address and has not opened it yet. */
  isAwaited(): boolean;
}

/** Serves the console until it is disposed. */
export async function serveConsole(options: ConsoleOptions): Promise<RunningConsole> {
  const {
    dataHome,
    listen,
    tls,
    statedOrigin,
    clock,
    signal,
    servedBy = "agent",
    onUse = () => undefined,
  } = options;
  const ended = new AbortController();
  const until = AbortSignal.any([ended.signal, signal]);
  const platform = await openPlatform({ kind: "local", ...(dataHome === undefined ? {} : { dataHome }) });
  const tokens = loginTokens(clock);
  const files = await assets();

  const opened = Promise.withResolvers<(request: IncomingMessage, response: ServerResponse) => void>();
  const server = await listenHttp(listen, tls, (request, response) => {
    void opened.promise.then((answer) => answer(request, response));
  });
  const { port } = server.address() as AddressInfo;
  const context: ConsoleContext = {
    ...{ platform, dataHome, clock, signal: until },
    watch: addonWatch(platform, clock, until),
    activities: activities(clock, until),
  };
  const ours = oursOf({ host: listen.host, port }, { isTls: tls !== undefined, statedOrigin });
  const app = guarded(consoleApp(context), {
    ...{ tokens, assets: files, onUse, servedBy },
    sessions: sessions(clock),
    cookie: `redis-addon-${port}`,
    isSecure: ours.scheme === "https",
  });
  const answer = getRequestListener(app.fetch);
  opened.resolve((request, response) => {
    if (mayCome(request, response, ours)) void answer(request, response);
  });
  return {
    origin: ours.origin,
    port,
    loginUrl: () => `${ours.origin}/login?token=${tokens.mint()}`,
    isAwaited: () => tokens.areAwaited(),
    [Symbol.asyncDispose]: async () => {
      ended.abort(new Error("the console ended"));
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** Answers a request that is refused; whatever answers the others does so with the headers that are set here. */
function mayCome(request: IncomingMessage, response: ServerResponse, ours: Ours): boolean {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
  const { method, url: target, headers } = request;
  const refusal = refusalOf({ method, target, headers }, ours);
  if (refusal === undefined) return true;
  // What it would send besides is of no interest.
  response.writeHead(refusal.status, { "Content-Type": "text/plain; charset=utf-8", Connection: "close" });
  response.end(`${refusal.why}\n`);
  return false;
}
