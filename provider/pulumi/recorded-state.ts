import type { z } from "zod";
import { Failure } from "../core/errors";
import { STATE_VERSION, type Properties } from "./properties";

interface Recorded<State> {
  readonly noun: string;
  readonly state: z.ZodType<State>;
  subject(properties: Properties): string | undefined;
}

/** Recorded outputs, read back; older versions' always can be. */
export function parseState<State>(definition: Recorded<State>, properties: Properties): State {
  const version = properties["__state"];
  const result = definition.state.safeParse(properties);
  if (result.success && typeof version === "number" && version <= STATE_VERSION) return result.data;
  const newer = typeof version === "number" && version > STATE_VERSION;
  const issues = (result.error?.issues ?? []).map((issue) => issue.path.map(String).join("."));
  throw new Failure({
    code: newer ? "state-newer" : "state-unreadable",
    operation: "read the recorded state of",
    subject: definition.subject(properties) ?? `the ${definition.noun}`,
    cause: newer
      ? `a newer version of pulumi-redis-addon wrote it (state version ${version}, this one knows ${STATE_VERSION})`
      : `it lacks what pulumi-redis-addon records (${issues.join(", ") || "__state"})`,
    hint: newer
      ? "Update pulumi-redis-addon in the program's folder: npm install pulumi-redis-addon@latest"
      : "Restore the stack's last good state, or drop the resource with `pulumi state delete` and let `pulumi up` adopt it by its name",
  });
}
