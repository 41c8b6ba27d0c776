import { Failure } from "../../../core/errors";
import { followerStatusOf } from "../../../core/follower-status";
import type { Task } from "../../../core/task";
import { declaredReplication, isOfProgram } from "../../../operations/declared-replication";
import { pairOf } from "../../../operations/pair";
import { promoteByPerson } from "../../../operations/promote-by-person";
import { replicatedWords, safetyBackupWords, switchoverWords } from "../../../operations/replication-words";
import { resync } from "../../../operations/resync";
import { resyncConsequences } from "../../../operations/resync-consequences";
import { switchOver, SWITCHOVER_TIMEOUT_MS } from "../../../operations/switch-over";
import { promotedProgramWords, promotionConsequences } from "../../../operations/words/promotion-words";
import { switchedProgramWords, switchoverConsequences } from "../../../operations/words/switchover-words";
import type { ActivityResult } from "../../activities/activities";
import { taskOf } from "../../request-task";
import type { ReplicationRequest } from "./request";

/** A first AOF, or a snapshot, of a large add-on takes its time. */
const DEADLINE_MS = 20 * 60_000;

/** Something that a person decides about who leads and who follows, and what it would mean. */
export interface Decision {
  /** `Promote copy` */
  readonly title: string;
  /** Each a sentence without a full stop. */
  readonly consequences: readonly string[];
  /** What its program has to say afterwards; whole sentences. */
  readonly program?: string;
  readonly ifConsoleEnds: string;
  /** As a Failure has it: `promote`; the add-on's name follows. */
  readonly operation: string;
  readonly act: (task: Task) => Promise<ActivityResult>;
}

/** What is to be decided, from a request to see it or to do it; a Failure where it can't be. */
export type Decide = (request: ReplicationRequest) => Promise<Decision>;

export const promotion: Decide = async ({ context, status }) => {
  const { platform } = context;
  const { name } = status;
  const replication = declaredReplication(name, await platform.load(name));
  if (replication.wish.position === "promoted") throw leadsAlready("promote", name);
  const program = promotedProgramWords(isOfProgram(replication));
  return {
    title: `Promote ${name}`,
    consequences: promotionConsequences(followerStatusOf(status)),
    program,
    ifConsoleEnds: "the agent completes the promotion where it was recorded already",
    operation: "promote",
    act: async (task) => {
      const promoted = await promoteByPerson(platform, { name, deadlineMs: DEADLINE_MS }, task);
      return { words: replicatedWords(name, promoted), warnings: [program] };
    },
  };
};

export const switchover: Decide = async ({ c, context, status }) => {
  const { platform, watch } = context;
  const pair = await pairOf(platform, status.name);
  const to = c.req.query("back") === undefined ? "switched-over" : "declared";
  const [leader, follower] =
    to === "declared" ? [pair.declared, pair.follower] : [pair.follower, pair.declared];
  const target = await watch.one(leader, taskOf(c, context));
  if (target === undefined || target.replication.role === "leader") throw leadsAlready("switch over", leader);
  const program = switchedProgramWords(pair, to);
  const wait = `${SWITCHOVER_TIMEOUT_MS / 1000} s`;
  return {
    title: `Exchange the roles of ${leader} and ${follower}`,
    consequences: switchoverConsequences(target, follower, wait),
    program,
    ifConsoleEnds: "the agent completes the exchange, or undoes it",
    operation: `make ${leader} the leader and switch over`,
    act: async (task) => {
      const request = { name: pair.follower, claim: { kind: "person" }, to } as const;
      const done = await switchOver(platform, request, task);
      const { host, port } = target;
      return {
        words: [
          `${leader} leads now, and ${follower} follows it`,
          ...(done.switchover === undefined ? [] : [switchoverWords(follower, done.switchover)]),
          `programs that write connect to ${leader} at ${host}:${port}`,
        ],
        warnings: [program],
        links: [{ href: `/addons/${leader}`, text: leader }],
      };
    },
  };
};

export const resynchronization: Decide = async ({ c, context, status }) => {
  const { platform } = context;
  const { name, replication } = status;
  if (replication.role === "leader") throw leadsAlready("resync", name);
  if (replication.sync.state === "synced")
    throw new Failure({
      ...{ code: "in-sync", operation: "resync", subject: name },
      cause: "it is in sync with its leader: nothing keeps it from taking the leader's data",
    });
  return {
    title: `Have ${name} take its leader's data`,
    consequences: await resyncConsequences(platform, status, taskOf(c, context)),
    ifConsoleEnds: "where the leader's data are trusted already, the follower takes them nonetheless",
    operation: "resync",
    act: async (task) => {
      const { safetyBackups } = await resync(platform, { name, deadlineMs: DEADLINE_MS }, task);
      const kept = safetyBackups.map(({ addon, backup }) => safetyBackupWords(addon, backup));
      return { words: [`${name} is in sync with its leader`, ...kept] };
    },
  };
};

function leadsAlready(operation: string, subject: string): Failure {
  return new Failure({ code: "leads-already", operation, subject, cause: `${subject} is a leader already` });
}
