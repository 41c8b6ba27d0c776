import { z } from "zod";
import { nameProblem } from "../../core/addon-name";
import { parseSettings } from "../../core/allowed-settings";
import { bindProblem } from "../../core/bind";
import { ACCESS_LEVELS, EVICTION_POLICIES, PERSISTENCE, TIERS } from "../../core/facets";
import { labelsProblem } from "../../core/labels";
import { passwordProblem } from "../../core/password";
import { PlanChoiceSchema } from "../../core/plan-choice";
import { parseWanted } from "../../core/version";
import { oneOf } from "../choices";
import { PlatformInput } from "../recorded";
import { RestoreInput } from "./restore-input";

const portError = "write a whole number from 1 to 65535, or leave it out to have a free port chosen";

const SettingsInput = z
  .record(z.string(), z.unknown(), { error: 'write names and values: { "notify-keyspace-events": "KEA" }' })
  .transform((given, context) => {
    const { settings, problems } = parseSettings(given);
    for (const { name, reason } of problems)
      context.addIssue({ code: "custom", path: [name], message: reason });
    return { ...settings };
  })
  .default({});

const LabelsInput = z
  .record(z.string(), z.string({ error: "write a text" }), {
    error: 'write names and texts: { team: "shop" }',
  })
  .superRefine((labels, context) => {
    const problem = labelsProblem(labels);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  })
  .default({});

export const redisAddonShape = {
  name: z
    .string({ error: "write a text, or leave it out" })
    .superRefine((name, context) => {
      const problem = nameProblem(name);
      if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
    })
    .optional(),
  plan: PlanChoiceSchema,
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
  password: z
    .string({ error: "write a text, or leave it out to have one made" })
    .superRefine((password, context) => {
      const problem = passwordProblem(password);
      if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
    })
    .optional(),
  persistence: oneOf(PERSISTENCE, "persistence").default("everysec"),
  settings: SettingsInput,
  labels: LabelsInput,
  deletion: z
    .strictObject({ finalBackup: z.boolean({ error: "write true or false" }).default(true) })
    .default({ finalBackup: true }),
  restoreFrom: RestoreInput,
  replaceData: z.boolean({ error: "write true or false" }).default(false),
  platform: PlatformInput,
};

const RedisAddonInputs = z.object(redisAddonShape);
export type RedisAddonInputs = z.infer<typeof RedisAddonInputs>;

/** What a program says of the server itself: neither whose it is and where it runs, nor where its data come from. */
export function serverInputs<Inputs extends Partial<RedisAddonInputs>>(inputs: Inputs) {
  const { name: _, platform: __, restoreFrom: ___, replaceData: ____, ...server } = inputs;
  return server;
}
