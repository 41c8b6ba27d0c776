import { expect, test } from "vitest";
import { redisFailure } from "../../provider/redis/failures";

const CONTEXT = { operation: "follow", subject: "cache", secrets: ["s3cret"] };

const said = (message: string, code?: string) =>
  Object.assign(new Error(message), code === undefined ? {} : { code });

for (const [message, code] of [
  ["WRONGPASS invalid username-password pair or user is disabled.", "wrong-password"],
  ["ERR AUTH <password> called without any password configured for the default user.", "wrong-password"],
  ["NOAUTH Authentication required.", "password-needed"],
  ["NOPERM User reader has no permissions to run the 'psync' command", "not-permitted"],
  ["NOPERM this user has no permissions to run the 'psync' command", "not-permitted"],
  ["READONLY You can't write against a read only replica.", "read-only"],
  ["LOADING Redis is loading the dataset in memory", "loading"],
  ["ERR max number of clients reached", "too-many-clients"],
  ["connect ETIMEDOUT", "timeout"],
  ["Command timed out", "timeout"],
  ["Connection is closed.", "connection-closed"],
  ["OOM command not allowed when used memory > 'maxmemory'.", "redis-error"],
  ["ERR value of NOPERM_KEY and LOADING is wrong", "redis-error"],
] as const)
  test(`"${message}" is ${code}`, () => {
    expect(redisFailure(said(message), CONTEXT)).toMatchObject({
      code,
      operation: "follow",
      subject: "cache",
    });
  });

test("system errors are told by their codes, also when several addresses were tried", () => {
  expect(redisFailure(said("connect ECONNREFUSED 127.0.0.1:1", "ECONNREFUSED"), CONTEXT).code).toBe(
    "refused",
  );
  const both = new AggregateError([said("connect", "ECONNREFUSED"), said("connect", "EHOSTUNREACH")], "");
  expect(redisFailure(both, CONTEXT).code).toBe("refused");
});

test("a secret that a server echoes is not passed on", () => {
  const failure = redisFailure(said("ERR wrong value 's3cret' for s3cret"), CONTEXT);
  expect(JSON.stringify(failure.report()) + failure.message).not.toContain("s3cret");
});
