import { parseWanted, satisfies, supportProblem } from "../../core/version";
import { isPortFree, portHolder } from "../../system/ports";
import type { Finding, ServerQuestion } from "../contract";
import { homeProblem, type HomeLayout } from "./home";
import { readRecord, recordedNames } from "./records";
import { keptServers, serversOnPath, type FoundServer } from "./servers";

const INSTALL =
  "install one (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis) and put it on the PATH";

/** What would make a create or a change of this server fail here. Only looks. */
export async function checkServer(layout: HomeLayout, question: ServerQuestion): Promise<Finding[]> {
  const home = await homeProblem(layout);
  if (home !== undefined) return [{ property: "platform", reason: home }];
  const findings = [await versionFinding(layout, question), await portFinding(layout, question)];
  return findings.filter((finding) => finding !== undefined);
}

async function versionFinding(layout: HomeLayout, question: ServerQuestion): Promise<Finding | undefined> {
  const recorded = (await readRecord(layout, question.name))?.server.wish.version;
  const kept = await keptServers(layout);
  const wanted = question.version ?? recorded;
  if (
    recorded !== undefined &&
    wanted === recorded &&
    kept.some((server) => server.version.spelling === recorded)
  )
    return undefined;
  const found = [...kept, ...(await serversOnPath())];
  const finding = (reason: string): Finding => ({ property: "version", reason });

  const request = wanted === undefined ? undefined : parseWanted(wanted);
  if (wanted !== undefined && request === undefined)
    return finding(`"${wanted}" is no version: write one such as 7.2.4 or valkey-8.1.8, or leave it out`);
  const fitting = found.filter((server) => request === undefined || satisfies(server.version, request));
  if (fitting.some((server) => supportProblem(server.version) === undefined)) return undefined;
  const problem = fitting.map((server) => supportProblem(server.version)).find((text) => text !== undefined);
  if (problem !== undefined) return finding(`${problem}; found are ${listed(found)}; ${INSTALL}`);
  if (found.length === 0) return finding(`there is no redis-server or valkey-server here; ${INSTALL}`);
  return finding(
    `there is no server of version ${wanted}; found are ${listed(found)}; choose one of these or ${INSTALL}`,
  );
}

async function portFinding(
  layout: HomeLayout,
  { name, port, bind }: ServerQuestion,
): Promise<Finding | undefined> {
  if (port === undefined) return undefined;
  for (const other of await recordedNames(layout)) {
    const record = other === name ? undefined : await readRecord(layout, other);
    if (record?.server.wish.port === port)
      return { property: "port", reason: `port ${port} belongs to the add-on ${other}; choose another` };
  }
  // Its own server listens on a port that it already has.
  if ((await readRecord(layout, name))?.server.wish.port === port) return undefined;
  for (const address of bind.split(/\s+/))
    if (!(await isPortFree(address, port))) {
      const holder = (await portHolder(port)) ?? "another process";
      return {
        property: "port",
        reason: `nothing can listen on ${address}:${port}: it is taken by ${holder}; choose another port`,
      };
    }
  return undefined;
}

function listed(servers: readonly FoundServer[]): string {
  return servers.map((server) => `${server.version.spelling} (${server.path})`).join(", ");
}
