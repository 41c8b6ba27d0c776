import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingHttpHeaders, request, type RequestOptions } from "node:http";
import { request as tlsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type ConsoleOptions, serveConsole } from "../../provider/console/serve";
import { systemClock } from "../../provider/system/clock";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Headers = Readonly<Record<string, string>>;
interface Asked {
  readonly method?: string;
  readonly headers?: Headers;
  readonly body?: string;
  /** To trust, in PEM. */
  readonly ca?: string;
}

/** A console of a test's own, and what a program can say to it: headers that no browser sends are sent as they stand. */
export interface TestConsole extends AsyncDisposable {
  readonly home: string;
  readonly origin: string;
  readonly port: number;
  loginUrl(): string;
  /** Moves its clock. */
  passMs(ms: number): void;
  ask(path: string, asked?: Asked): Promise<Answer>;
  /** Logs in, and returns the header that a browser sends from then on. */
  logIn(): Promise<Headers>;
}

/** `home`: one that the test makes and removes. */
export async function startConsole(
  options: Partial<Omit<ConsoleOptions, "clock">> & { readonly home?: string; readonly ca?: string } = {},
): Promise<TestConsole> {
  const home = options.home ?? (await mkdtemp(join(tmpdir(), "console-")));
  let passedMs = 0;
  const console = await serveConsole({
    dataHome: home,
    listen: { host: "127.0.0.1", port: 0 },
    signal: new AbortController().signal,
    ...options,
    clock: { now: () => Date.now() + passedMs, sleep: (ms, signal) => systemClock.sleep(ms, signal) },
  });
  const ask = (path: string, asked: Asked = {}) =>
    send(
      { host: "127.0.0.1", port: console.port, path },
      { ...(options.ca && { ca: options.ca }), ...asked },
    );
  return {
    home,
    origin: console.origin,
    port: console.port,
    loginUrl: () => console.loginUrl(),
    passMs: (ms) => {
      passedMs += ms;
    },
    ask,
    logIn: async () => {
      const { host, pathname, search } = new URL(console.loginUrl());
      const { headers } = await ask(pathname + search, { headers: { host } });
      const cookie = headers["set-cookie"]?.[0]?.split(";")[0];
      if (cookie === undefined) throw new Error("the login gave no cookie");
      return { host, cookie };
    },
    [Symbol.asyncDispose]: async () => {
      await console[Symbol.asyncDispose]();
      if (options.home === undefined) await rm(home, { recursive: true, force: true });
    },
  };
}

async function send(to: RequestOptions, { method = "GET", headers = {}, body, ca }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { ...to, method, headers, agent: false };
    const call = ca === undefined ? request(options) : tlsRequest({ ...options, ca });
    call.on("error", reject);
    call.on("response", (response) => {
      text(response).then(
        (answered) =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: answered }),
        reject,
      );
    });
    call.end(body);
  });
}
