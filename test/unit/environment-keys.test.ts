import { expect, test } from "vitest";
import { environmentKeys } from "../../provider/stores/s3/environment-keys";

const KEYS = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" };

test("the keys of an environment are both of them, with their token where it has one", () => {
  expect(environmentKeys(KEYS)).toEqual({ accessKeyId: "id", secretAccessKey: "secret" });
  expect(environmentKeys({ ...KEYS, AWS_SESSION_TOKEN: "token" })).toEqual({
    accessKeyId: "id",
    secretAccessKey: "secret",
    sessionToken: "token",
  });
  expect(environmentKeys({ AWS_ACCESS_KEY_ID: "id" })).toBeUndefined();
  expect(environmentKeys({ ...KEYS, AWS_SECRET_ACCESS_KEY: "" })).toBeUndefined();
});

test("a profile that is chosen comes before keys, as in other S3 tools", () => {
  expect(environmentKeys({ ...KEYS, AWS_PROFILE: "other" })).toBeUndefined();
});
