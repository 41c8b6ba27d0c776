import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { agentEnvironment, serviceEnvironment } from "../../provider/platforms/local/agent-environment";
import { layoutOf } from "../../provider/platforms/local/home";
import { launcherText } from "../../provider/platforms/local/service/launcher";
import { renderLaunchd } from "../../provider/platforms/local/service/render-launchd";
import { renderSystemd } from "../../provider/platforms/local/service/render-systemd";
import { serviceName, serviceOf } from "../../provider/platforms/local/service/service-definition";
import { DAEMON_FLAGS } from "../../provider/system/daemon-flags";

const FIXTURES = join(import.meta.dirname, "../fixtures/service");
const USUAL = {
  HOME: "/home/ada",
  LANG: "C.UTF-8",
  PATH: "/usr/local/bin:/usr/bin:/bin",
  XDG_CONFIG_HOME: "/home/ada/.config",
  XDG_DATA_HOME: "/home/ada/.local/share",
};
const ODD = { ...USUAL, AWS_PROFILE: `100% <"shop" & 'co'> $HOME \\ é` };
const USUAL_HOME = "/home/ada/.local/share/redis-addon";
const ODD_HOME = `/srv/a "b" 100% $HOME & <c>'s\\`;

/** Text that a file of a service manager can hold: everything but control characters and what is no character. */
const texts = fc
  .string({ unit: "grapheme-composite" })
  .filter((text) => !/[\p{Cc}\p{Cs}\p{Cn}]/u.test(text) && text.isWellFormed());

describe("the file of the agent's service", () => {
  it.each([
    ["usual.service", USUAL_HOME, USUAL, "linux"],
    ["odd.service", ODD_HOME, ODD, "linux"],
    ["usual.plist", USUAL_HOME, USUAL, "darwin"],
    ["odd.plist", ODD_HOME, ODD, "darwin"],
  ] as const)("is %s", async (fixture, root, environment, system) => {
    const { text } = serviceOf(layoutOf(root), environment, system);
    await expect(text).toMatchFileSnapshot(join(FIXTURES, fixture));
  });

  it("lies where the user's systemd looks for units", () => {
    expect(serviceOf(layoutOf(USUAL_HOME), USUAL, "linux")).toMatchObject({
      kind: "systemd",
      name: "redis-addon",
      path: "/home/ada/.config/systemd/user/redis-addon.service",
    });
  });

  it("has a name of its own for each data home but the usual one, whatever REDIS_ADDON_HOME says", () => {
    const names = [USUAL_HOME, "/srv/a", "/srv/b"].map((root) =>
      serviceName(root, { ...USUAL, REDIS_ADDON_HOME: "/srv/a" }),
    );
    expect(names[0]).toBe("redis-addon");
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^redis-addon(-[0-9a-f]{8})?$/);
  });

  it("gives the agent exactly these variables and arguments, in systemd's reading of the unit", () => {
    fc.assert(
      fc.property(texts, texts, (folder, value) => {
        const launcher = `/${folder}/start-agent`;
        const environment = { AWS_PROFILE: value, PATH: folder };
        const unit = renderSystemd({ name: "x", root: `/${folder}`, launcher, environment });
        expect(systemdArguments(unit)).toEqual([
          ...["/usr/bin/env", "-i", `AWS_PROFILE=${value}`, `PATH=${folder}`],
          ...["/bin/sh", launcher],
        ]);
      }),
    );
  });

  it("holds nothing but its own lines, whatever the data home is called", () => {
    fc.assert(
      fc.property(texts, (folder) => {
        const root = `/${folder}`;
        const unit = renderSystemd({ name: "x", root, launcher: `${root}/start-agent`, environment: {} });
        const settings = unit.match(/^[A-Z][A-Za-z]+(?==)/gm);
        expect(settings?.length).toBe(11);
        // Only ExecStart goes on in the next line.
        expect(unit.match(/\\$/gm)?.length).toBe(2);
      }),
    );
  });

  it("gives launchd the same, as another reader of property lists sees it", () => {
    const samples = fc.sample(fc.tuple(texts, texts), 30);
    const lists = samples.map(([folder, value]) =>
      renderLaunchd({
        name: "redis-addon",
        root: `/${folder}`,
        launcher: `/${folder}/start-agent`,
        environment: { AWS_PROFILE: value },
      }),
    );
    const read =
      "import json,plistlib,sys; print(json.dumps([plistlib.loads(t.encode()) for t in json.load(sys.stdin)]))";
    const parsed = JSON.parse(
      execFileSync("python3", ["-c", read], { input: JSON.stringify(lists), encoding: "utf8" }),
    ) as { ProgramArguments: string[]; KeepAlive: object }[];
    expect(parsed.map(({ ProgramArguments }) => ProgramArguments)).toEqual(
      samples.map(([folder, value]) => [
        ...["/usr/bin/env", "-i", `AWS_PROFILE=${value}`, "/bin/sh", `/${folder}/start-agent`],
      ]),
    );
    expect(parsed[0]?.KeepAlive).toEqual({ SuccessfulExit: false });
  });

  it("is refused for a data home that would break out of its line", () => {
    expect(() => serviceOf(layoutOf("/srv/a\nExecStart=/bin/true"), USUAL, "linux")).toThrow(
      /control character/,
    );
  });

  it("is refused where neither systemd nor launchd is, with what to do", () => {
    expect(() => serviceOf(layoutOf("/srv/a"), USUAL, "freebsd")).toThrow(/freebsd.*redis-addon agent start/);
  });
});

