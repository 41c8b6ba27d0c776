import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { expect, it } from "vitest";
import { follows } from "../support/follow";
import { provision } from "../support/provision";
import { creates, makeTestHome, SMALL, type TestHome } from "../support/data-home";

/** What must know a password, each a file of mode 0600: the record, and the one that Redis reads a leader's from. */
const KNOWS = new Set(["record.json", "redis.conf"]);

async function everyFile(home: TestHome): Promise<string[]> {
  const entries = await readdir(home.path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.parentPath.startsWith(join(home.path, "programs")))
    .map((entry) => join(entry.parentPath, entry.name));
}

async function processTexts(): Promise<string> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const texts = pids.flatMap((pid) =>
    ["cmdline", "environ"].map((file) => readFile(`/proc/${pid}/${file}`, "latin1").catch(() => "")),
  );
  return (await Promise.all(texts)).join("\n");
}

it("keeps passwords out of logs, backups, job folders, arguments and environments", async () => {
  await using home = await makeTestHome();
  const request = { claim: creates("t1"), wish: SMALL, given: ["plan"] };
  const lead = await provision(home.platform, { name: "lead", ...request }, home.task);
  const copy = await provision(home.platform, { name: "copy", ...request }, home.task);
  await follows(home, { name: "copy", leader: "lead" });

  const passwords = [lead, copy].flatMap((record) => Object.values(record.credentials));
  expect(new Set(passwords).size).toBe(6);
  let isRunning = true;
  const backup = home.platform.backUp("lead", home.task).finally(() => {
    isRunning = false;
  });
  const seen: string[] = [];
  // Looks again and again while the job runs: it is short-lived.
  while (isRunning) seen.push(await processTexts());
  await backup;
  expect(seen.some((text) => text.includes("job/main.js"))).toBe(true);
  for (const password of passwords) for (const text of seen) expect(text.includes(password)).toBe(false);

  const files = await everyFile(home);
  expect(files.some((file) => file.endsWith("agent.log"))).toBe(true);
  for (const file of files) {
    const text = await readFile(file, "latin1");
    const found = passwords.some((password) => text.includes(password));
    expect(found && !KNOWS.has(basename(file)), file).toBe(false);
  }
  expect(home.messages.some((message) => passwords.some((password) => message.includes(password)))).toBe(
    false,
  );
});
