import type { Task } from "../../core/task";
import type { AddonLayout } from "../../platforms/local/home";

/** Add-ons that something is being restored into. */
const underWay = new Set<string>();

export function markUnderWay({ root }: AddonLayout): Disposable {
  underWay.add(root);
  return {
    [Symbol.dispose]: () => {
      underWay.delete(root);
    },
  };
}

/** Tells a caller who is to wait for an add-on's restore: fetching a backup may take hours. */
export function tellOfRestore({ root }: AddonLayout, name: string, task: Pick<Task, "progress">): void {
  if (underWay.has(root)) sayThatItWaits(name, task);
}

export function sayThatItWaits(name: string, task: Pick<Task, "progress">): void {
  task.progress({ message: `waiting for the restore of ${name} to end` });
}
