import { readFile } from "node:fs/promises";
import { z } from "zod";
import { isAlive } from "../../system/processes";
import type { HomeLayout } from "./home";

/** Where the agent's console answers; no secret, so that whoever may read the data home can be told. */
const ConsoleNoteSchema = z.object({ origin: z.string(), pid: z.number().int(), startedAt: z.string() });
export type ConsoleNote = z.infer<typeof ConsoleNoteSchema>;

/** What the agent noted about its console; absent: none runs. */
export async function readConsoleNote(layout: HomeLayout): Promise<ConsoleNote | undefined> {
  const text = await readFile(layout.console, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const note = ConsoleNoteSchema.parse(JSON.parse(text));
    return (await isAlive(note)) ? note : undefined;
  } catch {
    return undefined;
  }
}
