import { describe, expect, it } from "vitest";
import { listenWish } from "../../provider/cli/listen-options";

describe("where a restore listens, as it is typed", () => {
  it("is a host and a port, any port where none is said, an IPv6 address in brackets", () => {
    expect(listenWish({})).toEqual({});
    expect(listenWish({ listen: "10.0.0.5:7000", announce: "db.example" })).toEqual({
      listen: { host: "10.0.0.5", port: 7000 },
      announce: { host: "db.example", port: 0 },
    });
    expect(listenWish({ listen: "[fd00::5]:7000", announce: "[::1]" })).toEqual({
      listen: { host: "fd00::5", port: 7000 },
      announce: { host: "::1", port: 0 },
    });
  });

  for (const text of ["", ":7000", "fd00::5", "host:port", "host:70000", "[]:1", "a host:1", "host:1:2"])
    it(`is refused where it is ${JSON.stringify(text)}`, () => {
      expect(() => listenWish({ listen: text })).toThrow("cannot take --listen");
    });
});
