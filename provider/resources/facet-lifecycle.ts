import type { z } from "zod";
import type { AddonRecord } from "../core/facets";
import type { Instance } from "../core/instance";
import type { Task } from "../core/task";
import type { Claim, Platform } from "../platforms/contract";
import type { InputsOf, ResourceDefinition } from "../pulumi/definition";
import type { Properties } from "../pulumi/properties";
import type { Row } from "../pulumi/row";
import { createClaim, updateClaim } from "./claims";
import { requireHome } from "./home-guard";
import type { Operations } from "./operations";
import type { Phase, PlatformChoiceInput, Recorded } from "./recorded";

/** What a state records beside what the platform does. */
export interface RecordedRest {
  readonly platform: PlatformChoiceInput;
  readonly token: string;
  readonly phase: Phase;
  readonly given: readonly string[];
}

interface FacetRequest<Inputs> {
  readonly name: string;
  readonly claim: Claim;
  readonly given: readonly string[];
  readonly inputs: Inputs;
  readonly deadlineMs: number;
  /** For what is worth knowing of a change that succeeded. */
  readonly row: Row;
}

/** A facet that a resource of its own writes beside the RedisAddon. */
interface WrittenFacet<Inputs, State> {
  /** Absent where the record holds none. */
  instanceOf(record: AddonRecord): Instance | undefined;
  apply(platform: Platform, request: FacetRequest<Inputs>, task: Task): Promise<AddonRecord>;
  stateOf(platform: Platform, record: AddonRecord, rest: RecordedRest, inputs: Inputs): Promise<State>;
}

/** Creating and changing a facet, and finding what a create or update that failed has left: the same for both. */
export function facetLifecycle<
  Shape extends z.ZodRawShape,
  State extends Recorded & Properties & { readonly addon: string },
>(
  operations: Operations,
  facet: WrittenFacet<InputsOf<Shape>, State>,
): Pick<ResourceDefinition<Shape, State>, "create" | "update" | "leftBehind"> {
  const placeOf = (inputs: InputsOf<Shape>) =>
    inputs as { readonly addon: string; readonly platform: PlatformChoiceInput };
  return {
    async create({ inputs, hidden, token, row, task, deadlineMs }) {
      const { addon, platform: choice } = placeOf(inputs);
      const platform = await operations.openPlatform(choice);
      const claim = createClaim(token, hidden, addon);
      const request = { name: addon, claim, given: hidden.given, inputs, deadlineMs, row };
      const record = await facet.apply(platform, request, task);
      const rest = { platform: choice, token, phase: "ready", given: hidden.given } as const;
      return { id: addon, state: await facet.stateOf(platform, record, rest, inputs) };
    },

    async update({ id, inputs, hidden, state, token, row, task, deadlineMs }) {
      const { platform: choice } = placeOf(inputs);
      const platform = await operations.openPlatform(choice);
      await requireHome(platform, state, { operation: "change", subject: id });
      const recorded = await platform.load(id);
      const tokens = { carried: state.__instance, fresh: token };
      const claim = updateClaim(recorded && facet.instanceOf(recorded), tokens, hidden, id);
      const request = { name: id, claim, given: hidden.given, inputs, deadlineMs, row };
      const record = await facet.apply(platform, request, task);
      const rest = { platform: choice, token: claim.token, phase: "ready", given: hidden.given } as const;
      return facet.stateOf(platform, record, rest, inputs);
    },

    async leftBehind({ inputs, hidden, token, state }) {
      const { addon, platform: choice } = placeOf(inputs);
      const platform = await operations.openPlatform(choice);
      const record = await platform.load(addon);
      const instance = record && facet.instanceOf(record);
      if (record === undefined || instance === undefined) return undefined;
      const held = instance.token === token ? token : state?.__instance;
      if (held === undefined) return undefined;
      const rest = { platform: choice, token: held, phase: "provisioning", given: hidden.given } as const;
      return { id: record.name, state: await facet.stateOf(platform, record, rest, inputs) };
    },
  };
}