describe("what the agent sees of an environment", () => {
  const environment = {
    ...ODD,
    AWS_SECRET_ACCESS_KEY: "k",
    PULUMI_CONFIG_PASSPHRASE: "k",
    REDISCLI_AUTH: "k",
    TMPDIR: "/tmp/session",
    XDG_RUNTIME_DIR: "/run/user/1000",
    XDG_SESSION_ID: "4",
    TZ: "UTC\nX=1",
  };

  it("holds where keys are found and no keys", () => {
    expect(Object.keys(agentEnvironment(environment))).toEqual(
      ["AWS_PROFILE", "HOME", "LANG", "PATH", "TMPDIR", "TZ"].concat([
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_RUNTIME_DIR",
        "XDG_SESSION_ID",
      ]),
    );
  });

  it("holds of a service nothing that ends with the session it was installed in, nor what a unit can't say", () => {
    expect(serviceEnvironment(environment)).toEqual(ODD);
  });
});

describe("the script that starts the agent", () => {
  it("passes paths on as they are, and takes another Node where its own was removed", () => {
    const folder = mkdtempSync(join(tmpdir(), "launcher-"));
    try {
      fc.assert(
        fc.property(texts, (name) => {
          const log = join(folder, `${name.replaceAll("/", "").slice(0, 20)}.log`);
          const entry = `/${name}/main.js`;
          const script = launcherText({ node: "/nowhere/node", entry, root: folder, log });
          // The `node` on the PATH is a function here, which says what it was called with.
          const node = String.raw`node() { for one; do printf '%s\n' "$one"; done; }`;
          execFileSync("/bin/sh", ["-c", `${node}\n${script.replace('exec "$node"', '"$node"')}`]);
          const said = [...DAEMON_FLAGS, entry, "--home", folder];
          expect(readFileSync(log, "utf8")).toBe(`${said.join("\n")}\n`);
          rmSync(log);
        }),
        { numRuns: 20 },
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** ExecStart's arguments as `man systemd.syntax` and `man systemd.service` say that they are read. */
function systemdArguments(unit: string): string[] {
  const [, line = ""] = /^ExecStart=(.*)$/m.exec(unit.replaceAll("\\\n", " ")) ?? [];
  const found = line.match(/"(?:[^"\\]|\\.)*"|[^\s"]+/gu) ?? [];
  return found.map((word) => {
    const bare = word.startsWith('"') ? word.slice(1, -1).replaceAll(/\\(["\\])/g, "$1") : word;
    expect(bare.replaceAll("%%", "").replaceAll("$$", "")).not.toMatch(/[%$]/);
    return bare.replaceAll("%%", "%").replaceAll("$$", () => "$");
  });
}
