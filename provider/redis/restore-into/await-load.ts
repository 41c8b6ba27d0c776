import { Failure } from "../../core/errors";
import { type HeldData, holdsAnything } from "../../core/held-data";
import type { Task } from "../../core/task";
import { authority } from "../../core/uri";
import type { RedisClient } from "../client";
import { heldData, isSet, numberIn, type Info } from "../info";
import { lastLoadFailed } from "../last-load";
import type { SnapshotServer } from "../replication/serve";

const POLL_MS = 100;
/** A replica tries once a second. */
const REACH_MS = 20_000;
/** A connection that was cut is made again at once, unless whoever made it is gone. */
const COME_BACK_MS = 30_000;

interface Expected {
  /** What it held before. */
  readonly held: HeldData;
  /** The address that it was told. */
  readonly announced: { readonly host: string; readonly port: number };
  /** How long it may take until it has connected; milliseconds. */
  readonly reachMs?: number | undefined;
}

/**
 * Waits until a server that was told to follow us has loaded our snapshot. Fails with `not-reached` where it can't
 * connect, with `load-failed` at the first proof that it can't load what it has in full, with `target-lost` where it is
 * gone, with `connection-cut`.
 */
export async function awaitLoad(
  client: RedisClient,
  server: SnapshotServer,
  { held, announced, reachMs = REACH_MS }: Expected,
  task: Task,
): Promise<void> {
  let since = task.clock.now();
  let seen = "";
  for (;;) {
    task.signal.throwIfAborted();
    const stage = server.stage();
    const step = stage.kind === "sent" ? `sent ${stage.left}` : stage.kind;
    if (step !== seen) since = task.clock.now();
    seen = step;
    const waitedMs = task.clock.now() - since;
    switch (stage.kind) {
      case "acknowledged":
        return;
      case "asked-again":
        if (await couldNotLoad(client, held))
          throw failed(client, "load-failed", "it had every byte, and could not load them: its log says why");
        server.again();
        break;
      case "over":
        throw endedBadly(client, stage.why);
      case "waiting":
        if (stage.cutAfterBytes === undefined) {
          task.progress({
            message: `waiting for it to connect to ${authority(announced.host, announced.port)}`,
          });
          if (waitedMs >= reachMs) throw notReached(client, server, announced, reachMs);
        } else if (waitedMs >= COME_BACK_MS)
          throw failed(
            client,
            "connection-cut",
            `its connection was cut after ${stage.cutAfterBytes} bytes`,
            true,
          );
        break;
      case "sending":
        break;
      case "sent":
        if (stage.left && waitedMs >= COME_BACK_MS)
          throw failed(client, "connection-cut", "its connection was cut, and it has not come back", true);
        await tellLoading(client, task);
    }
    await notice(client);
    await task.clock.sleep(POLL_MS, task.signal);
  }
}

async function tellLoading(client: RedisClient, task: Task): Promise<void> {
  const info = await asked(client);
  if (info === undefined || !isSet(info, "loading")) return;
  const [doneBytes, totalBytes] = [
    numberIn(info, "loading_loaded_bytes"),
    numberIn(info, "loading_total_bytes"),
  ];
  const known = totalBytes === undefined || totalBytes === 0 ? {} : { doneBytes, totalBytes };
  task.progress({ message: "the target loads the data", ...known });
}

/** Throws where it is gone, or follows somebody else by now. */
async function notice(client: RedisClient): Promise<void> {
  const info = await asked(client);
  if (info === undefined || info.get("role") === "slave") return;
  throw failed(client, "target-changed", "somebody made it follow nobody, or it was started anew");
}

/** Undefined while it is too busy to answer: to empty a large memory takes it a while. */
async function asked(client: RedisClient): Promise<Info | undefined> {
  try {
    return await client.info();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code === "timeout") return undefined;
    if (!["connection-closed", "refused"].includes(error.code)) throw error;
    throw failed(client, "target-lost", "it was stopped, or ended, before it had loaded the data");
  }
}

/** It drops what it has just before it loads what it was sent. */
async function couldNotLoad(client: RedisClient, held: HeldData): Promise<boolean> {
  const info = await asked(client);
  if (info === undefined) return false;
  return (await lastLoadFailed(client, info)) || (holdsAnything(held) && !holdsAnything(heldData(info)));
}

function endedBadly(client: RedisClient, why: "too-often" | "changed"): Failure {
  return why === "changed"
    ? failed(client, "scratch-changed", "the extracted snapshot was changed while it was sent")
    : failed(
        client,
        "connection-cut",
        "it was sent the snapshot three times and never loaded it: its connection was cut each time, or it can't load it, which its log says",
      );
}

function notReached(
  client: RedisClient,
  server: SnapshotServer,
  { host, port }: Expected["announced"],
  reachMs: number,
): Failure {
  const strangers =
    server.strangers() === 0
      ? ""
      : "; something connected that did not know the password, which may be a proxy between the two";
  return new Failure({
    code: "not-reached",
    operation: "restore into",
    subject: client.subject,
    cause: `it can't reach this machine: told to connect to ${authority(host, port)}, it did not within ${Math.round(reachMs / 1000)} s${strangers}`,
    hint:
      "Behind NAT, a firewall or in a container it needs an address that leads here: " +
      "--listen 0.0.0.0:<port> --announce <host as it sees it>; or restore into a folder: --folder <path>",
    transient: false,
  });
}

function failed(client: RedisClient, code: string, cause: string, transient = false): Failure {
  return new Failure({ code, operation: "restore into", subject: client.subject, cause, transient });
}
