import { expect, test } from "vitest";
import { describeMatrix } from "../support/matrix";
import { proveExactness, type Way } from "../support/prove-exactness";

const WAYS: readonly Way[] = ["from memory", "from its disk"];

describeMatrix((server) => {
  test.each(WAYS)("%s a backup under load holds exactly what the server had at its offset", async (way) => {
    expect(await proveExactness(server, way)).toBeGreaterThan(20_000);
  });
});
