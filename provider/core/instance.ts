import { z } from "zod";

/**
 * Which engine state may change a facet.
 *
 * A forced replacement (`up --replace`, `state taint`) runs create, which adopts the add-on of the same name, and then
 * delete of the original with the same id: without a mark it would delete what it has just adopted. So each create
 * stamps a random token that the recorded outputs carry. A new token is unconfirmed until an engine call carries it:
 * until then the previous one may take over again, because the state that held the new one may never have been written.
 */
export const InstanceSchema = z.object({
  token: z.string(),
  previous: z.string().optional(),
  confirmed: z.boolean(),
});
export type Instance = z.infer<typeof InstanceSchema>;

/** What a create makes of the instance that is already there, if any. */
export function adopted(existing: Instance | undefined, token: string): Instance {
  if (existing === undefined) return { token, confirmed: false };
  if (existing.token === token) return existing;
  // A token that no engine call ever carried is in no state: what was before it stays the one to fall back on.
  const previous = existing.confirmed ? existing.token : (existing.previous ?? existing.token);
  return { token, previous, confirmed: false };
}

export type Standing =
  /** The call carries the token in force. */
  | { kind: "current"; instance: Instance }
  /** The call carries the one before it, and nobody has used the newer one yet: it takes over again. */
  | { kind: "previous"; instance: Instance }
  /** The call comes from a state that has been replaced: it must change nothing. */
  | { kind: "stale" };

/** What a call that carries `token` may do, and the instance once it has done it. */
export function standing(instance: Instance, token: string): Standing {
  if (token === instance.token) return { kind: "current", instance: { token, confirmed: true } };
  if (!instance.confirmed && token === instance.previous)
    return { kind: "previous", instance: { token, confirmed: true } };
  return { kind: "stale" };
}
