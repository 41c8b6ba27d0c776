/**
 * The add-ons whose servers this run of the engine is about to change. What is asked of such a server before, and depends
 * on its plan or version, says nothing of the time after. One process serves one run and all its resources.
 */
const changing = new Set<string>();

/** A preview or the beginning of an update has found that the add-on's server is to be changed. */
export function aboutToChange(name: string): void {
  changing.add(name);
}

/** The add-on's server is as wished. */
export function changed(name: string): void {
  changing.delete(name);
}

export function isAboutToChange(name: string | undefined): name is string {
  return name !== undefined && changing.has(name);
}
