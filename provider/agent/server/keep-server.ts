import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Failure } from "../../core/errors";
import { forShell } from "../../core/for-shell";
import { parseWanted } from "../../core/version";
import type { HomeLayout } from "../../platforms/local/home";
import { copyExecutable } from "../../system/copy-executable";
import {
  chooseServer,
  keptServerPath,
  keptServers,
  probeServer,
  type FoundServer,
} from "../../platforms/local/servers";

/**
 * Makes sure that the data home keeps a server of the wanted version (absent: the first that was found and will do),
 * and returns that version's spelling. Servers are copied: an upgrade of the system's packages, or a removed checkout,
 * must not change what an add-on runs on.
 */
export async function keepServer(
  layout: HomeLayout,
  wanted: string | undefined,
  found: readonly FoundServer[],
  /** Spelling of the version that the add-on runs already. */
  present?: string,
): Promise<string> {
  const kept = await keptServers(layout);
  const request = wanted === undefined ? undefined : parseWanted(wanted);
  const chosen = chooseServer(request, present, kept, found);
  if (chosen === undefined) throw noServer(wanted, [...kept, ...found]);
  const { spelling } = chosen.version;
  if (!kept.some((server) => server.version.spelling === spelling)) await copyServer(layout, chosen);
  return spelling;
}

async function copyServer(layout: HomeLayout, server: FoundServer): Promise<void> {
  const target = keptServerPath(layout, server.version.spelling);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  await copyExecutable(server.path, target, async (copy) => {
    if ((await probeServer(copy))?.version.spelling === server.version.spelling) return;
    // A server that finds its libraries beside itself doesn't run from elsewhere: that one is used where it is. Not by a
    // link: a script that starts the real one looks beside the name by which it was called.
    await writeFile(copy, `#!/bin/sh\nexec ${forShell(server.path)} "$@"\n`, { mode: 0o755 });
  });
}

function noServer(wanted: string | undefined, found: readonly FoundServer[]): Failure {
  const list = found.map((server) => `${server.version.spelling} (${server.path})`).join(", ");
  return new Failure({
    code: "no-server",
    operation: "find a Redis server of version",
    subject: wanted ?? "7.0 or newer",
    cause: list === "" ? "there is no redis-server or valkey-server on the PATH" : `found are only ${list}`,
    hint: "Install one (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis) or set version to one that is there",
  });
}
