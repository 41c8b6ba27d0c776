import type { Handler } from "../../provider/pulumi/define-resource";
import { PLACEHOLDER, STATE_VERSION, type Properties } from "../../provider/pulumi/properties";

const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** What the engine keeps of a resource, driven through a handler as the engine does it. */
export interface FakeResource {
  id: string;
  inputs: Properties;
  outs: Properties;
}

/** Inputs as our SDK classes pass them. */
export function sdkInputs(
  urn: string,
  inputs: Properties,
  computed: readonly string[] = [
    "name",
    "host",
    "port",
    "version",
    "password",
    "redisUrl",
    "redisCliUrl",
    "createdAt",
  ],
): Properties {
  const given = Object.keys(inputs).filter((key) => !key.startsWith("__"));
  const placeholders = computed.filter((key) => !given.includes(key)).map((key) => [key, PLACEHOLDER]);
  return {
    ...inputs,
    ...Object.fromEntries(placeholders),
    __provider: "text",
    __state: STATE_VERSION,
    __urn: urn,
    __given: given,
    __timeouts: {},
  };
}

/** The engine keeps no secret from a handler that can't take one. */
export function inClear(properties: unknown): Properties {
  return JSON.parse(JSON.stringify(properties), (_, value: unknown) =>
    typeof value === "object" && value !== null && SIGNATURE in value && "value" in value
      ? value.value
      : value,
  ) as Properties;
}

/** One `pulumi up` of one resource: checks, compares, and creates or updates; fails where check does. */
export async function up(
  handler: Handler,
  news: Properties,
  old?: FakeResource,
): Promise<{ resource: FakeResource; did: "created" | "updated" | "nothing"; replaces: readonly string[] }> {
  const checked = await handler.check(old?.inputs ?? {}, news);
  if (checked.failures.length > 0) throw new Error(JSON.stringify(checked.failures));
  const inputs = { ...inClear(checked.inputs), __provider: news["__provider"] };
  if (old === undefined) {
    const { id, outs } = await handler.create(inputs);
    return {
      resource: { id, inputs, outs: { ...inClear(outs), __provider: "text" } },
      did: "created",
      replaces: [],
    };
  }
  const { changes, replaces } = await handler.diff(old.id, old.outs, inputs);
  if (!changes) return { resource: { ...old, inputs }, did: "nothing", replaces };
  if (replaces.length > 0) return { resource: old, did: "nothing", replaces };
  const { outs } = await handler.update(old.id, old.outs, inputs);
  const resource = { id: old.id, inputs, outs: { ...inClear(outs), __provider: "text" } };
  return { resource, did: "updated", replaces };
}

export async function refresh(
  handler: Handler,
  { id, outs }: FakeResource,
): Promise<FakeResource | undefined> {
  const found = await handler.read(id, outs);
  if (found.id === "") return undefined;
  return {
    id: found.id,
    inputs: inClear(found.inputs),
    outs: { ...inClear(found.props), __provider: "text" },
  };
}
