import { expect, test } from "vitest";
import { describeMatrix } from "../support/matrix";
import { proveExactness, type Way } from "../support/prove-exactness";

const WAYS: readonly Way[] = ["from memory", "from its disk"];
const RUNS_EACH_WAY = 10;

describeMatrix((server) => {
  test.each(WAYS)(
    "%s each of ten backups under load holds exactly what the server had at its offset",
    async (way) => {
      for (let run = 0; run < RUNS_EACH_WAY; run++)
        expect(await proveExactness(server, way)).toBeGreaterThan(20_000);
    },
  );
});
