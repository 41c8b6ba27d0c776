import * as pulumi from "@pulumi/pulumi";
import { RedisAddon } from "./redis-addon";

/**
 * The RedisAddon that an input names: itself, or its own output `id` or `name`. Of a text, and of whatever was made of
 * outputs, nobody can say whose it is before it is known.
 */
export function addonOf(input: RedisAddon | pulumi.Input<string>): RedisAddon | undefined {
  if (RedisAddon.isInstance(input)) return input;
  if (!pulumi.Output.isInstance(input)) return undefined;
  // No part of Pulumi's public types: where it isn't there, the output is taken as any other.
  const { resources } = input as { readonly resources?: () => ReadonlySet<pulumi.Resource> };
  return [...(resources?.() ?? [])]
    .filter((resource) => RedisAddon.isInstance(resource))
    .find(({ id, name }) => (input as unknown) === id || (input as unknown) === name);
}
