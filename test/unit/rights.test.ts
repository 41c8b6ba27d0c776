import { expect, test } from "vitest";
import { ACCESS_LEVELS } from "../../provider/core/facets";
import { isAllowed, RIGHTS } from "../../provider/core/rights";
import { rightsTable } from "../../provider/core/rights-table";

const rowOf = (command: string) => RIGHTS.find((right) => right.command === command);

test("sdk/RIGHTS.md is the table", async () => {
  await expect(rightsTable()).toMatchFileSnapshot("../../sdk/RIGHTS.md");
});

test("each command has one row, with a reason exactly where somebody is refused", () => {
  const commands = RIGHTS.map(({ command }) => command);
  expect(commands.filter((command, i) => commands.indexOf(command) !== i)).toEqual([]);
  for (const right of RIGHTS) {
    const isRefused = right.allowed !== "everybody" || right.leadersOnly;
    expect(right.why !== "", right.command).toBe(isRefused);
    expect(right.why, right.command).not.toMatch(/[|\n]/);
  }
});

test("advanced adds to standard, a follower never to its leader", () => {
  for (const right of RIGHTS) {
    if (isAllowed(right, "standard", "leader"))
      expect(isAllowed(right, "advanced", "leader"), right.command).toBe(true);
    for (const access of ACCESS_LEVELS)
      if (isAllowed(right, access, "follower"))
        expect(isAllowed(right, access, "leader"), right.command).toBe(true);
  }
});

test("nobody changes users, replication, modules or settings, or ends the server", () => {
  const own = [
    "ACL SETUSER",
    "ACL LOAD",
    "REPLICAOF",
    "FAILOVER",
    "MODULE LOAD",
    "CONFIG SET",
    "CONFIG REWRITE",
  ];
  for (const command of [...own, "SHUTDOWN", "DEBUG", "MIGRATE", "SCRIPT DEBUG"])
    expect(rowOf(command)?.allowed, command).toBe("nobody");
});

test("on a follower nobody reads its configuration or its leader's stream", () => {
  for (const command of ["CONFIG GET", "CONFIG RESETSTAT", "PSYNC", "SYNC", "REPLCONF"]) {
    const right = rowOf(command);
    expect(right && isAllowed(right, "advanced", "leader"), command).toBe(true);
    expect(right && isAllowed(right, "advanced", "follower"), command).toBe(false);
  }
});
