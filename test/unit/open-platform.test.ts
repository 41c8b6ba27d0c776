import { expect, test } from "vitest";
import { openPlatform } from "../../provider/operations/open-platform";

test("a Node.js that the platform can't run with is refused by name, before anything of it is loaded", async () => {
  await expect(openPlatform({ kind: "local" }, "v20.20.2")).rejects.toMatchObject({
    code: "node-too-old",
    cause: "the agent and the provider need 22.13 or newer",
    hint: expect.stringContaining("newer"),
  });
});
