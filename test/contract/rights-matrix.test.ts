import type { Redis } from "ioredis";
import { expect, it } from "vitest";
import { aclUsers } from "../../provider/core/access";
import { ACCESS_LEVELS } from "../../provider/core/facets";
import { isAllowed, RIGHTS, type Right } from "../../provider/core/rights";
import { following, testRecord } from "../support/local-addon";
import { describeWith } from "../support/tools";
import { addonServers, startOn } from "./rights-support";

interface Command {
  /** `CONFIG GET` */
  readonly name: string;
  /** The command with as many arguments as it asks for. */
  readonly words: readonly string[];
}

const rowOf = new Map(RIGHTS.map((right) => [right.command, right]));

const cases = ACCESS_LEVELS.flatMap((access) =>
  (["leader", "follower"] as const).map((role) => ({ access, role, user: `${access}-${role}` })),
);

for (const server of addonServers)
  describeWith([server], server.name, () => {
    it("has no command that the table lacks, and allows and refuses each as the table says", async () => {
      await using addon = await startOn(server, testRecord());
      const admin = addon.admin();
      await makeUsers(admin);
      const commands = await commandsOf(admin);
      expect(commands.length).toBeGreaterThan(300);
      expect(commands.map(({ name }) => name).filter((name) => !rowOf.has(name))).toEqual([]);
      const wrong = await Promise.all(
        commands.flatMap((command) => cases.map((one) => difference(admin, command, one))),
      );
      expect(wrong.filter((line) => line !== undefined)).toEqual([]);
    });
  });

describeWith(addonServers, "all of them together", () => {
  it("have every command of the table", async () => {
    const had = new Set<string>();
    for (const server of addonServers) {
      await using addon = await startOn(server, testRecord());
      for (const { name } of await commandsOf(addon.admin())) had.add(name);
    }
    expect([...rowOf.keys()].filter((command) => !had.has(command))).toEqual([]);
  });
});

/** A user for each case, with the very rules that such an add-on's user gets. */
async function makeUsers(admin: Redis): Promise<void> {
  for (const { access, role, user } of cases) {
    const record = role === "leader" ? testRecord({ access }) : following(testRecord({ access }));
    const rules = aclUsers(record).find(({ name }) => name === "default")?.rules ?? [];
    await admin.call("ACL", "SETUSER", user, "reset", ...rules);
  }
}

type Description = [name: string, arity: number, ...unknown[]];

async function commandsOf(admin: Redis): Promise<readonly Command[]> {
  return ((await admin.call("COMMAND")) as Description[]).flatMap((description) => {
    const [name, arity] = description;
    const inner = (description[9] ?? []) as Description[];
    const subcommands = inner.map(([path, arity]) => commandOf(path.split("|"), arity));
    // Of those that have subcommands, COMMAND alone does something without one.
    return inner.length > 0 && arity !== -1 ? subcommands : [commandOf([name], arity), ...subcommands];
  });
}

/** Arity counts the command's own words; a negative one is the least. */
function commandOf(path: readonly string[], arity: number): Command {
  const lacking = Math.max(0, Math.abs(arity) - path.length);
  const words = [...path, ...Array.from({ length: lacking }, () => "1")];
  return { name: path.join(" ").toUpperCase(), words };
}

async function difference(
  admin: Redis,
  { name, words }: Command,
  { access, role, user }: (typeof cases)[number],
): Promise<string | undefined> {
  const answer = String(await admin.call("ACL", "DRYRUN", user, ...words));
  const allowed = answer === "OK";
  if (!allowed && !/no permissions to run the/.test(answer)) return `${name}: ${answer}`;
  const row: Right | undefined = rowOf.get(name);
  if (row === undefined || isAllowed(row, access, role) === allowed) return undefined;
  return `${name} is ${allowed ? "allowed" : "refused"} to ${access} users of a ${role}`;
}
