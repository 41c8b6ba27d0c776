import fc from "fast-check";
import { expect, test } from "vitest";
import { parseDestination } from "../../provider/core/destination";
import { s3Url } from "../../provider/core/s3-destination";

test.each([
  ["file:///var/backups/redis", "/var/backups/redis"],
  ["FILE:///var/backups/", "/var/backups"],
  ["file://localhost/var/our%20backups%20%231", "/var/our backups #1"],
])("%s is the folder %s", (url, folder) => {
  expect(parseDestination(url)).toEqual({ kind: "file", folder });
});

test.each([
  ["s3://bucket", { bucket: "bucket", prefix: "", pathStyle: false }],
  ["s3://bucket/", { bucket: "bucket", prefix: "", pathStyle: false }],
  ["S3://my.bucket-1/a/b_c=1/", { bucket: "my.bucket-1", prefix: "a/b_c=1", pathStyle: false }],
  ["s3://bucket/p?region=eu-central-1", { prefix: "p", region: "eu-central-1", pathStyle: false }],
  ["s3://bucket/p?endpoint=https://host:9000", { endpoint: "https://host:9000", pathStyle: true }],
  ["s3://bucket?endpoint=http%3A%2F%2F127.0.0.1%3A9%2F", { endpoint: "http://127.0.0.1:9", pathStyle: true }],
  ["s3://bucket?endpoint=https://HOST:443/base/", { endpoint: "https://host/base", pathStyle: true }],
  ["s3://bucket?endpoint=https://[::1]:9000", { endpoint: "https://[::1]:9000" }],
  ["s3://bucket?pathStyle=false&endpoint=https://host", { pathStyle: false, endpoint: "https://host" }],
  ["s3://bucket?pathStyle=true", { pathStyle: true }],
])("%s is a part of a bucket", (url, parts) => {
  expect(parseDestination(url)).toMatchObject({ kind: "s3", ...parts });
});

test.each([
  ["", /no URL/],
  ["/var/backups", /no URL/],
  ["gs://bucket", /gs: is not supported/],
  ["file:///", /no folder/],
  ["file:relative", /no folder|not name a folder/],
  ["file://otherhost/folder", /folder of this machine/],
  ["file:///backups/#1", /\? or #/],
  ["s3:bucket", /no URL of a bucket/],
  ["s3://", /bucket's name/],
  ["s3://ab", /bucket's name/],
  ["s3://Bucket", /bucket's name/],
  ["s3://my_bucket", /bucket's name/],
  ["s3://-bucket", /bucket's name/],
  ["s3://bucket..x", /bucket's name/],
  ["s3://192.168.0.1", /bucket's name/],
  [`s3://${"b".repeat(64)}`, /bucket's name/],
  ["s3://bucket/a//b", /prefix/],
  ["s3://bucket/a/../b", /prefix/],
  ["s3://bucket/a%2Fb", /prefix/],
  ["s3://bucket/a b", /prefix/],
  [`s3://bucket/${"p".repeat(513)}`, /512/],
  ["s3://bucket#x", /after #/],
  ["s3://bucket?regoin=x", /regoin.*none of endpoint, region, pathStyle/],
  ["s3://bucket?region=a&region=b", /region more than once/],
  ["s3://bucket?region=", /region/],
  ["s3://bucket?pathStyle=yes", /true or false/],
  ["s3://bucket?endpoint=", /endpoint/],
  ["s3://bucket?endpoint=host:9000", /endpoint/],
  ["s3://bucket?endpoint=ftp://host", /endpoint/],
  ["s3://bucket?endpoint=https://host/?x=1", /more than a host/],
])("%s is refused, with why", (url, cause) => {
  expect(parseDestination(url)).toMatchObject({
    kind: "fault",
    cause: expect.stringMatching(cause),
    hint: expect.stringMatching(/file:\/\/|s3:\/\/|%3F/),
  });
});

test.each([
  "s3://AKIAEXAMPLE:hush-hush@bucket/prefix",
  "s3://hush-hush@bucket",
  "s3://bucket:hush-hush/prefix",
  "s3://bucket?secretAccessKey=hush-hush",
  "s3://bucket?hush-hush=1",
  "s3://bucket?endpoint=https://user:hush-hush@host",
  "s3://bucket?X-Amz-Signature=hush-hush",
  "s3://bucket#hush-hush",
  "s3://bucket/hush-hush@x",
  "other:hush-hush@host",
])("what may be a secret in %s is not repeated", (url) => {
  const parsed = parseDestination(url);
  expect(parsed.kind).toBe("fault");
  expect(JSON.stringify(parsed)).not.toContain("hush-hush");
});

test("a destination is read again from its own URL, and no text makes the reader fail", () => {
  const part = fc.stringMatching(/^[A-Za-z0-9_=-]{1,20}$/);
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9]{3,20}$/), fc.array(part, { maxLength: 4 }), (bucket, parts) => {
      const parsed = parseDestination(`s3://${[bucket, ...parts].join("/")}`);
      expect(parsed).toMatchObject({ kind: "s3", bucket, prefix: parts.join("/") });
      if (parsed.kind === "s3") expect(parseDestination(s3Url(parsed))).toEqual(parsed);
    }),
  );
  fc.assert(
    fc.property(
      fc.string(),
      fc.constantFrom("", "s3://", "file://", "s3://bucket/", "s3://bucket?"),
      (text, start) => {
        expect(["file", "s3", "fault"]).toContain(parseDestination(start + text).kind);
      },
    ),
  );
});
