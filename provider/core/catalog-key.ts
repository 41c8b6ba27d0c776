/** The part of a data home's or cluster's id that tells add-ons of one name apart in a store that machines share. */
const ID_CHARACTERS = 8;

/** The folder in every destination of an add-on that is, or was, made in that data home or cluster. */
export function catalogKeyOf(addon: string, homeId: string): string {
  return `${addon}-${homeId.slice(0, ID_CHARACTERS)}`;
}
