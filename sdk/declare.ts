import { createRequire } from "node:module";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { PLACEHOLDER, STATE_VERSION } from "../provider/pulumi/properties";
import { PROVIDER_MODULE, providerText } from "../provider/resources/provider-text";
import { TYPE_TOKENS, type ResourceExport } from "../provider/resources/type-tokens";
import { seconds } from "./duration";

export interface Declaration {
  readonly resource: ResourceExport;
  readonly name: string;
  /** What the program set, stack config included. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Inputs for the provider alone. */
  readonly hidden?: Readonly<Record<string, unknown>>;
  /** Outputs that check fills where it can, so that the preview of an update keeps them known. */
  readonly computed: readonly string[];
  readonly secrets: readonly string[];
  readonly options: pulumi.CustomResourceOptions;
}

/** What the engine is given for one of our resources. */
export function declared({ resource, name, inputs, hidden, computed, secrets, options }: Declaration): {
  token: string;
  props: pulumi.Inputs;
  options: pulumi.CustomResourceOptions;
} {
  refuseImport(resource, name, options);
  requireProvider();
  const given = Object.keys(inputs).filter((key) => inputs[key] !== undefined);
  const placeholders = computed
    .filter((key) => !given.includes(key))
    .map((key) => [key, secrets.includes(key) ? pulumi.secret(PLACEHOLDER) : PLACEHOLDER]);
  return {
    token: TYPE_TOKENS[resource],
    props: {
      ...inputs,
      ...Object.fromEntries(placeholders),
      ...hidden,
      __provider: providerText(resource),
      __state: STATE_VERSION,
      __urn: ownUrn(resource, name, options.parent),
      __given: given,
      __timeouts: timeouts(options.customTimeouts),
    },
    options: pulumi.mergeOptions(options, { additionalSecretOutputs: [...secrets] }),
  };
}

/** A default for a whole stack: `pulumi config set redis-addon:<key> <value>`. */
export function stackDefault(key: "tier" | "dataHome"): string | undefined {
  return new pulumi.Config("redis-addon").get(key);
}

/**
 * The resource's own URN, for messages on its row and for the name that it gets if it has none.
 *
 * Without the parent as a dependency: as an input, an output of a component makes a resource wait for all of the
 * component's children, and two of our resources in one component would wait for each other.
 */
function ownUrn(
  resource: ResourceExport,
  name: string,
  parent: pulumi.Resource | undefined,
): Promise<string> {
  const urn = pulumi.createUrn(name, TYPE_TOKENS[resource], parent);
  return new Promise((resolve) => {
    urn.apply(resolve);
  });
}

function timeouts(custom: pulumi.CustomTimeouts | undefined): Record<string, number> {
  const entries = (["create", "update", "delete"] as const).map(
    (key) => [key, seconds(custom?.[key])] as const,
  );
  return Object.fromEntries(
    entries.filter((entry): entry is [(typeof entry)[0], number] => entry[1] !== undefined),
  );
}

function refuseImport(resource: ResourceExport, name: string, options: pulumi.CustomResourceOptions): void {
  if (options.import === undefined) return;
  const className = TYPE_TOKENS[resource].split(":").at(-1);
  throw new pulumi.RunError(
    `${className} ${name}: Pulumi can't import a dynamic provider's resource with the option \`import\`. Leave it out ` +
      `and give the add-on's name ("${options.import}") as an input: an add-on of that name that this stack made is adopted`,
  );
}

/** Finds out now, with the reason, what the engine's provider process would fail on later. */
function requireProvider(): void {
  const folder = process.cwd();
  try {
    createRequire(join(folder, "index.js")).resolve(PROVIDER_MODULE);
  } catch {
    throw new pulumi.RunError(
      `pulumi-redis-addon can't be found from the program's folder, ${folder}, where Pulumi loads its provider: ` +
        `run \`npm install pulumi-redis-addon\` there (with pnpm or Yarn: add it to that package's dependencies)`,
    );
  }
}
