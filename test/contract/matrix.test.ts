import { expect, it } from "vitest";
import { describeMatrix, matrix } from "../support/matrix";
import { startRedisServer } from "../support/redis-server";

it("the matrix has a server for every format of snapshots, whether it is there or not", () => {
  const wanted = [
    "Redis 6.2.14",
    expect.any(String),
    "Redis 7.2.4",
    "Redis 7.4.1",
    "Valkey 8.1.8",
    "Valkey 9.1.2",
  ];
  expect(matrix.map(({ name }) => name)).toEqual(wanted);
});

describeMatrix(({ name, path }) => {
  it("runs in the version of its name", async () => {
    await using server = await startRedisServer({ executable: path });
    const info = await server.client.info("server");
    // A Valkey gives the Redis that it came from as its redis_version.
    const version = /valkey_version:(\S+)/.exec(info)?.[1] ?? /redis_version:(\S+)/.exec(info)?.[1];
    expect(version).toBe(name.split(" ")[1]);
  });
});
