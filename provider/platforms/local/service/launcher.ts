import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DAEMON_FLAGS } from "../../../system/daemon-flags";
import { writeDurably } from "../../../system/files";
import type { HomeLayout } from "../home";

/**
 * A shell script that becomes the data home's agent. A service manager's file names this path, for those of the program
 * and of Node change with each build: whichever agent holds the data home writes it anew, so that after a boot the last
 * one comes back, also where the build that installed the service was replaced and cleared away long since.
 */
export function launcherPath({ root }: HomeLayout): string {
  return join(root, "start-agent");
}

/** The script, for /bin/sh. */
export function launcherText({
  node,
  entry,
  root,
  log,
}: {
  readonly node: string;
  readonly entry: string;
  readonly root: string;
  readonly log: string;
}): string {
  return `# Starts the agent of this data home; written by the agent itself, each time that it starts.
umask 077
exec >>${quoted(log)} 2>&1
cd ${quoted(root)} || exit 1
node=${quoted(node)}
# A Node that was removed since: any other one is better than none.
[ -x "$node" ] || node=node
exec "$node" ${DAEMON_FLAGS.join(" ")} ${quoted(entry)} --home ${quoted(root)}
`;
}

/** Makes the script start the agent whose file this is. Only the holder of the data home's lock may call this. */
export async function writeLauncher(layout: HomeLayout, entry: string): Promise<void> {
  const path = launcherPath(layout);
  const text = launcherText({ node: process.execPath, entry, root: layout.root, log: layout.agentLog });
  const known = await readFile(path, "utf8").catch(() => undefined);
  if (known !== text) await writeDurably(path, text, 0o600);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
