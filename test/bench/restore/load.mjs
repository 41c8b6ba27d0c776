// Starts a redis-server in a folder, plainly or by its redis.conf, and ends it as soon as it has loaded what lies there.
import { spawn } from "node:child_process";
import { once } from "node:events";

const [folder, how] = process.argv.slice(2);
const config = how === "configured" ? ["./redis.conf"] : [];
const args = [...config, "--port", "0", "--unixsocket", "./s", "--save", "", "--daemonize", "no"];
const server = spawn("redis-server", args, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
let log = "";
for await (const chunk of server.stdout) {
  log += String(chunk);
  if (/ready to accept connections/i.test(log)) break;
}
const loaded = /DB loaded from (?:disk|base file|append only file)/.test(log);
server.kill("SIGKILL");
if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
if (!loaded) throw new Error(`nothing was loaded from ${folder}:\n${log}`);
