import { expect, test } from "vitest";
import type { Placeable } from "../../provider/agent/server/place-server";
import { ServerProcess } from "../../provider/agent/server/server-process";
import { stopAgent } from "../../provider/operations/agent";
import { layoutOf } from "../../provider/platforms/local/home";
import { systemClock } from "../../provider/system/clock";
import { makeTestHome } from "../support/data-home";
import { make } from "./agent-support";

test("what is recorded while a server is placed by an earlier record is placed at the next look", async () => {
  await using home = await makeTestHome();
  const { record } = await make(home, "cache");
  await stopAgent(home.path, true, home.task);

  const server = new ServerProcess(layoutOf(home.path), "cache", systemClock);
  const seen: string[] = [];
  const load = (what: string, meanwhile?: () => void) => (): Promise<Placeable> => {
    seen.push(what);
    meanwhile?.();
    return Promise.resolve({ record, leader: undefined, onPlaced: () => Promise.resolve() });
  };
  await server.lookAfter(
    load("before", () => server.touch()),
    home.task,
  );
  await server.lookAfter(load("changed"), home.task);
  await server.lookAfter(load("as before"), home.task);
  expect(seen).toEqual(["before", "changed"]);
});
