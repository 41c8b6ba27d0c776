// The stores that people run beside AWS: what one server does need not hold for the next.
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { openOn, pendingUploads, s3TestStore } from "../contract/store-s3-support";
import { storeSuite } from "../contract/store-suite";
import { startS3FaultProxy } from "../support/s3-fault-proxy";
import { garage, minio, type S3Server, startGarage, startMinio } from "../support/s3-servers";
import { describeWith } from "../support/tools";

const never = new AbortController().signal;

/** What a server says to an end of an upload that it has seen before is each server's own. */
function lostAnswers(start: () => Promise<S3Server>): void {
  test.each([true, false])(
    "whose answer to the end of an upload is lost has stored it (if absent: %s)",
    async (ifAbsent) => {
      await using server = await start();
      await using proxy = await startS3FaultProxy(server.endpoint);
      const store = await openOn(server, proxy.endpoint);
      const content = randomBytes(20_000_000);
      proxy.set(({ method, query, nth }) =>
        method === "POST" && query.has("uploadId") && nth === 1 ? { kind: "lose-answer" } : undefined,
      );
      await store.put("a/1", Readable.from([content], { objectMode: false }), { ifAbsent, signal: never });
      expect(proxy.requests.filter(({ fault }) => fault !== undefined)).toHaveLength(1);
      expect((await buffer(await store.get("a/1", never))).equals(content)).toBe(true);
      expect(await pendingUploads(server)).toEqual([]);
    },
  );
}

describeWith([minio], "MinIO", () => {
  storeSuite("S3", s3TestStore(startMinio));
  lostAnswers(startMinio);
});

describeWith([garage], "Garage, which passes over conditions", () => {
  storeSuite("S3", s3TestStore(startGarage), { ifAbsent: false });
  lostAnswers(startGarage);
});
