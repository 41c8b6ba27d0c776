import { isDeepStrictEqual } from "node:util";
import type { AddonRecord, BackupsWish, ReplicationWish } from "../core/facets";
import type { Instance } from "../core/instance";
import type { DiffAnswer, DiffCall } from "../pulumi/definition";
import type { Properties } from "../pulumi/properties";
import { instanceStanding, staleFailure } from "./claims";
import { movesHome, requireHome } from "./home-guard";
import type { Operations } from "./operations";
import type { PlatformChoiceInput, Recorded } from "./recorded";

interface FacetInputs {
  readonly addon: string;
  readonly platform: PlatformChoiceInput;
}

/** The two facets that a resource of their own writes beside the RedisAddon. */
export interface Facet<Wish extends ReplicationWish | BackupsWish, Inputs> {
  of(record: AddonRecord): { readonly wish: Wish; readonly instance: Instance } | undefined;
  /** Absent where it isn't known yet. */
  wanted(inputs: Partial<Inputs>): Wish | undefined;
}

/** What an update of a facet would do, from what is recorded here and from the program. */
export async function diffFacet<
  Wish extends ReplicationWish | BackupsWish,
  Inputs extends FacetInputs,
  State extends Recorded & Properties & { readonly addon: string },
>(operations: Operations, facet: Facet<Wish, Inputs>, call: DiffCall<Inputs, State>): Promise<DiffAnswer> {
  const { inputs, unknown, state } = call;
  // Only an add-on that is being replaced has an id that isn't known, and its facets move with it.
  if (unknown.has("addon") || (inputs.addon !== undefined && inputs.addon !== state.addon))
    return { changes: true, replaces: ["addon"] };
  const platform = await operations.openPlatform(inputs.platform ?? state.platform);
  if (await movesHome(platform, inputs.platform, state)) return { changes: true, replaces: ["platform"] };

  await requireHome(platform, state, { operation: "compare", subject: state.addon });
  const record = await platform.load(state.addon);
  const current = record === undefined ? undefined : facet.of(record);
  const standing = instanceStanding(current?.instance, state.__instance);
  if (standing === "stale") throw staleFailure(state.addon, state.__urn);
  const changed =
    standing !== "in-force" ||
    state.__phase !== "ready" ||
    unknown.size > 0 ||
    !isDeepStrictEqual(current?.wish, facet.wanted(inputs));
  return { changes: changed, replaces: [] };
}
