import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serversOnPath } from "../../provider/platforms/local/servers";
import { makePulumiProject, type PulumiProject } from "../support/pulumi-project";

const STATES = join(import.meta.dirname, "../fixtures/states");
/** Of the machine that recorded the states. */
const RECORDED_SERVER = "7.0.15";

test.each(["v1"])("a state that version %s recorded needs no change with today's code", async (version) => {
  await using project = await makePulumiProject();
  const folder = join(STATES, version);
  const adapt = await adaptation(project);
  await restore(project, folder, adapt);
  await startServers(project);
  const before = await records(project.home.path);

  const preview = await project.pulumi("preview", "--stack", "dev", "--diff", "--expect-no-changes");
  expect(preview.code, preview.output).toBe(0);
  expect(preview.output).toMatch(/7 unchanged/);
  const refresh = await project.pulumi(
    "refresh",
    "--stack",
    "dev",
    "--yes",
    "--skip-preview",
    "--expect-no-changes",
  );
  expect(refresh.code, refresh.output).toBe(0);
  expect(await records(project.home.path)).toEqual(before);

  const { stdout } = await project.pulumi("stack", "export", "--stack", "dev");
  expect(stdout).not.toContain("redis://");
  const second = await project.pulumi("preview", "--stack", "dev", "--diff", "--expect-no-changes");
  expect(second.code, second.output).toBe(0);
});

test("a state that is used in another data home says where its add-ons live, and a refresh drops none", async () => {
  await using project = await makePulumiProject();
  const folder = join(STATES, "v1");
  await restore(project, folder, await adaptation(project));
  const home = join(project.home.path, "home.json");
  await writeFile(home, JSON.stringify({ format: 1, id: "11111111-2222", host: "elsewhere" }));
  for (const command of ["preview", "refresh"]) {
    const args = command === "refresh" ? ["--yes", "--skip-preview"] : [];
    const { code, output } = await project.pulumi(command, "--stack", "dev", ...args);
    expect(code).not.toBe(0);
    expect(output).toMatch(
      /it lives on host \S+, data home \w{8} \(.*\); this is host elsewhere, data home 11111111/,
    );
  }
  const { stdout } = await project.pulumi("stack", "export", "--stack", "dev");
  expect(stdout.match(/"type": "pulumi-nodejs:dynamic/g)).toHaveLength(6);
});

type Adapt = (text: string) => string;

/** What differs from the machine that recorded a state: its folders and its redis-server. */
async function adaptation(project: PulumiProject): Promise<Adapt> {
  const [server] = await serversOnPath();
  if (server === undefined) throw new Error("there is no redis-server on the PATH");
  return (text) =>
    text
      .replaceAll("/data-home", project.home.path)
      .replaceAll("/program", project.folder)
      .replaceAll(RECORDED_SERVER, server.version.spelling);
}

async function restore(project: PulumiProject, folder: string, adapt: Adapt): Promise<void> {
  const copy = async (from: string, to: string) => writeFile(to, adapt(await readFile(from, "utf8")));
  await project.program(await readFile(join(folder, "program.js"), "utf8"));
  await copy(join(folder, "home.json"), join(project.home.path, "home.json"));
  for (const file of await readdir(join(folder, "records"))) {
    const addon = join(project.home.path, "addons", file.replace(/\.json$/, ""));
    await mkdir(addon, { recursive: true });
    await copy(join(folder, "records", file), join(addon, "record.json"));
  }
  await project.pulumi("stack", "init", "dev");
  const settings = await readFile(join(project.folder, "Pulumi.dev.yaml"), "utf8");
  const salt = /^encryptionsalt: (\S+)$/m.exec(settings)?.[1];
  const state = JSON.parse(adapt(await readFile(join(folder, "state.json"), "utf8"))) as {
    deployment: Record<string, unknown>;
  };
  // Recorded in clear, to be encrypted here: by which means a state has to say itself.
  state.deployment["secrets_providers"] = { type: "passphrase", state: { salt } };
  const file = join(project.folder, "state.json");
  await writeFile(file, JSON.stringify(state));
  const { code, output } = await project.pulumi("stack", "import", "--stack", "dev", "--file", file);
  expect(code, output).toBe(0);
}

/** A server that is down would be a change; which of the two a leader or a follower is doesn't matter here. */
async function startServers({ home: { platform, task } }: PulumiProject): Promise<void> {
  for (const name of await platform.names()) {
    const server = (await platform.load(name))?.server;
    if (server === undefined) throw new Error(`no record of ${name}`);
    const { wish, given, instance } = server;
    const claim = { kind: "carry", token: instance.token } as const;
    await platform.apply({ facet: "server", name, claim, given, wish }, task);
  }
}

async function records(home: string): Promise<string[]> {
  const addons = join(home, "addons");
  const names = (await readdir(addons)).sort();
  return Promise.all(names.map((name) => readFile(join(addons, name, "record.json"), "utf8")));
}
