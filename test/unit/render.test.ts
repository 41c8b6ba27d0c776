import fc from "fast-check";
import { expect, test } from "vitest";
import { confLine, desiredServer, renderServer } from "../../provider/core/render";
import { following, testRecord } from "../support/local-addon";

const paths = { dataDir: "/data home/cache", aclFile: "/data home/cache/users.acl" };
const leader = { host: "10.0.0.7", port: 6390, username: "redis-addon-replica", password: 'p "w" #1' };

test("a leader's files follow nobody and hold no password in the clear", () => {
  const { conf, acl } = renderServer({ record: testRecord(), leader, ...paths });
  expect(conf).not.toMatch(/replicaof|masterauth|masteruser/);
  for (const password of ["user-pw", "admin-pw", "replica-pw"]) expect(conf + acl).not.toContain(password);
  expect(conf).toContain('\ndir "/data home/cache"\n');
});

test("a follower's file names its leader, with what Redis needs in the clear", () => {
  const { conf } = renderServer({ record: following(testRecord()), leader, ...paths });
  expect(conf).toContain(
    '\nmasteruser redis-addon-replica\nmasterauth "p \\"w\\" #1"\nreplicaof 10.0.0.7 6390\n',
  );
});

test("a follower whose leader nobody knows stays a follower", () => {
  const record = following(testRecord());
  expect(renderServer({ record, leader: undefined, ...paths }).conf).toContain("\nreplicaof 127.0.0.1 1\n");
  expect(desiredServer(record, undefined).replication.kind).toBe("follower");
});

test("a leader without a password is followed without one", () => {
  const open = { host: "10.0.0.7", port: 6390, password: "" };
  const { conf } = renderServer({ record: following(testRecord()), leader: open, ...paths });
  expect(conf).not.toMatch(/masterauth|masteruser/);
});

test("no value can end its line early or begin another", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (value) => {
      const line = confLine("masterauth", value);
      expect(line).toMatch(/^masterauth (?:[A-Za-z0-9._:/*-]+|"(?:[ !#-[\]-~]|\\["\\]|\\x[0-9a-f]{2})*")$/);
    }),
  );
});

test("the same record renders the same files", () => {
  const input = { record: following(testRecord()), leader, ...paths };
  expect(renderServer(input)).toEqual(renderServer(structuredClone(input)));
});
