import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Command } from "commander";
import type { RunningConsole } from "../../console/serve";
import { agentStatus, consoleLogin, consoleLoginPage } from "../../operations/agent";
import { logTo } from "../../system/log";
import { serveWish, type ServeOptions, type ServeWish } from "../console-options";
import { contextOf, type CommandContext } from "../context";
import { interruptedExitCode } from "../interruption";
import { openInBrowser } from "../open-browser";
import { optionFile } from "../option-file";
import { printJson, printJsonLine, printLine } from "../print";
import { warn } from "../terminal";

const HELP = `
The agent serves the console to this machine alone. The address that is printed logs in whoever opens it first, once,
for ten minutes; whoever is logged in stays so for twelve hours after the last look. From another machine: forward the
port, the same on both sides, with ssh -L <port>:127.0.0.1:<port>.

--listen serves another one from here until Ctrl-C, without an agent if need be. Each Enter prints another address to
log in with. For others than this machine's users it wants TLS: a certificate, or a proxy that has one. A proxy must
pass on the header Host as the browser sent it; it is believed nothing else.

REDIS_ADDON_CONSOLE=off, where the agent is started, keeps it from serving a console;
REDIS_ADDON_CONSOLE=127.0.0.1:8080 has it served there.

Examples:
  redis-addon console
  redis-addon console --print-url | wl-copy
  redis-addon console --listen 127.0.0.1:8080
  redis-addon console --listen 10.0.0.5:8443 --tls-cert fullchain.pem --tls-key key.pem --origin https://redis.example.org:8443
  redis-addon console --listen 127.0.0.1:8080 --behind-proxy https://redis.example.org`;

interface ConsoleCommandOptions extends ServeOptions {
  readonly printUrl?: boolean;
  readonly json?: boolean;
}

export function consoleCommand(): Command {
  return new Command("console")
    .description("the web console: prints an address that logs you in, and opens it in a browser")
    .option("--print-url", "only print the address")
    .option("--json", "one object: the address to log in with, and the console's")
    .option("--listen <host:port>", "serve one from here until Ctrl-C")
    .option("--tls-cert <file>", "with --listen: the certificate with its chain, in PEM")
    .option("--tls-key <file>", "with --listen: the certificate's key, in PEM")
    .option("--origin <url>", "with a certificate: how browsers reach it (default: as --listen says)")
    .option("--behind-proxy <url>", "with --listen: how browsers reach a proxy of yours that speaks TLS")
    .addHelpText("after", HELP)
    .action(async (options: ConsoleCommandOptions, command: Command) => {
      const wish = serveWish(options);
      const context = await contextOf(command, { isWatching: wish !== undefined });
      return wish === undefined ? logIn(context, options) : serveHere(context, wish, options);
    });
}

async function logIn({ home, task }: CommandContext, options: ConsoleCommandOptions): Promise<void> {
  const { agent } = await agentStatus(home);
  const { url } = await consoleLogin(home, task);
  if (agent === undefined)
    warn("No agent was running: it was started, and with it the servers of its add-ons.");
  if (options.json === true) return printJson({ url, origin: new URL(url).origin });
  printLine(url);
  if (options.printUrl === true || !process.stdout.isTTY) return;
  const { port } = new URL(url);
  if (process.env["SSH_CONNECTION"] !== undefined)
    warn(`To open it where you sit, forward the port: ssh -L ${port}:127.0.0.1:${port} <this machine>`);
  openInBrowser(await consoleLoginPage(home, url));
}

async function serveHere(
  { home, task }: CommandContext,
  { listen, tls, statedOrigin }: ServeWish,
  { json }: ConsoleCommandOptions,
): Promise<void> {
  // Standard output is for addresses alone.
  logTo(process.stderr);
  const files = tls && {
    cert: await optionFile("--tls-cert", tls.cert),
    key: await optionFile("--tls-key", tls.key),
  };
  const { serveConsole } = await import("../../console/serve.js");
  await using running = await serveConsole({
    ...{ dataHome: home, listen, servedBy: "terminal", clock: task.clock, signal: task.signal },
    ...(files === undefined ? {} : { tls: files }),
    ...(statedOrigin === undefined ? {} : { statedOrigin }),
  });
  if (files !== undefined) warnOfCertificate(files.cert, running.origin, task.clock.now());
  const print = () => printAddress(running, json === true);
  print();
  createInterface({ input: process.stdin }).on("line", print);
  if (!task.signal.aborted) await once(task.signal, "abort");
  process.exitCode = interruptedExitCode() ?? 0;
}

function printAddress(running: RunningConsole, isJson: boolean): void {
  const url = running.loginUrl();
  if (isJson) printJsonLine({ url, origin: running.origin });
  else printLine(url);
}

/** What every browser would complain about. */
function warnOfCertificate(pem: string, origin: string, now: number): void {
  const certificate = new X509Certificate(pem);
  const { hostname } = new URL(origin);
  const host = hostname.replace(/^\[|\]$/g, "");
  if (certificate.checkHost(host) === undefined && certificate.checkIP(host) === undefined)
    warn(`The certificate is not for ${hostname}: ${certificate.subjectAltName ?? certificate.subject}`);
  if (Date.parse(certificate.validTo) < now) warn(`The certificate has expired: ${certificate.validTo}`);
}
