import { memoryText } from "../../../core/memory-size";
import { planOf } from "../../../core/plans";
import type { AddonStatus } from "../../../core/status";
import type { Plotted } from "../../plots/plot";
import type { Sample } from "../../watch/samples";

type Figure = Exclude<keyof Sample, "at">;
type Look = Pick<Plotted, "title" | "counting" | "words" | "limit" | "atLeast">;

/** What is plotted of an add-on's samples; a leader has no lag. */
export function plotsOf(
  { wish, replication }: AddonStatus,
  samples: readonly Sample[],
  { from, to }: { readonly from: number; readonly to: number },
): readonly Plotted[] {
  const within = samples.filter(({ at }) => at >= from && at <= to);
  const plan = planOf(wish.plan);
  const looks: readonly (readonly [Figure, Look])[] = [
    [
      "memoryUsedBytes",
      {
        title: "Memory",
        counting: "binary",
        words: memoryText,
        limit: { value: plan.memoryBytes, words: `the plan's limit is ${memoryText(plan.memoryBytes)}` },
      },
    ],
    ["operationsPerSecond", { title: "Operations per second", counting: "whole", words: countText }],
    [
      "connections",
      {
        title: "Connections",
        counting: "whole",
        words: countText,
        limit: { value: plan.connections, words: `the plan's limit is ${plan.connections}` },
      },
    ],
    ["hitRate", { title: "Hit rate of lookups", counting: "decimal", words: percentText, atLeast: 1 }],
    ["evictedKeysPerSecond", { title: "Evicted keys per second", counting: "decimal", words: countText }],
    ...(replication.role === "follower"
      ? ([["lagBytes", { title: "Lag behind the leader", counting: "binary", words: memoryText }]] as const)
      : []),
  ];
  return looks.map(([figure, look]) => ({
    ...look,
    id: figure,
    ...{ from, to },
    points: within.map((sample) => ({ at: sample.at, value: sample[figure] })),
  }));
}

/** Beyond 999 in thousands, as axes have little room: `12k`. */
function countText(value: number): string {
  if (value >= 1e6) return `${short(value / 1e6)}M`;
  if (value >= 1e3) return `${short(value / 1e3)}k`;
  return short(value);
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function percentText(value: number): string {
  return `${Number((value * 100).toPrecision(3))} %`;
}
