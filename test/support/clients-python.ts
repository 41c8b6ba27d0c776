import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import type { Client } from "./clients";
import { findTool, pathOf, type Tool } from "./tools";

/** Each a Python that finds redis-py in the version of its name. */
export const redisPys: readonly Tool[] = [findTool("redis-py 5"), findTool("redis-py 8")];

const AnswerSchema = z.union([z.object({ read: z.string().nullable() }), z.object({ error: z.string() })]);

/** redis-py in a process that stays; its round trips run one after another. */
export function startRedisPy(tool: Tool): Client & AsyncDisposable {
  const script = join(import.meta.dirname, "clients.py");
  const child = spawn(pathOf(tool), [script], { stdio: ["pipe", "pipe", "inherit"] });
  // A test run that is interrupted runs no disposers.
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  const exited = once(child, "exit");
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (url: string, key: string, value: string) => {
    child.stdin.write(`${JSON.stringify({ url, key, value })}\n`);
    const line = await answers.next();
    if (line.done === true) throw new Error("python3 has ended");
    const answer = AnswerSchema.parse(JSON.parse(line.value));
    if ("error" in answer) throw new Error(answer.error);
    return answer.read;
  };
  return {
    name: tool.name,
    roundTrip: ask,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exited;
      process.removeListener("exit", killWithUs);
    },
  };
}
