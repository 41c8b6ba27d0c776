import type { Task } from "../core/task";
import type { HandOver, HandOverResult, Platform } from "../platforms/contract";

/** Lets another Pulumi project or stack adopt an add-on: nothing about its server changes. */
export function handOver(platform: Platform, request: HandOver, task: Task): Promise<HandOverResult> {
  return platform.handOver(request, task);
}
