import { describe, expect, it } from "vitest";
import { serveWish, type ServeOptions } from "../../provider/cli/console-options";
import { browserCommand } from "../../provider/cli/open-browser";
import { consoleSetting } from "../../provider/core/console-setting";

const TLS = { tlsCert: "cert.pem", tlsKey: "key.pem" };
const tls = { cert: "cert.pem", key: "key.pem" };

describe("how the console is to be served from here, as it is typed", () => {
  it.each<[string, ServeOptions, unknown]>([
    ["not at all", {}, undefined],
    ["on loopback", { listen: "127.0.0.1:80" }, { listen: { host: "127.0.0.1", port: 80 } }],
    ["on loopback, by name", { listen: "localhost" }, { listen: { host: "localhost", port: 0 } }],
    ["on loopback, IPv6", { listen: "[::1]:8080" }, { listen: { host: "::1", port: 8080 } }],
    ["for others", { listen: "10.0.0.5:8443", ...TLS }, { listen: { host: "10.0.0.5", port: 8443 }, tls }],
    [
      "for others on every address",
      { listen: "0.0.0.0:8443", ...TLS, origin: "https://Redis.example:8443/" },
      { listen: { host: "0.0.0.0", port: 8443 }, tls, statedOrigin: "https://redis.example:8443" },
    ],
    [
      "behind a proxy on this machine",
      { listen: "127.0.0.1:8080", behindProxy: "https://redis.example" },
      { listen: { host: "127.0.0.1", port: 8080 }, statedOrigin: "https://redis.example" },
    ],
    [
      "behind a proxy elsewhere, to which it speaks TLS",
      { listen: "[::]:8443", ...TLS, behindProxy: "https://redis.example" },
      { listen: { host: "::", port: 8443 }, tls, statedOrigin: "https://redis.example" },
    ],
  ])("is taken: %s", (_, options, wish) => {
    expect(serveWish(options)).toEqual(wish);
  });

  it.each<[string, ServeOptions, RegExp]>([
    ["nobody asked for", TLS, /nobody asked for\. Add --listen/],
    ["without an address", { listen: ":8080" }, /--listen: it is no host and port/],
    ["for others in the clear", { listen: "10.0.0.5:80" }, /everybody on the way would read passwords/],
    ["for everybody in the clear", { listen: "0.0.0.0:80" }, /everybody on the way would read passwords/],
    ["for others by a name", { listen: "127.0.0.1.evil.example:80" }, /everybody on the way/],
    ["with a certificate without its key", { listen: "10.0.0.5:80", tlsCert: "c" }, /one without the other/],
    [
      "with a name and no certificate",
      { listen: "127.0.0.1:80", origin: "https://a.example" },
      /--origin: it is for/,
    ],
    ["where no browser gets to", { listen: "0.0.0.0:443", ...TLS }, /no address that a browser can open/],
    [
      "in two ways at once",
      { listen: "127.0.0.1:80", ...TLS, origin: "https://a.example", behindProxy: "https://a.example" },
      /both say how browsers reach/,
    ],
    ...[
      "http://a.example",
      "a.example",
      "https://a.example/x",
      "https://u:p@a.example",
      "https://a.example?x",
    ].map((behindProxy): [string, ServeOptions, RegExp] => [
      `behind ${behindProxy}`,
      { listen: "127.0.0.1:80", behindProxy },
      /no https:\/\/ address of a host alone/,
    ]),
  ])("is refused: %s", (_, options, why) => {
    expect(() => serveWish(options)).toThrow(why);
  });
});

describe("what an agent's environment says about its console", () => {
  it.each([
    [undefined, { kind: "usual" }],
    ["", { kind: "usual" }],
    ["off", { kind: "off" }],
    ["127.0.0.1:8080", { kind: "at", listen: { host: "127.0.0.1", port: 8080 } }],
    ["[::1]:8080", { kind: "at", listen: { host: "::1", port: 8080 } }],
    ["0.0.0.0:8080", { kind: "unusable" }],
    ["10.0.0.5:8080", { kind: "unusable" }],
    ["on a host", { kind: "unusable" }],
  ])("is read: %j", (text, setting) => {
    expect(consoleSetting(text)).toMatchObject(setting);
  });
});

describe("a browser", () => {
  it("is there where somebody sits at a screen", () => {
    expect(browserCommand("darwin", {})).toBe("open");
    expect(browserCommand("linux", { DISPLAY: ":0" })).toBe("xdg-open");
    expect(browserCommand("linux", { WAYLAND_DISPLAY: "wayland-0" })).toBe("xdg-open");
    expect(browserCommand("linux", { DISPLAY: "" })).toBeUndefined();
    expect(browserCommand("linux", {})).toBeUndefined();
  });
});
