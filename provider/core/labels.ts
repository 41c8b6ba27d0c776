const MOST_LABELS = 64;
const KEY = /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$/;
const MOST_VALUE_CHARACTERS = 256;

/** Why these can't be an add-on's labels; absent: they can. */
export function labelsProblem(labels: Readonly<Record<string, string>>): string | undefined {
  const entries = Object.entries(labels);
  if (entries.length > MOST_LABELS)
    return `there are ${entries.length} labels, at most ${MOST_LABELS} are kept`;
  for (const [key, value] of entries) {
    if (!KEY.test(key))
      return `"${key}" can't be a label's name: write 1 to 63 letters, digits, dots, slashes, hyphens or underscores, a letter or digit first and last`;
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    if (value.length > MOST_VALUE_CHARACTERS || /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(value))
      return `the value of the label ${key} has to be at most ${MOST_VALUE_CHARACTERS} characters on one line`;
  }
  return undefined;
}
