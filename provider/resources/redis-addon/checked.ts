/**
 * The resources whose inputs this run of the engine has checked: what is compared after that is what the program asks
 * for. A refresh checks nothing, and compares what it has read with the inputs of the last update. One process serves
 * one run and all its resources.
 */
const checked = new Set<string | undefined>();

export function inputsChecked(urn: string | undefined): void {
  checked.add(urn);
}

export function isChecked(urn: string | undefined): boolean {
  return checked.has(urn);
}
