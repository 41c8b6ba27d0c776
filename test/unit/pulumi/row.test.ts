import { expect, test } from "vitest";
import { progressText } from "../../../provider/pulumi/row";
import { fakeEngine } from "../../support/pulumi-fakes";

test("progress is shown four times a second at most, and the newest wins", async () => {
  const engine = fakeEngine();
  const row = engine.row("urn");
  for (let i = 1; i <= 100; i++) row.progress({ message: `step ${i}` });
  await engine.advance(0);
  await engine.advance(250);
  await engine.advance(250);
  expect(engine.messages.map((message) => message.message)).toEqual(["step 1", "step 100"]);
  expect(engine.messages.every((message) => message.ephemeral && message.urn === "urn")).toBe(true);
});

test("what has not changed is not said again", async () => {
  const engine = fakeEngine();
  const row = engine.row("urn");
  row.progress({ message: "waiting" });
  await engine.advance(250);
  row.progress({ message: "waiting" });
  await engine.advance(250);
  expect(engine.messages).toHaveLength(1);
});

test("nothing is shown once the operation is over", async () => {
  const engine = fakeEngine();
  const row = engine.row("urn");
  row.progress({ message: "one" });
  row.progress({ message: "two" });
  row.close();
  await engine.advance(1000);
  expect(engine.messages.map((message) => message.message)).toEqual(["one"]);
});

test("infos and warnings stay", async () => {
  const engine = fakeEngine();
  await engine.row("urn").info("kept");
  await engine.row(undefined).warning("mind");
  expect(engine.messages).toEqual([
    { severity: "info", message: "kept", urn: "urn", ephemeral: false },
    { severity: "warning", message: "mind", urn: undefined, ephemeral: false },
  ]);
});

test.each([
  [{ message: "waiting" }, "waiting"],
  [{ message: "syncing", doneBytes: 0 }, "syncing, 0 B"],
  [{ message: "syncing", doneBytes: 1536 }, "syncing, 1.5 KiB"],
  [
    { message: "syncing", doneBytes: 5 * 1024 ** 2, totalBytes: 20 * 1024 ** 2 },
    "syncing, 5.0 MiB of 20.0 MiB (25 %)",
  ],
  [
    { message: "syncing", doneBytes: 5 * 1024 ** 2, estimatedBytes: 20 * 1024 ** 2 },
    "syncing, 5.0 MiB (~25 %)",
  ],
  [{ message: "syncing", doneBytes: 30, estimatedBytes: 20 }, "syncing, 30 B (~99 %)"],
  [{ message: "syncing", doneBytes: 5, totalBytes: 10, estimatedBytes: 50 }, "syncing, 5 B of 10 B (50 %)"],
  [{ message: "waiting", elapsedSeconds: 0 }, "waiting, 0 s"],
  [{ message: "waiting", elapsedSeconds: 125 }, "waiting, 2 min 5 s"],
  [
    { message: "syncing", doneBytes: 1536, estimatedBytes: 3072, elapsedSeconds: 59 },
    "syncing, 1.5 KiB (~50 %), 59 s",
  ],
  [{ message: "syncing", doneBytes: 30, totalBytes: 20 }, "syncing, 30 B of 20 B (100 %)"],
])("%j reads %s", (progress, text) => {
  expect(progressText(progress)).toBe(text);
});
