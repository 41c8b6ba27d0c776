import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { download, fetchText } from "../../../.dev/setup/download.mjs";

const contents = Buffer.alloc(300_000, "redis");
const sha256 = createHash("sha256").update(contents).digest("hex");

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/tool.tar.gz`;
}

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "redis-addon-download-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "tool.tar.gz");
}

it("keeps a file that has the right checksum, and tells how far it is", async () => {
  const url = await serve((_, response) =>
    response.setHeader("content-length", contents.length).end(contents),
  );
  const file = newFile();
  const seen: (number | undefined)[] = [];
  await download(url, file, { sha256, onProgress: (received, total) => seen.push(received, total) });
  expect(readFileSync(file).equals(contents)).toBe(true);
  expect(seen.slice(-2)).toEqual([contents.length, contents.length]);
});

it("keeps nothing of a file with another checksum", async () => {
  const url = await serve((_, response) => response.end("something else"));
  const file = newFile();
  await expect(download(url, file, { sha256 })).rejects.toThrow(/SHA-256 is [0-9a-f]{64}, it should be/);
  expect(existsSync(file)).toBe(false);
});

it("names the status where the file isn't there", async () => {
  const url = await serve((_, response) => response.writeHead(404).end("no"));
  const file = newFile();
  await expect(download(url, file, { sha256 })).rejects.toThrow("HTTP status 404");
  expect(existsSync(file)).toBe(false);
});

it("keeps nothing of a file that is cut short", async () => {
  const url = await serve((_, response) => {
    response.setHeader("content-length", contents.length);
    response.write(contents.subarray(0, 100_000), () => response.destroy());
  });
  const file = newFile();
  await expect(download(url, file, { sha256 })).rejects.toThrow("can't be downloaded");
  expect(existsSync(file)).toBe(false);
});

it("gives up on a server that never answers", async () => {
  const url = await serve(() => undefined);
  const startedAt = performance.now();
  await expect(download(url, newFile(), { sha256, answerWithinMs: 100 })).rejects.toThrow(
    "no answer within 0.1 s",
  );
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});

it("gives up on a server that falls silent, but waits for a slow one", async () => {
  const url = await serve((_, response) => void response.write("a beginning"));
  const file = newFile();
  await expect(download(url, file, { sha256, stallAfterMs: 100 })).rejects.toThrow("sent nothing for 0.1 s");
  expect(existsSync(file)).toBe(false);

  const slow = await serve((_, response) => {
    let at = 0;
    const timer = setInterval(() => {
      response.write(contents.subarray(at, (at += 30_000)));
      if (at < contents.length) return;
      clearInterval(timer);
      response.end();
    }, 60);
  });
  await download(slow, file, { sha256, answerWithinMs: 400, stallAfterMs: 2_000 });
  expect(readFileSync(file).equals(contents)).toBe(true);
});

it("says why nothing can be reached", async () => {
  const url = await serve(() => undefined);
  const closed = url.replace(/:\d+/, ":9");
  await expect(fetchText(closed)).rejects.toThrow(/can't be reached: .+/);
  await expect(fetchText(url, { answerWithinMs: 100 })).rejects.toThrow("no answer within 0.1 s");
});
