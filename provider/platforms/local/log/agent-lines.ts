import type { LogLine } from "../../contract";

const HEADED = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z) (.*)$/s;
/** How the agent says that something went wrong. */
const TROUBLE = /\b(cannot|can't|could not|failed|gone|won't|error)\b/i;

/** A line of the agent's log, which is about all add-ons. */
export interface AgentLine {
  readonly line: LogLine;
  /** Absent: it goes on with what the line before it says. */
  readonly isAbout?: boolean;
}

/** Reads a line of the agent's log, and whether it is about the add-on of that name. */
export function agentLine(line: string, name: string): AgentLine {
  const [, at, told] = HEADED.exec(line) ?? [];
  if (at === undefined || told === undefined)
    return { line: { source: "agent", level: levelOf(line), text: line } };
  const isAbout = told.startsWith(`${name}: `);
  const text = isAbout ? told.slice(name.length + 2) : told;
  return { line: { at, source: "agent", level: levelOf(text), text }, isAbout };
}

function levelOf(text: string): LogLine["level"] {
  return TROUBLE.test(text) ? "warning" : "info";
}
