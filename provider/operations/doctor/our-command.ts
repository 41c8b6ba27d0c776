import { forShell } from "../../core/for-shell";

/** A command of ours as it is pasted: into another shell too, whose environment names no data home. */
export type OurCommand = (words: string) => string;

export function ourCommand(home: string): OurCommand {
  return (words) => `redis-addon ${words} --home ${forShell(home)}`;
}
