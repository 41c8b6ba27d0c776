import { describe, expect, test } from "vitest";
import { fatalLoadIn, loadFailureIn } from "../../provider/agent/replication/watch/load-failure";

/** As servers of these kinds write them; what differs from version to version is in both. */
const KINDS = { Redis: "MASTER", Valkey: "PRIMARY" };

for (const [kind, leader] of Object.entries(KINDS)) {
  const line = (text: string) => `15529:S 23 Nov 2026 02:43:41.140 * ${text}`;
  const START = line(`oO0OoO0OoO0Oo ${kind} is starting oO0OoO0OoO0Oo`);
  const FOLLOWS = line("REPLICAOF 127.0.0.1:34425 enabled (user request from 'id=3 addr=127.0.0.1:51288')");
  const LOADING = line(`${leader} <-> REPLICA sync: Loading DB in memory`);
  const DONE = line(`${leader} <-> REPLICA sync: Finished with success`);
  const FAILED = line(`Failed trying to load the ${leader} synchronization DB from disk, check server logs.`);
  const TOO_NEW = line("Can't handle RDB format version 12");
  const UNKNOWN = line("Wrong signature trying to load DB from file: REDIS9999");
  const DATABASES = line(
    `FATAL: Data file was created with a ${kind} server configured to handle more than 1 databases. Exiting`,
  );
  const DAMAGED = line("Internal error in RDB reading offset 0, function at rdb.c:3216 -> RDB CRC error");
  const BYE = line(`${kind} is now ready to exit, bye bye...`);
  const log = (...lines: string[]) => lines.join("\n");

  describe(`the log of ${kind}`, () => {
    test.each([
      ["a format that is too new", log(FOLLOWS, LOADING, TOO_NEW, FAILED), /format 12, which is too new/],
      [
        "a format that nobody knows",
        log(FOLLOWS, LOADING, UNKNOWN, FAILED, line("Reconnecting")),
        /doesn't know/,
      ],
      [
        "a failure while the next one is loaded",
        log(FOLLOWS, LOADING, TOO_NEW, FAILED, LOADING),
        /format 12/,
      ],
    ])("tells of a load that failed: %s", (_, text, why) => {
      expect(loadFailureIn(text)?.why).toMatch(why);
      expect(fatalLoadIn(log(text, LOADING, FAILED))).toBeUndefined();
    });

    test.each([
      ["it was loaded later", log(FOLLOWS, LOADING, TOO_NEW, FAILED, LOADING, DONE)],
      ["another leader was given later", log(LOADING, TOO_NEW, FAILED, FOLLOWS)],
      ["the server was started later", log(LOADING, TOO_NEW, FAILED, START)],
      ["there is nothing", ""],
    ])("tells of none: %s", (_, text) => {
      expect(loadFailureIn(text)).toBeUndefined();
    });

    test.each([
      ["too few databases", log(START, FOLLOWS, LOADING, DATABASES), /beyond the 1 that this add-on has/],
      ["damage", log(START, LOADING, DAMAGED, "[offset 27] AUX FIELD redis-ver = '7.0.15'"), /damaged/],
    ])("tells of a load that ended the server: %s", (_, text, why) => {
      expect(fatalLoadIn(text)?.why).toMatch(why);
    });

    test("tells nothing of why a server ended that was killed while it was loading", () => {
      expect(fatalLoadIn(log(START, FOLLOWS, LOADING))).toEqual({ why: undefined, began: LOADING });
    });

    test.each([
      ["it had loaded the snapshot", log(START, LOADING, DONE)],
      ["it was told to leave", log(START, LOADING, BYE)],
      ["its own AOF is damaged", log(START, DAMAGED)],
      ["a snapshot was damaged in an earlier life", log(START, LOADING, DAMAGED, START)],
    ])("tells of no load that ended the server: %s", (_, text) => {
      expect(fatalLoadIn(text)).toBeUndefined();
    });
  });
}
