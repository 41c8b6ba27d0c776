import * as pulumi from "@pulumi/pulumi";

/**
 * An input whose properties of these names are kept as secrets, whatever the program says. What as a whole is known
 * only later is then secret as a whole.
 */
export function secretAt(input: object | undefined, ...names: readonly string[]): unknown {
  if (input === undefined) return undefined;
  if (pulumi.Output.isInstance(input) || input instanceof Promise) return pulumi.secret(input);
  const marked = Object.entries(input).map(([name, value]) =>
    names.includes(name) && value !== undefined ? [name, pulumi.secret(value)] : [name, value],
  );
  return Object.fromEntries(marked);
}
