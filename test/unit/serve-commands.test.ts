import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commandParser, NoCommand } from "../../provider/redis/replication/serve-commands";

const word = fc.oneof(
  fc.constantFrom(
    "PING",
    "REPLCONF",
    "listening-port",
    "6379",
    "capa",
    "PSYNC",
    "?",
    "-1",
    "",
    "*3",
    "$5\r\n",
    "ü",
  ),
  fc.string({ maxLength: 40 }),
);
const command = fc.array(word, { minLength: 1, maxLength: 8 });

function encoded(words: readonly string[]): Buffer {
  const parts = words.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
  return Buffer.from(`*${words.length}\r\n${parts.join("")}`);
}

/** The bytes in pieces that end at these places. */
function split(bytes: Buffer, places: readonly number[]): Buffer[] {
  const cuts = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...cuts].map((from, i) => bytes.subarray(from, cuts[i] ?? bytes.length));
}

function parsed(pieces: readonly Buffer[]): string[][] {
  const parser = commandParser();
  return pieces.flatMap((piece) => parser.push(piece));
}

describe("what a replica sends to its leader", () => {
  it("is cut into the same commands however the network splits it, newlines between them passed over", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(command, fc.constantFrom("", "\n", "\n\n", "\r\n"))),
        fc.array(fc.nat()),
        (sent, places) => {
          const bytes = Buffer.concat(
            sent.flatMap(([words, between]) => [encoded(words), Buffer.from(between)]),
          );
          expect(parsed(split(bytes, places))).toEqual(sent.map(([words]) => words));
        },
      ),
    );
  });

  it("is refused where it can be no command, at the latest when a little of it has come", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 4096, maxLength: 4096 }),
        fc.array(fc.nat()),
        (noise, places) => {
          fc.pre(noise[0] !== 10 && noise[0] !== 13 && noise[0] !== 42);
          expect(() => parsed(split(Buffer.from(noise), places))).toThrow(NoCommand);
        },
      ),
    );
  });

  for (const [what, text] of [
    ["a request of a browser", "GET / HTTP/1.1\r\n"],
    ["a greeting of TLS", "\u0016\u0003\u0001\u0002\u0000"],
    ["more words than a command has", "*33\r\n"],
    ["a word longer than any", "*1\r\n$1025\r\n"],
    ["a size that never ends", "*1\r\n$99999"],
    ["a word without its size", "*1\r\nPING\r\n"],
    ["a word that is longer than it says", "*1\r\n$4\r\nPINGS\r\n"],
    ["a count that is none", "*-1\r\n"],
  ] as const)
    it(`is refused where it is ${what}`, () => {
      expect(() => parsed([Buffer.from(text, "latin1")])).toThrow(NoCommand);
    });
});
