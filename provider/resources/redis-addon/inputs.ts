import { z } from "zod";
import { nameProblem } from "../../core/addon-name";
import { bindProblem } from "../../core/bind";
import { ACCESS_LEVELS, EVICTION_POLICIES, TIERS } from "../../core/facets";
import { PLAN_NAMES } from "../../core/plans";
import { parseWanted } from "../../core/version";
import { oneOf } from "../choices";
import { PlatformInput } from "../recorded";

const portError = "write a whole number from 1 to 65535, or leave it out to have a free port chosen";

export const redisAddonShape = {
  name: z
    .string({ error: "write a text, or leave it out" })
    .superRefine((name, context) => {
      const problem = nameProblem(name);
      if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
    })
    .optional(),
  plan: oneOf(PLAN_NAMES, "plan"),
  tier: oneOf(TIERS, "tier").default("standard"),
  access: oneOf(ACCESS_LEVELS, "access level").default("standard"),
  evictionPolicy: oneOf(EVICTION_POLICIES, "eviction policy").default("noeviction"),
  version: z
    .string({ error: 'write a text such as "7.2.4" or "valkey-8.1.8"' })
    .refine((text) => parseWanted(text) !== undefined, {
      error: 'no version is spelt like this: write "7.2", "7.2.4" or "valkey-8.1.8", or leave it out',
    })
    .optional(),
  port: z
    .number({ error: portError })
    .int({ error: portError })
    .min(1, { error: portError })
    .max(65_535, { error: portError })
    .optional(),
  bind: z
    .string({ error: 'write an IP address such as "127.0.0.1"' })
    .superRefine((bind, context) => {
      const problem = bindProblem(bind);
      if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
    })
    .default("127.0.0.1"),
  platform: PlatformInput,
};

const RedisAddonInputs = z.object(redisAddonShape);
export type RedisAddonInputs = z.infer<typeof RedisAddonInputs>;
