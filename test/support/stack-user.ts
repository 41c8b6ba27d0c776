import { expect } from "vitest";
import { connectRedis, type RedisClient } from "../../provider/redis/client";
import { eventually } from "./data-home";
import type { CliResult, PulumiProject } from "./pulumi-project";

/** The command line on the stack `dev`, which must succeed. */
export async function succeed(project: PulumiProject, ...args: string[]): Promise<CliResult> {
  const result = await project.pulumi(...args, "--stack", "dev");
  expect(result.code, result.output).toBe(0);
  return result;
}

export function up(project: PulumiProject, ...args: string[]): Promise<CliResult> {
  return succeed(project, "up", "--yes", "--skip-preview", ...args);
}

export async function secretOutput(project: PulumiProject, name: string): Promise<string> {
  return (await succeed(project, "stack", "output", name, "--show-secrets")).stdout.trim();
}

/** Connects as the add-on's user would, as soon as it lets anybody in. */
export async function connectUrl(url: string): Promise<RedisClient> {
  const { hostname, port, username, password } = new URL(url);
  const target = {
    ...{ host: hostname, port: Number(port), username },
    password: decodeURIComponent(password),
    subject: "the add-on",
  };
  return eventually(`${hostname}:${port} answers`, async () => {
    try {
      const client = await connectRedis(target, { signal: AbortSignal.timeout(30_000) });
      await client.command("PING");
      return client;
    } catch {
      return undefined;
    }
  });
}

export async function write(url: string, key: string, value: string): Promise<void> {
  await using client = await connectUrl(url);
  expect(await client.command("SET", key, value)).toBe("OK");
}

export async function read(url: string, key: string): Promise<unknown> {
  await using client = await connectUrl(url);
  return await client.command("GET", key);
}
