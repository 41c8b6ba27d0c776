import { z } from "zod";

/** The two in which a resource's outputs are recorded: a refresh clears the engine's own mark of a failed create. */
const PHASES = ["provisioning", "ready"] as const;
export type Phase = (typeof PHASES)[number];

export const PlatformInput = z
  .strictObject({
    kind: z.literal("local", { error: 'the platforms are: "local"' }),
    dataHome: z.string().min(1, { error: "name a folder, or leave it out" }).optional(),
  })
  .default({ kind: "local" });
export type PlatformChoiceInput = z.infer<typeof PlatformInput>;

/** Which data home a resource lives in, as outputs record it. */
const HomeSchema = z.object({ id: z.string(), host: z.string(), path: z.string() });

/** Hidden outputs that all three resources record. */
export const recordedShape = {
  platform: z.object({ kind: z.literal("local"), dataHome: z.string().optional() }),
  /** The instance token that this state carries. */
  __instance: z.string(),
  __home: HomeSchema,
  __phase: z.enum(PHASES),
  __urn: z.string().optional(),
  __given: z.array(z.string()),
};

const RecordedSchema = z.looseObject(recordedShape);
export type Recorded = z.infer<typeof RecordedSchema>;
