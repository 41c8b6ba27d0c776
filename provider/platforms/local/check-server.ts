import { bindAddresses, bindProblem, isWildcard } from "../../core/bind";
import { unfitSettings } from "../../core/unfit-settings";
import { parseWanted, satisfies, supportProblem } from "../../core/version";
import { listenProblem } from "../../system/ports";
import type { Finding, ServerQuestion } from "../contract";
import { homeProblem, type HomeLayout } from "./home";
import { readRecord, recordedPorts } from "./records";
import { chooseServer, keptServers, serversOnPath, type FoundServer } from "./servers";

const INSTALL =
  "install one (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis) and put it on the PATH";

/** What would make a create or a change of this server fail here. Only looks. */
export async function checkServer(layout: HomeLayout, question: ServerQuestion): Promise<Finding[]> {
  const home = await homeProblem(layout);
  if (home !== undefined) return [{ property: "platform", reason: home }];
  const version = await wantedVersion(layout, question);
  const findings = [
    ...(typeof version === "string" ? settingFindings(question, version) : [version]),
    await addressFinding(layout, question),
  ];
  return findings.filter((finding) => finding !== undefined);
}

function settingFindings({ size }: ServerQuestion, version: string): Finding[] {
  const problems = size === undefined ? [] : unfitSettings({ ...size, version });
  return problems.map(({ name, reason }) => ({ property: `settings.${name}`, reason }));
}

/** The spelling of the version that the add-on will run, or why there is none. */
async function wantedVersion(layout: HomeLayout, question: ServerQuestion): Promise<string | Finding> {
  const recorded = (await readRecord(layout, question.name))?.server.wish.version;
  const kept = await keptServers(layout);
  const wanted = question.version ?? recorded;
  if (
    recorded !== undefined &&
    wanted === recorded &&
    kept.some((server) => server.version.spelling === recorded)
  )
    return recorded;
  const onPath = await serversOnPath();
  const found = [...kept, ...onPath];
  const finding = (reason: string): Finding => ({ property: "version", reason });

  const request = wanted === undefined ? undefined : parseWanted(wanted);
  if (wanted !== undefined && request === undefined)
    return finding(`"${wanted}" is no version: write one such as 7.2.4 or valkey-8.1.8, or leave it out`);
  const chosen = chooseServer(request, recorded, kept, onPath);
  if (chosen !== undefined) return chosen.version.spelling;
  const fitting = found.filter((server) => request === undefined || satisfies(server.version, request));
  const problem = fitting.map((server) => supportProblem(server.version)).find((text) => text !== undefined);
  if (problem !== undefined) return finding(`${problem}; found are ${listed(found)}; ${INSTALL}`);
  if (found.length === 0) return finding(`there is no redis-server or valkey-server here; ${INSTALL}`);
  return finding(
    `there is no server of version ${wanted}; found are ${listed(found)}; choose one of these or ${INSTALL}`,
  );
}

/** The addresses that are new to the add-on, and the port on them: on those that it has, its own server listens. */
async function addressFinding(layout: HomeLayout, question: ServerQuestion): Promise<Finding | undefined> {
  const { name, bind, port } = question;
  const misspelt = bindProblem(bind);
  if (misspelt !== undefined) return { property: "bind", reason: misspelt };
  const wish = (await readRecord(layout, name))?.server.wish;
  const [present, wanted] = [bindAddresses(wish?.bind ?? ""), bindAddresses(bind)];
  const added = wanted.filter((address) => !present.includes(address));
  for (const address of added) {
    const problem = await listenProblem(address, 0);
    if (problem !== undefined)
      return {
        property: "bind",
        reason: `${problem.why}: choose one of its own, or 0.0.0.0 for all of them`,
      };
  }

  const other = port === undefined ? undefined : (await recordedPorts(layout, name)).get(port);
  if (other !== undefined)
    return { property: "port", reason: `port ${port} belongs to the add-on ${other}; choose another` };
  const isPortKept = port === undefined || port === wish?.port;
  const effective = port ?? wish?.port;
  // Its own server is in the way where one of the two stands for every address: that is no finding.
  const overlaps = isPortKept && [...present, ...added].some(isWildcard);
  if (effective === undefined || overlaps) return undefined;
  for (const address of isPortKept ? added : wanted) {
    const problem = await listenProblem(address, effective);
    if (problem === undefined) continue;
    // A port that the program doesn't set is the recorded one: only the address is the program's.
    const property = port === undefined ? "bind" : "port";
    return { property, reason: `${problem.why}; choose another ${property === "port" ? "port" : "address"}` };
  }
  return undefined;
}

function listed(servers: readonly FoundServer[]): string {
  return servers.map((server) => `${server.version.spelling} (${server.path})`).join(", ");
}
