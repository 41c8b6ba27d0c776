import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bindAddresses, bindProblem } from "../../provider/core/bind";
import { supersedes } from "../../provider/platforms/local/ensure-agent";
import {
  homeProblem,
  layoutOf,
  ownerProblem,
  readIdentity,
  requireUsable,
  type HomeLayout,
} from "../../provider/platforms/local/home";
import { comparePackageVersions } from "../../provider/platforms/local/package-version";
import { readRecord, recordedNames, recordedPorts } from "../../provider/platforms/local/records";
import { startAgent } from "../../provider/operations/agent";
import { testRecord, testTask } from "../support/local-addon";

async function withHome(use: (layout: HomeLayout) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "rah-"));
  try {
    await use(layoutOf(folder));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function record(layout: HomeLayout, name: string, text: string): Promise<void> {
  await mkdir(layout.addon(name).root, { recursive: true });
  await writeFile(layout.addon(name).record, text);
}

it("orders versions as semver.org does", () => {
  const ordered = [
    ...["0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2"],
    ...["1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1-0", "1.2.0", "1.10.0", "2.0.0-x-y", "2.0.0"],
  ];
  for (const [i, older] of ordered.entries())
    for (const newer of ordered.slice(i + 1)) {
      expect(comparePackageVersions(older, newer), `${older} before ${newer}`).toBeLessThan(0);
      expect(comparePackageVersions(newer, older), `${newer} after ${older}`).toBeGreaterThan(0);
    }
  expect(comparePackageVersions("1.0.0+a", "1.0.0+b")).toBe(0);
});

it("takes over from an older version always, from another build of the same one once, from a newer one never", () => {
  const of = (version: string, digest: string) => ({ id: `${version}-${digest}`, version });
  const running = (version: string, digest: string) => ({ program: `${version}-${digest}`, version });
  for (const hadTurn of [true, false]) {
    expect(supersedes(of("1.0.0", "a"), running("1.0.0-beta", "b"), hadTurn)).toBe(true);
    expect(supersedes(of("1.0.0-beta", "a"), running("1.0.0", "b"), hadTurn)).toBe(false);
    expect(supersedes(of("1.0.0", "a"), running("1.0.0", "a"), hadTurn)).toBe(false);
    expect(supersedes(of("1.0.0", "a"), running("1.0.0", "b"), hadTurn)).toBe(!hadTurn);
  }
});

describe("bind", () => {
  it("is a list of addresses, separated by blanks", () => {
    expect(bindAddresses(" 127.0.0.1   ::1 ")).toEqual(["127.0.0.1", "::1"]);
    for (const fine of ["127.0.0.1", "0.0.0.0", "*", "::", "127.0.0.1 ::1", "0.0.0.0 ::", "* ::1"])
      expect(bindProblem(fine), fine).toBeUndefined();
  });

  for (const [bind, problem] of [
    ["", "names no address"],
    ["localhost", '"localhost" is no IP address'],
    ["127.0.0.1,::1", "is no IP address"],
    ["300.0.0.1", "is no IP address"],
    ["127.0.0.1 127.0.0.1", "names 127.0.0.1 twice"],
    ["127.0.0.1 0.0.0.0", "0.0.0.0 includes 127.0.0.1"],
    ["* 0.0.0.0", "* includes 0.0.0.0"],
    [":: ::1", ":: includes ::1"],
  ] as const)
    it(`"${bind}" is refused with what is wrong about it`, () => {
      expect(bindProblem(bind)).toContain(problem);
    });
});

describe("a data home", () => {
  it("is refused to another user, root included, naming both and the remedy", () => {
    expect(ownerProblem("/h", 1000, 1000)).toBeUndefined();
    expect(ownerProblem("/h", 1000, 0)).toMatch(
      /belongs to user 1000, and this runs as root: .* without sudo/,
    );
    expect(ownerProblem("/h", 0, 1000)).toMatch(
      /belongs to root, and this runs as user 1000: run it as root/,
    );
  });

  it.each(["*", "?", "[", "\\"])(
    "is refused below a path with a %s, which servers take for more",
    async (sign) => {
      await withHome(async (layout) => {
        const below = layoutOf(`${layout.root}/a${sign}b`);
        expect(await homeProblem(below)).toContain(`there is a ${sign} in ${below.root}`);
        const refused = { code: "home-unusable", subject: below.root };
        await expect(requireUsable(below)).rejects.toMatchObject(refused);
        // An agent would be started there that can't, or that starts servers without their configuration.
        await expect(startAgent(below.root, testTask())).rejects.toMatchObject(refused);
        expect(await homeProblem(layoutOf(`${layout.root}/ü]{x} %41#'"$HOME`))).toBeUndefined();
      });
    },
  );

  it("gives no path for what can't be an add-on's name", () => {
    for (const name of ["../outside", "", "a/b", "..", "Cache"])
      expect(() => layoutOf("/home").addon(name), name).toThrow(
        expect.objectContaining({ code: "bad-name" }),
      );
    expect(layoutOf("/home").addon("cache").record).toBe("/home/addons/cache/record.json");
  });

  it("says so where its identity is damaged", async () => {
    await withHome(async (layout) => {
      await writeFile(layout.identity, "{");
      await expect(readIdentity(layout)).rejects.toMatchObject({ code: "home-unusable" });
    });
  });
});

describe("the records of a data home", () => {
  it("are folders with a record; what isn't there is none, what can't be read is an error", async () => {
    await withHome(async (layout) => {
      expect(await recordedNames(layout)).toEqual([]);
      await mkdir(layout.addon("cut-off").data, { recursive: true });
      await record(layout, "cache", "{}");
      expect(await recordedNames(layout)).toEqual(["cache"]);
      await rm(layout.addons, { recursive: true });
      await symlink(layout.addons, layout.addons);
      await expect(recordedNames(layout)).rejects.toMatchObject({ code: "home-unusable" });
    });
  });

  it("that were there a moment ago are taken to be there as long as their folders are", async () => {
    await withHome(async (layout) => {
      for (const name of ["cache", "gone", "queue"]) await record(layout, name, "{}");
      const known = new Set(["cache", "gone", "never"]);
      await rm(layout.addon("gone").root, { recursive: true });
      await rm(layout.addon("cache").record);
      expect(await recordedNames(layout, known)).toEqual(["cache", "queue"]);
      expect(await recordedNames(layout)).toEqual(["queue"]);
    });
  });

  it("that can't be read fail alone, and their ports stay theirs", async () => {
    await withHome(async (layout) => {
      const newer = { ...testRecord({ port: 7001 }), format: 3 };
      await record(layout, "damaged", '{"format": 1, ');
      await record(layout, "newer", JSON.stringify(newer));
      await record(layout, "own", JSON.stringify(testRecord({ port: 7002 })));
      await record(layout, "plain", JSON.stringify(testRecord({ port: 7003 })));
      expect(await recordedNames(layout)).toEqual(["damaged", "newer", "own", "plain"]);
      expect(await recordedPorts(layout, "own")).toEqual(
        new Map([
          [7001, "newer"],
          [7003, "plain"],
        ]),
      );
      for (const name of ["damaged", "newer"])
        await expect(readRecord(layout, name)).rejects.toMatchObject({ code: "record-unreadable" });
    });
  });
});
