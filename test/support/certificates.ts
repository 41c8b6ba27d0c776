import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";

/** A certificate and its key, in PEM. */
export interface Certified {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority extends Certified {
  /** A certificate signed by it, for host names and IPv4 addresses. Absent dates: from yesterday until tomorrow. */
  issue(names: readonly string[], valid?: { readonly from?: Date; readonly until?: Date }): Certified;
}

const DAY_MS = 86_400_000;
const OBJECT = {
  commonName: "0603550403",
  ecdsaWithSha256: "06082a8648ce3d040302",
  subjectAltName: "0603551d11",
  basicConstraints: "0603551d13",
} as const;

/** An authority of a test's own, made here: certificates in a repository expire. */
export function makeAuthority(name = "an authority of a test"): Authority {
  const keys = keyPair();
  const isAuthority = extension(OBJECT.basicConstraints, sequence(der(0x01, Buffer.from([0xff]))));
  const certificate = signed({
    issuer: name,
    subject: name,
    keys,
    signer: keys.privateKey,
    extension: isAuthority,
  });
  return {
    certificate,
    key: pem(keys.privateKey),
    issue(names, valid = {}) {
      const own = keyPair();
      const alternatives = sequence(
        ...names.map((each) =>
          isIPv4(each) ? der(0x87, Buffer.from(each.split(".").map(Number))) : der(0x82, Buffer.from(each)),
        ),
      );
      const extensions = extension(OBJECT.subjectAltName, alternatives);
      const subject = names[0] ?? "nobody";
      const certified = {
        issuer: name,
        subject,
        keys: own,
        signer: keys.privateKey,
        extension: extensions,
        ...valid,
      };
      return { certificate: signed(certified), key: pem(own.privateKey) };
    },
  };
}

function signed(of: {
  readonly issuer: string;
  readonly subject: string;
  readonly keys: { readonly publicKey: KeyObject };
  readonly signer: KeyObject;
  readonly extension: Buffer;
  readonly from?: Date;
  readonly until?: Date;
}): string {
  const { from = new Date(Date.now() - DAY_MS), until = new Date(Date.now() + DAY_MS) } = of;
  const algorithm = sequence(object(OBJECT.ecdsaWithSha256));
  const contents = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    distinguished(of.issuer),
    sequence(instant(from), instant(until)),
    distinguished(of.subject),
    of.keys.publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(of.extension)),
  );
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign("sha256", contents, of.signer)]));
  const lines = sequence(contents, algorithm, signature)
    .toString("base64")
    .replaceAll(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function keyPair() {
  return generateKeyPairSync("ec", { namedCurve: "prime256v1" });
}

function pem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

/** One value of ASN.1, in DER. */
function der(tag: number, content: Buffer): Buffer {
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function object(hex: string): Buffer {
  return Buffer.from(hex, "hex");
}

function distinguished(name: string): Buffer {
  return sequence(der(0x31, sequence(object(OBJECT.commonName), der(0x0c, Buffer.from(name)))));
}

/** UTCTime: `YYMMDDhhmmssZ`. */
function instant(date: Date): Buffer {
  return der(
    0x17,
    Buffer.from(
      `${date
        .toISOString()
        .replaceAll(/[-:T]|\..*/g, "")
        .slice(2)}Z`,
    ),
  );
}

function extension(kind: string, value: Buffer): Buffer {
  return sequence(object(kind), der(0x04, value));
}
