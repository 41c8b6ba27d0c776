import { expect, it } from "vitest";
import { firstDifference } from "../../../.dev/setup/dependencies.mjs";

const zod = { "node_modules/zod": { version: "4.6.7" } };

it("finds nothing to install where the locked versions are there", () => {
  expect(firstDifference({ "": {}, ...zod }, zod)).toBeUndefined();
});

it("ignores binaries for other platforms, but not a wrong one for this platform", () => {
  const binary = "node_modules/@oxlint/binding-darwin-arm64";
  const locked = { ...zod, [binary]: { version: "1.89.0", optional: true } };
  expect(firstDifference(locked, zod)).toBeUndefined();
  expect(firstDifference(locked, { ...zod, [binary]: { version: "1.0.0" } })).toBe(binary);
});

it("finds a package that is missing, of another version, or no longer locked", () => {
  expect(firstDifference(zod, {})).toBe("node_modules/zod");
  expect(firstDifference(zod, { "node_modules/zod": { version: "4.0.0" } })).toBe("node_modules/zod");
  expect(firstDifference({}, zod)).toBe("node_modules/zod");
});

it("finds a new example, which npm links into node_modules", () => {
  const link = { "node_modules/redis-addon-quickstart": { link: true } };
  expect(firstDifference({ ...zod, ...link }, zod)).toBe("node_modules/redis-addon-quickstart");
  expect(firstDifference({ ...zod, ...link }, { ...zod, ...link })).toBeUndefined();
});
