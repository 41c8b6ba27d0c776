import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { handshake } from "../../provider/redis/replication/serve-handshake";

const replicationId = "0123456789abcdef0123456789abcdef01234567";

function greet() {
  return handshake({
    replicationId,
    isRight: (username, password) => username === "once" && password === "right",
  });
}

const AUTH = ["AUTH", "once", "right"];

describe("the leader's half of the handshake", () => {
  for (const [version, told] of [
    [
      "Redis 6.2",
      [
        ["listening-port", "6379"],
        ["capa", "eof", "capa", "psync2"],
      ],
    ],
    [
      "Redis 7.4",
      [
        ["listening-port", "6379"],
        ["ip-address", "10.0.0.1"],
        ["capa", "eof", "capa", "psync2"],
      ],
    ],
    [
      "Valkey 9",
      [
        ["listening-port", "6379"],
        ["capa", "eof", "capa", "psync2"],
        ["version", "9.1.2"],
      ],
    ],
  ] as const)
    it(`answers a replica of ${version} as its leader would`, () => {
      const { respond, isKnown } = greet();
      expect(respond(["PING"])).toEqual({ kind: "say", line: "-NOAUTH Authentication required." });
      expect(isKnown()).toBe(false);
      expect(respond(AUTH)).toEqual({ kind: "say", line: "+OK" });
      expect(isKnown()).toBe(true);
      for (const words of told) expect(respond(["REPLCONF", ...words])).toEqual({ kind: "say", line: "+OK" });
      expect(respond(["PSYNC", "f".repeat(40), "17"])).toEqual({ kind: "snapshot" });
      expect(respond(["REPLCONF", "ACK", "14", "FACK", "0"])).toEqual({ kind: "acknowledged", offset: 14 });
    });

  it("has one that holds the snapshot go on where it is", () => {
    const { respond } = greet();
    respond(AUTH);
    expect(respond(["psync", replicationId, "15"])).toEqual({ kind: "continue", from: 15 });
    expect(respond(["PSYNC", replicationId, "-1"])).toEqual({ kind: "snapshot" });
  });

  it("passes over what a replica is capable of that it doesn't know", () => {
    const { respond } = greet();
    respond(AUTH);
    const refused = { kind: "say", line: "-ERR Unrecognized REPLCONF option" };
    expect(respond(["REPLCONF", "rdb-channel", "1"])).toEqual(refused);
    expect(respond(["REPLCONF", "capa", "eof", "rdb-filter-only", ""])).toEqual(refused);
  });

  it("gives nothing to whoever has not said the right user name and password, whatever else is said", () => {
    const word = fc.constantFrom(
      "AUTH",
      "PSYNC",
      "SYNC",
      "REPLCONF",
      "PING",
      "HELLO",
      "once",
      "right",
      "?",
      "-1",
    );
    fc.assert(
      fc.property(fc.array(fc.array(word, { minLength: 1, maxLength: 5 }), { maxLength: 8 }), (commands) => {
        const { respond, isKnown } = greet();
        for (const words of commands) {
          const isLogin = words.join(" ") === AUTH.join(" ");
          const response = respond(words);
          if (isKnown()) return expect(isLogin).toBe(true);
          expect(["say", "part"]).toContain(response.kind);
          if (response.kind === "part") return;
        }
      }),
    );
  });

  it("ends with one wrong password, and with a stranger who only chatters", () => {
    expect(greet().respond(["AUTH", "once", "wrong"])).toMatchObject({ kind: "part" });
    expect(greet().respond(["AUTH", "right"])).toMatchObject({ kind: "part" });
    const { respond } = greet();
    const answers = Array.from({ length: 5 }, () => respond(["PING"]).kind);
    expect(answers).toEqual(["say", "say", "say", "say", "part"]);
  });
});
