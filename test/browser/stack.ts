import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import type { AddonRecord } from "../../provider/core/facets";
import type { Task } from "../../provider/core/task";
import { redisUrl } from "../../provider/core/uri";
import { consoleLogin } from "../../provider/operations/agent";
import { replicate } from "../../provider/operations/replicate";
import { make } from "../contract/agent-support";
import { openBrowser, type BrowserOptions, type TestBrowser } from "../support/browser";
import { creates, makeTestHome, type TestHome } from "../support/data-home";
import { startFaultProxy, type FaultProxy } from "../support/fault-proxy";
import { follows } from "../support/follow";
import { startRedisServer } from "../support/redis-server";

/** Add-ons in the states that a person looks at the console for, in a data home of their own. */
export interface Stack extends AsyncDisposable {
  readonly home: TestHome;
  /** The backup that `orders` has. */
  readonly slot: string;
  /** What `moving` receives its leader's data through, so slowly that it takes minutes; without faults: seconds. */
  readonly link: FaultProxy;
}

/** A leader and its follower in sync. */
export const LEADER = "orders";
export const FOLLOWER = "orders-copy";
/** Receives the snapshot of a Redis elsewhere. */
export const SYNCING = "moving";
/** At its plan's memory, under noeviction. */
export const FULL = "full";
/** Its destination takes no backups. */
export const FAILING = "reports";
export const ADDONS = [LEADER, FOLLOWER, SYNCING, FULL, FAILING];

const CHUNK_DELAY_MS = 3_000;

export async function makeStack(): Promise<Stack> {
  // Its servers go also where one of the states can't be made.
  await using stack = new AsyncDisposableStack();
  const home = stack.use(await makeTestHome());
  const [leader] = await Promise.all([make(home, LEADER), make(home, FOLLOWER), make(home, SYNCING)]);
  await fill(leader.record, 40);
  const [{ slot }] = await Promise.all([
    home.platform.backUp(LEADER, home.task),
    follows(home, { name: FOLLOWER, leader: LEADER }),
    makeFull(home),
    makeFailing(home),
  ]);
  const elsewhere = stack.use(
    await startRedisServer({
      args: [
        ...["--databases", "1", "--rdbcompression", "no"],
        ...["--enable-debug-command", "local", "--repl-diskless-sync-delay", "0"],
      ],
    }),
  );
  await elsewhere.client.call("DEBUG", "POPULATE", 3_000, "key", 4096);
  const link = stack.use(await startFaultProxy(elsewhere.port));
  await beginSync(home, link);
  const made = stack.move();
  return { home, slot, link, [Symbol.asyncDispose]: () => made.disposeAsync() };
}

/** A browser whose user has opened the address that the command line prints. */
export async function openConsole(home: TestHome, options?: BrowserOptions): Promise<TestBrowser> {
  await using opening = new AsyncDisposableStack();
  const browser = opening.use(await openBrowser(options));
  const { url } = await consoleLogin(home.path, home.task);
  await browser.page.goto(url);
  // From now on it is the caller's.
  opening.move();
  return browser;
}

/** The values are stored as they are: no two are alike. Returns why the server took no more. */
export async function fill(record: AddonRecord, values: number): Promise<unknown> {
  const { port } = record.server.wish;
  const redis = new Redis(redisUrl({ host: "127.0.0.1", port, password: record.credentials.password }));
  try {
    for (let i = 0; i < values; i++) await redis.set(`value:${i}`, randomBytes(64 * 1024));
    return undefined;
  } catch (error) {
    return error;
  } finally {
    redis.disconnect();
  }
}

async function makeFull(home: TestHome): Promise<void> {
  const { record } = await make(home, FULL, { plan: { memory: "16mb", connections: 20, databases: 1 } });
  const refusal = await fill(record, 1_000);
  if (refusal === undefined) throw new Error("the add-on took more than its memory");
}

async function makeFailing(home: TestHome): Promise<void> {
  await make(home, FAILING);
  await home.platform.backUp(FAILING, home.task);
  const change = { facet: "backups", name: FAILING, claim: creates("b1"), given: [] } as const;
  const destination = `file://${home.path}/agent.log/not-a-folder`;
  const wish = { schedule: { daily: "03:00" }, retention: { days: 7 }, destination };
  await home.platform.apply({ ...change, wish }, home.task);
  await home.platform.backUp(FAILING, home.task).then(
    () => Promise.reject(new Error("a file took a backup")),
    () => undefined,
  );
}

/** Returns while the snapshot arrives. */
async function beginSync(home: TestHome, link: FaultProxy): Promise<void> {
  link.set({ fromServer: { delayMs: CHUNK_DELAY_MS } });
  const arrives = new AbortController();
  const reason = new Error("the snapshot arrives");
  const task: Task = {
    ...home.task,
    signal: arrives.signal,
    progress: ({ message }) => {
      if (/receiving the leader's snapshot/.test(message)) arrives.abort(reason);
    },
  };
  const wish = { kind: "external", host: "127.0.0.1", port: link.port, password: "" } as const;
  const request = { name: SYNCING, claim: creates("f1"), wish, given: [], replaceData: false };
  await replicate(home.platform, { ...request, deadlineMs: 90_000 }, task).catch((error: unknown) => {
    if (error !== reason) throw error;
  });
}
