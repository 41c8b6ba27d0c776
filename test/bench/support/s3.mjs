// An S3 server of a bench's own, whose objects are files of a folder.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { answers, freePort } from "./ports.mjs";

const BUCKET = "bench";
const KEYS = { AWS_ACCESS_KEY_ID: "bench", AWS_SECRET_ACCESS_KEY: "bench-secret", AWS_REGION: "us-east-1" };
const children = [];

export async function startS3(root) {
  const objects = join(root, BUCKET);
  await mkdir(objects, { recursive: true });
  const port = await freePort();
  const keys = ["--access", KEYS.AWS_ACCESS_KEY_ID, "--secret", KEYS.AWS_SECRET_ACCESS_KEY];
  const args = [...keys, "--port", `127.0.0.1:${port}`, "--quiet", "posix", root];
  const child = spawn("versitygw", args, { stdio: "ignore" });
  await once(child, "spawn");
  children.push(child);
  await answers(port);
  return { endpoint: `http://127.0.0.1:${port}`, bucket: BUCKET, objects, env: KEYS };
}

export async function endAll() {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}
