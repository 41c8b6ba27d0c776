import type { AddonLayout } from "../../platforms/local/home";
import { readProcessState, type ProcessState } from "../../platforms/local/process-state";
import { writeDurably } from "../../system/files";

type Note = ProcessState extends infer State
  ? State extends unknown
    ? Omit<State, "hasRun">
    : never
  : never;

/** What the agent writes down about one server's process; written only when it changes. */
export class ProcessNotes {
  constructor(readonly files: AddonLayout) {}

  async write(note: Note): Promise<void> {
    const known = await readProcessState(this.files);
    const hasRun = known?.hasRun === true || note.state === "running";
    const state = { ...note, hasRun };
    if (JSON.stringify(known) !== JSON.stringify(state))
      await writeDurably(this.files.process, JSON.stringify(state), 0o600);
  }

  async exist(): Promise<boolean> {
    return (await readProcessState(this.files)) !== undefined;
  }

  /** Whether a server of this add-on has ever answered. */
  async hasRun(): Promise<boolean> {
    return (await readProcessState(this.files))?.hasRun === true;
  }
}
