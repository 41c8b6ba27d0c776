// One file over HTTP, checked: the whole file with the right checksum, or an error and nothing on the disk.
import { createHash } from "node:crypto";
import { open, rm } from "node:fs/promises";

/**
 * @param {string} url
 * @param {string} file written only by this; removed again on any failure
 * @param {{ sha256: string, answerWithinMs?: number, stallAfterMs?: number,
 *   onProgress?: (receivedBytes: number, totalBytes: number | undefined) => void }} options
 *   `answerWithinMs`: a blocked network must not cost more (default 5 s); `stallAfterMs`: the longest pause
 *   within the body, which may otherwise take as long as it likes (default 30 s)
 */
export async function download(url, file, { sha256, answerWithinMs, stallAfterMs = 30_000, onProgress }) {
  const { response, abort } = await request(url, { answerWithinMs });
  const totalBytes = Number(response.headers.get("content-length")) || undefined;
  const hash = createHash("sha256");
  const handle = await open(file, "w");
  let receivedBytes = 0;
  const stalled = () => abort(new Error(`${url} sent nothing for ${stallAfterMs / 1000} s`));
  let watch = setTimeout(stalled, stallAfterMs);
  try {
    for await (const chunk of response.body ?? []) {
      clearTimeout(watch);
      watch = setTimeout(stalled, stallAfterMs);
      hash.update(chunk);
      await handle.write(chunk);
      receivedBytes += chunk.length;
      onProgress?.(receivedBytes, totalBytes);
    }
    if (totalBytes && receivedBytes !== totalBytes) throw new Error("the connection ended early");
    const found = hash.digest("hex");
    if (found !== sha256) throw new Error(`its SHA-256 is ${found}, it should be ${sha256}`);
  } catch (cause) {
    await handle.close();
    await rm(file, { force: true });
    throw new Error(`${url} can't be downloaded: ${reason(cause)}`, { cause });
  } finally {
    clearTimeout(watch);
  }
  await handle.close();
}

/** A small text file, such as a list of checksums; the whole of it must come within `answerWithinMs`. */
export async function fetchText(url, { answerWithinMs = 5_000 } = {}) {
  const { response, abort } = await request(url, { answerWithinMs });
  const limit = setTimeout(
    () => abort(new Error(`not complete within ${answerWithinMs / 1000} s`)),
    answerWithinMs,
  );
  try {
    return await response.text();
  } catch (cause) {
    throw new Error(`${url} can't be downloaded: ${reason(cause)}`, { cause });
  } finally {
    clearTimeout(limit);
  }
}

async function request(url, { answerWithinMs = 5_000 }) {
  const controller = new AbortController();
  const limit = setTimeout(
    () => controller.abort(new Error(`no answer within ${answerWithinMs / 1000} s`)),
    answerWithinMs,
  );
  try {
    const response = await fetch(url, { signal: controller.signal });
    if (!response.ok) {
      controller.abort();
      throw new Error(`HTTP status ${response.status}`);
    }
    return { response, abort: (why) => controller.abort(why) };
  } catch (cause) {
    throw new Error(`${url} can't be reached: ${reason(cause)}`, { cause });
  } finally {
    clearTimeout(limit);
  }
}

/** fetch says "fetch failed" and hides the reason ("getaddrinfo ENOTFOUND …") in the cause. */
function reason(failure) {
  return failure.cause?.message || failure.message;
}
