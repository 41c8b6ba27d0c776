import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Clock } from "../core/task";
import { openPlatform } from "../operations/open-platform";
import { activities } from "./activities/activities";
import { consoleApp } from "./app";
import type { ConsoleContext } from "./context";
import { guarded } from "./security/guard";
import { loginTokens } from "./security/login-tokens";
import { sessions } from "./security/sessions";
import { addonWatch } from "./watch/addon-watch";

export interface ConsoleOptions {
  /** Absent: the usual data home. */
  readonly dataHome: string | undefined;
  /** An address of this machine; the port 0 takes one that is free. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface RunningConsole extends AsyncDisposable {
  /** `http://127.0.0.1:7380` */
  readonly origin: string;
  /** An address that logs in whoever opens it first, within ten minutes. */
  loginUrl(): string;
}

/** Serves the console until it is disposed. */
export async function serveConsole({
  dataHome,
  listen,
  clock,
  signal,
}: ConsoleOptions): Promise<RunningConsole> {
  const ended = new AbortController();
  const until = AbortSignal.any([ended.signal, signal]);
  const platform = await openPlatform({ kind: "local", ...(dataHome === undefined ? {} : { dataHome }) });
  const watch = addonWatch(platform, clock, until);
  const context: ConsoleContext = {
    platform,
    dataHome,
    clock,
    signal: until,
    watch,
    activities: activities(clock, until),
  };
  const tokens = loginTokens(clock);
  const home = await platform.home();
  const server = createServer();
  server.listen(listen.port, listen.host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const origin = `http://${listen.host}:${port}`;
  const app = guarded(consoleApp(context), {
    origin,
    tokens,
    sessions: sessions(clock),
    cookie: `redis-addon-${(home?.id ?? "").slice(0, 8)}`,
  });
  server.on("request", (request, response) => void getRequestListener(app.fetch)(request, response));
  return {
    origin,
    loginUrl: () => `${origin}/login?token=${tokens.mint()}`,
    [Symbol.asyncDispose]: async () => {
      ended.abort(new Error("the console ended"));
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
