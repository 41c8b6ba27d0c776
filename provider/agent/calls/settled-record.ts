import type { AddonRecord } from "../../core/facets";
import type { Task } from "../../core/task";
import { readRecord } from "../../platforms/local/records";
import { log } from "../log";
import { sayThatItWaits } from "../restore/under-way";
import type { AgentService } from "../service";

/**
 * An add-on's record, once it is known who leads, and a restore that was begun has come to its end, unless that is held
 * up. Absent: there is no such add-on.
 */
export async function settledRecord(
  { layout, supervisor }: AgentService,
  name: string,
  task: Task,
): Promise<AddonRecord | undefined> {
  const record = await supervisor.handOvers.settled(name, task);
  if (record?.restoring === undefined) return record;
  sayThatItWaits(name, task);
  await supervisor.place(name, task).catch((error: unknown) => {
    task.signal.throwIfAborted();
    log(`${name}: ${String(error)}`);
  });
  return readRecord(layout, name);
}
