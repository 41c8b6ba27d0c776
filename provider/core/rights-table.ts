import { isAllowed, RIGHTS, type Right } from "./rights";

const OPENING = `# Rights
<!-- Generated from provider/core/rights.ts: a unit test compares them, with vitest's \`-u\` it writes this file anew. -->

What the user of an add-on (Redis's user \`default\`) may do with each command of Redis 7.0 to 7.4 and Valkey 8 and 9, by
the add-on's \`access\`. Each row was asked of real servers; not every server has every command. What is refused is
refused in transactions, scripts and functions too: they have the rights of whoever calls them.

\`advanced\` adds observing (MONITOR, LATENCY, SLOWLOG), CLIENT KILL and PAUSE and, on leaders, CONFIG GET and RESETSTAT.
Settings are changed by the add-on's \`settings\`, not by CONFIG SET.

**On a follower**: \`same\` is as on its leader, what stands in the two columns before; \`no\` is refused whatever the
access. Writes that are allowed are answered with READONLY there: that is no matter of rights.

**CLIENT PAUSE … ALL** holds up everybody for as long as it says, the platform and every CLIENT UNPAUSE included; only
a restart of the server, or a CLIENT UNPAUSE over a connection that was monitoring before, ends it earlier. CLIENT PAUSE
… WRITE can be taken back.
`;

const HEAD = `| command | standard | advanced | on a follower | why refused |
| --- | --- | --- | --- | --- |
`;

/** sdk/RIGHTS.md: one row for each command, by groups. */
export function rightsTable(): string {
  const groups = [...Map.groupBy(RIGHTS, ({ group }) => group)];
  const sections = groups.map(
    ([name, rights]) => `\n## ${name}\n${HEAD}${rights.toSorted(byCommand).map(row).join("")}`,
  );
  return OPENING + sections.join("");
}

function row(right: Right): string {
  const yesOrNo = (access: "standard" | "advanced") => (isAllowed(right, access, "leader") ? "yes" : "no");
  const cells = [
    right.command,
    yesOrNo("standard"),
    yesOrNo("advanced"),
    right.leadersOnly ? "no" : "same",
    right.why,
  ];
  return `| ${cells.join(" | ")} |\n`;
}

function byCommand(a: Right, b: Right): number {
  return a.command < b.command ? -1 : 1;
}
