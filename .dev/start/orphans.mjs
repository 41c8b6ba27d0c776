// kill -9 of the Pulumi CLI leaves its language host and its provider running. They serve nobody any more, but
// the provider may still be at work, so they are ended before another run begins.
import { spawnSync } from "node:child_process";
import { connect } from "node:net";
import { dirname } from "node:path";
import { checkout } from "../setup/checkout.mjs";

/** A plugin's last argument is the address of the engine that started it. */
const plugin =
  /^\s*(\d+) (.*(?:pulumi-language-nodejs|pulumi-resource-pulumi-nodejs|dynamic-provider\S*) .*127\.0\.0\.1:(\d+))\s*$/;

/** @param {{ pulumi: string, log: (line: string) => void }} tools */
export async function endOrphans({ pulumi, log }) {
  const { stdout } = spawnSync("ps", ["-U", String(process.getuid()), "-o", "pid=,args="], {
    encoding: "utf8",
  });
  for (const line of (stdout ?? "").split("\n")) {
    const [, pid, args, port] = line.match(plugin) ?? [];
    const isOurs = args?.includes(`${dirname(pulumi)}/`) || args?.includes(`${checkout}/`);
    if (!isOurs || (await isListening(Number(port)))) continue;
    log(`ending process ${pid}, a plugin of the killed run`);
    try {
      process.kill(Number(pid), "SIGTERM");
    } catch {
      // It has ended by itself, or with the parent that was ended before it.
    }
  }
}

function isListening(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => (socket.destroy(), resolve(true)));
    socket.on("error", () => resolve(false));
  });
}
