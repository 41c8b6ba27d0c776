import fc from "fast-check";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { redacted, redisCliUrl, redisUrl, withDatabase } from "../../provider/core/uri";

const PRINTABLE = String.fromCharCode(...Array.from({ length: 0x7f - 0x20 }, (_, i) => 0x20 + i));
const password = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.string({ unit: "grapheme", minLength: 1 }),
  fc.constant(PRINTABLE),
);
const port = fc.integer({ min: 1, max: 65535 });
const host = fc.constantFrom("127.0.0.1", "redis.example.org", "::1", "2001:db8::7");

/** What ioredis makes of it; it connects to nothing. */
function understood(url: string) {
  const client = new Redis(url, { lazyConnect: true });
  client.disconnect();
  const { username, password: secret, db } = client.options;
  return {
    username,
    password: secret,
    db,
    host: client.options.host?.replace(/^\[|\]$/g, ""),
    port: client.options.port,
  };
}

test("ioredis reads back what went into a URL, whatever the password", () => {
  fc.assert(
    fc.property(host, port, password, fc.option(fc.nat(15), { nil: undefined }), (h, p, secret, database) => {
      const url = redisUrl({
        host: h,
        port: p,
        password: secret,
        ...(database === undefined ? {} : { database }),
      });
      expect(understood(url)).toEqual({
        username: "default",
        password: secret,
        db: database ?? 0,
        host: h,
        port: p,
      });
    }),
  );
});

test("a URL holds nothing that a shell or another parser would take for its own", () => {
  fc.assert(
    fc.property(password, (secret) => {
      expect(redisUrl({ host: "h", port: 1, password: secret })).toMatch(
        /^redis:\/\/default:[A-Za-z0-9._~%-]+@h:1$/,
      );
      expect(redisCliUrl({ host: "h", port: 1, password: secret })).toMatch(
        /^redis:\/\/[A-Za-z0-9._~%-]+@h:1$/,
      );
    }),
  );
});

test("the forms are those that were seen to work", () => {
  const at = { host: "127.0.0.1", port: 6380, password: "p w" };
  expect(redisUrl(at)).toBe("redis://default:p%20w@127.0.0.1:6380");
  expect(redisUrl({ ...at, database: 0 })).toBe("redis://default:p%20w@127.0.0.1:6380/0");
  expect(redisUrl({ ...at, username: "me" })).toBe("redis://me:p%20w@127.0.0.1:6380");
  expect(redisCliUrl(at)).toBe("redis://p%20w@127.0.0.1:6380");
  expect(redisCliUrl({ ...at, host: "::1", database: 3 })).toBe("redis://p%20w@[::1]:6380/3");
});

test("a database's URL is what the endpoint's would be with that database", () => {
  fc.assert(
    fc.property(host, port, password, fc.nat(1023), (h, p, secret, database) => {
      const at = { host: h, port: p, password: secret };
      expect(withDatabase(redisUrl(at), database)).toBe(redisUrl({ ...at, database }));
      expect(withDatabase(redisCliUrl(at), database)).toBe(redisCliUrl({ ...at, database }));
    }),
  );
});

test("a redacted URL keeps host and user and no part of the password, encoded or not", () => {
  expect(redacted("redis://default:a%20b@h:1/0")).toBe("redis://default:[secret]@h:1/0");
  expect(redacted("redis://pw@h:1")).toBe("redis://[secret]@h:1");
  expect(redacted("redis://:a@b/c:d@h:1")).toBe("redis://:[secret]@h:1");
  expect(redacted("redis://h:1/0")).toBe("redis://h:1/0");
  fc.assert(
    fc.property(fc.stringMatching(/^[!-~]{8,}$/), (secret) => {
      expect(redacted(`redis://default:${secret}@h:1`)).toBe("redis://default:[secret]@h:1");
      expect(redacted(redisCliUrl({ host: "h", port: 1, password: secret }))).toBe("redis://[secret]@h:1");
    }),
  );
});
