import { z } from "zod";
import { LOG_SOURCES, type LogExcerpt, type LogQuery, type LogSource } from "../../contract";
import type { HomeLayout } from "../home";
import { readRecord } from "../records";
import { agentLine } from "./agent-lines";
import { withoutSecrets } from "./known-secrets";
import { mergeLines } from "./merge-lines";
import {
  FilePositionSchema,
  linesSince,
  newestLines,
  NOWHERE,
  type LogSourceFile,
  type SourceExcerpt,
} from "./read-source";
import { serverLine } from "./server-lines";

const PositionSchema = z.partialRecord(z.enum(LOG_SOURCES), FilePositionSchema);
type Position = z.infer<typeof PositionSchema>;

/** A part of what an add-on's server and the agent wrote about it; absent: there is no such add-on. */
export async function readLog(
  layout: HomeLayout,
  name: string,
  { sources, lines }: LogQuery,
): Promise<LogExcerpt | undefined> {
  const record = await readRecord(layout, name);
  if (record === undefined) return undefined;
  const after = "after" in lines ? positionOf(lines.after) : undefined;
  const read = async (source: LogSource): Promise<SourceExcerpt> => {
    const file = fileOf(layout, name, source);
    if (!sources.includes(source)) return { lines: [], end: after?.[source] ?? NOWHERE };
    if ("newest" in lines) return newestLines(file, lines.newest);
    return linesSince(file, after?.[source] ?? NOWHERE);
  };
  const [server, agent] = [await read("server"), await read("agent")];
  const merged = mergeLines(server.lines, agent.lines);
  const shown = "newest" in lines ? merged.slice(Math.max(0, merged.length - lines.newest)) : merged;
  const hide = withoutSecrets(record);
  return {
    lines: shown.map((line) => ({ ...line, text: hide(line.text) })),
    end: JSON.stringify({ server: server.end, agent: agent.end } satisfies Position),
  };
}

function fileOf(layout: HomeLayout, name: string, source: LogSource): LogSourceFile {
  if (source === "agent") return { path: layout.agentLog, read: (line) => agentLine(line, name) };
  return {
    path: layout.addon(name).log,
    read: (line) => ({ line: serverLine(line), isAbout: true }),
  };
}

/** One that nobody can read begins where the logs do. */
function positionOf(text: string): Position {
  try {
    return PositionSchema.parse(JSON.parse(text));
  } catch {
    return {};
  }
}
