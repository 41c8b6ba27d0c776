import { expect, test } from "vitest";
import { parseUrn } from "../../../provider/pulumi/urn";

test.each([
  [
    "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/redis-addon:RedisAddon::cache",
    { stack: "dev", project: "shop", type: "pulumi-nodejs:dynamic/redis-addon:RedisAddon", name: "cache" },
  ],
  [
    "urn:pulumi:eu-prod::shop::my:comp:Part$pulumi-nodejs:dynamic/redis-addon:RedisAddon::a b",
    {
      stack: "eu-prod",
      project: "shop",
      type: "my:comp:Part$pulumi-nodejs:dynamic/redis-addon:RedisAddon",
      name: "a b",
    },
  ],
  ["urn:pulumi:s::p::t::left::right", { stack: "s", project: "p", type: "t", name: "left::right" }],
])("%s is taken apart", (urn, parts) => {
  expect(parseUrn(urn)).toEqual(parts);
});

test.each(["", "urn:pulumi:", "urn:pulumi:s::p::t", "urn:other:s::p::t::n", "urn:pulumi:::p::t::n", "cache"])(
  "%j is no URN",
  (urn) => {
    expect(parseUrn(urn)).toBeUndefined();
  },
);
