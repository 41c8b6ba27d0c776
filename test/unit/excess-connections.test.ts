import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { excessConnections, type ListedConnection } from "../../provider/core/excess-connections";
import { parseClientList } from "../../provider/redis/excess-clients";

const user = (id: number, changes: Partial<ListedConnection> = {}): ListedConnection => ({
  id,
  user: "default",
  kind: "user",
  ageSeconds: 60,
  silent: false,
  ...changes,
});
const ids = (connections: readonly ListedConnection[]) => connections.map(({ id }) => id);
const ROOMY = { most: 1000, knownUpTo: 0 };

describe("what is closed", () => {
  it("is nothing while users have as many as they may", () => {
    const found = excessConnections([user(1), user(2), user(3)], { allowed: 3, ...ROOMY });
    expect(found).toEqual({ close: [], lookAgain: false });
  });

  it("are the newest above the limit, newest first, in whatever order they are listed", () => {
    const found = excessConnections([user(9), user(1), user(7), user(3)], { allowed: 2, ...ROOMY });
    expect(ids(found.close)).toEqual([9, 7]);
    expect(found.lookAgain).toBe(true);
  });

  it("are subscribers as well, and those that haven't logged in", () => {
    const listed = [user(1, { kind: "subscriber" }), user(2, { silent: true }), user(3), user(4)];
    expect(ids(excessConnections(listed, { allowed: 2, ...ROOMY }).close)).toEqual([4, 3]);
  });

  it("are none of ours, no followers and no leader, and these take no user's place", () => {
    const others = [
      user(1, { user: "redis-addon-admin" }),
      user(2, { user: "redis-addon-replica" }),
      user(3, { kind: "replica" }),
      user(4, { user: "(superuser)", kind: "leader" }),
    ];
    expect(excessConnections([...others, user(5)], { allowed: 1, ...ROOMY }).close).toEqual([]);
    expect(ids(excessConnections([...others, user(5)], { allowed: 0, ...ROOMY }).close)).toEqual([5]);
  });
});

describe("one that has just come and says nothing may be ours", () => {
  const fresh = user(9, { silent: true, ageSeconds: 1 });

  it("so it is left alone, costs nobody a place, and is looked at again", () => {
    const found = excessConnections([user(1), fresh, user(10)], { allowed: 2, ...ROOMY });
    expect(found).toEqual({ close: [], lookAgain: true });
  });

  it("until it has had the time to log in", () => {
    const later = { ...fresh, ageSeconds: 2 };
    expect(ids(excessConnections([user(1), later], { allowed: 1, ...ROOMY }).close)).toEqual([9]);
  });

  it("and where places are scarce until it is known to have had it", () => {
    const listed = [user(1), user(2), fresh];
    const scarce = { allowed: 1, most: 4 };
    expect(ids(excessConnections(listed, { ...scarce, knownUpTo: 8 }).close)).toEqual([2]);
    expect(ids(excessConnections(listed, { ...scarce, knownUpTo: 9 }).close)).toEqual([9, 2]);
  });
});

it("never closes a user's oldest connections, more than are too many, or anybody else's", () => {
  const connection = fc.record({
    id: fc.nat(),
    user: fc.constantFrom("default", "redis-addon-admin", "redis-addon-replica", "(superuser)"),
    kind: fc.constantFrom("user", "subscriber", "replica", "leader"),
    ageSeconds: fc.nat(10),
    silent: fc.boolean(),
  } satisfies { [Key in keyof ListedConnection]: fc.Arbitrary<ListedConnection[Key]> });
  const listed = fc.uniqueArray(connection, { selector: ({ id }) => id, maxLength: 40 });
  fc.assert(
    fc.property(listed, fc.nat(20), fc.nat(40), fc.nat(), (connections, allowed, reserve, knownUpTo) => {
      const limit = { allowed, most: allowed + reserve, knownUpTo };
      const { close, lookAgain } = excessConnections(connections, limit);
      const users = connections
        .filter(({ user, kind }) => user === "default" && (kind === "user" || kind === "subscriber"))
        .sort((a, b) => a.id - b.id);
      const newer = new Set(ids(users.slice(allowed)));
      expect(close.every(({ id }) => newer.has(id))).toBe(true);
      expect(close.length).toBeLessThanOrEqual(Math.max(0, users.length - allowed));
      expect(lookAgain).toBe(users.length > allowed);
    }),
  );
});

describe("CLIENT LIST", () => {
  const line = (fields: string) =>
    `id=7 addr=127.0.0.1:1 laddr=127.0.0.1:2 fd=8 name= age=5 ${fields} resp=2\n`;

  it("tells users, subscribers, followers and the leader apart by their flags", () => {
    const text = [
      line("flags=N cmd=get user=default"),
      line("flags=P cmd=subscribe user=default"),
      line("flags=S cmd=psync user=redis-addon-replica"),
      line("flags=M cmd=set user=(superuser)"),
      line("flags=O cmd=monitor user=default"),
    ].join("");
    const kinds = parseClientList(text).map(({ kind }) => kind);
    expect(kinds).toEqual(["user", "subscriber", "replica", "leader", "user"]);
  });

  it("tells who has said nothing, or just PING as a follower does before it logs in", () => {
    const commands = ["NULL", "ping", "auth", "client|setname"];
    const text = commands.map((cmd) => line(`flags=N cmd=${cmd} user=default`)).join("");
    expect(parseClientList(text).map(({ silent }) => silent)).toEqual([true, true, false, false]);
    expect(parseClientList(text)[0]).toMatchObject({ id: 7, ageSeconds: 5, user: "default" });
  });
});
