import type { BackupResult } from "../platforms/contract";
import type { Replicated } from "./replicate";

/** What a person is told of a replication that was brought to what was wished, each a sentence. */
export function replicatedWords(name: string, replicated: Replicated): readonly string[] {
  const { safetyBackup, finalOffset, switchover } = replicated;
  return [
    ...(safetyBackup === undefined ? [] : [safetyBackupWords(name, safetyBackup)]),
    ...(finalOffset === undefined ? [] : [promotedWords(name, finalOffset)]),
    ...(switchover === undefined
      ? []
      : [`roles exchanged: ${switchoverWords("the old leader", switchover)}`]),
  ];
}

/** Where the keys are that a leader's data replaced. */
export function safetyBackupWords(name: string, { slot, archive }: BackupResult): string {
  return `the keys that ${name} had are in the backup ${slot} (${archive})`;
}

/** How an exchange of roles went for those who wrote meanwhile. */
export function switchoverWords(
  oldLeader: string,
  { worstStallMs, readonlyAnswers, readonlyMs }: NonNullable<Replicated["switchover"]>,
): string {
  const answers =
    readonlyAnswers === 0
      ? `${oldLeader} answered nobody READONLY`
      : `${oldLeader} answered READONLY ${times(readonlyAnswers)}, within ${readonlyMs} ms`;
  return `writes stood still for ${worstStallMs} ms at most; ${answers}`;
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

/** `finalOffset`: the last byte of its leader's history that it holds. */
export function promotedWords(name: string, finalOffset: number | undefined): string {
  const upTo = finalOffset === undefined ? "" : `, up to offset ${finalOffset} of its leader's history`;
  return `${name} is a leader now, with the data that it had${upTo}`;
}
