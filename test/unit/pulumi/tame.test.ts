import fc from "fast-check";
import { expect, test } from "vitest";
import { Failure } from "../../../provider/core/errors";
import { PartialFailure, scrubbed, secretsIn, tamed } from "../../../provider/pulumi/tame";

const secret = fc.string({ minLength: 3 }).filter((text) => text.trim().length >= 3);

test("however a secret got into a failure, neither message, stack, reasons nor text show it", () => {
  fc.assert(
    fc.property(secret, fc.string(), fc.string(), (password, before, after) => {
      const failure = new Failure({
        code: "bad",
        operation: "follow",
        subject: "cache",
        cause: `${before}${password} or ${encodeURIComponent(password)}${after}`,
      });
      const properties = [{ leader: { host: "h", password } }];
      const error = tamed(failure, "follow", "cache", properties);
      const partial = new PartialFailure(failure, [password], { id: "cache", properties: {} });
      const frame = "cannot follow cache: or bad[secret]";
      for (const text of [error.message, `${error}: ${error.stack}`, partial.reasons.join("\n")])
        if (!frame.includes(password) && !before.includes(password) && !after.includes(password))
          expect(text).not.toContain(password);
    }),
  );
});

test("what the engine prints of a failure is its code and one sentence", () => {
  const error = tamed(
    new Failure({ code: "port-taken", operation: "create", subject: "cache", cause: "no" }),
    "",
    "",
    [],
  );
  expect(`${error}: ${error.stack}`).toBe("port-taken: cannot create cache: no");
});

test("a bug is told with what was being done, and without a stack trace", () => {
  const error = tamed(new TypeError("x is not a function"), "read", "cache", []);
  expect(`${error}: ${error.stack}`).toBe("unexpected: cannot read cache: x is not a function");
});

test("the longer of two secrets is hidden whole", () => {
  expect(scrubbed("it is hunter22", ["hunter2", "hunter22"])).toBe("it is [secret]");
});

test("what opens stores and archives is found wherever a resource has it, each of several identities too", () => {
  const restoreFrom = {
    url: "s3://bucket/cache",
    credentials: { accessKeyId: "id", secretAccessKey: "hush" },
    key: { identities: ["AGE-SECRET-KEY-1A", "AGE-SECRET-KEY-1B"] },
  };
  expect(secretsIn([{ restoreFrom, password: "open" }, undefined])).toEqual([
    "hush",
    "AGE-SECRET-KEY-1A",
    "AGE-SECRET-KEY-1B",
    "open",
  ]);
});
