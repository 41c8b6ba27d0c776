/** A path or a URL as it can be pasted: some of its characters mean something to a shell. */
export function forShell(text: string): string {
  return /^[\w/:.@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
