import type { Replicated } from "./replicate";

/** What a person is told of a replication that was brought to what was wished, each a sentence. */
export function replicatedWords(name: string, replicated: Replicated): readonly string[] {
  const { safetyBackup, finalOffset, switchover } = replicated;
  return [
    ...(safetyBackup === undefined
      ? []
      : [`the keys that ${name} had are in the backup ${safetyBackup.slot} (${safetyBackup.archive})`]),
    ...(finalOffset === undefined ? [] : [promotedWords(name, finalOffset)]),
    ...(switchover === undefined
      ? []
      : [
          `roles exchanged: writes stood still for ${switchover.worstStallMs} ms at most; ` +
            `the old leader answered READONLY ${switchover.readonlyAnswers} times within ${switchover.readonlyMs} ms`,
        ]),
  ];
}

/** `finalOffset`: the last byte of its leader's history that it holds. */
export function promotedWords(name: string, finalOffset: number | undefined): string {
  const upTo = finalOffset === undefined ? "" : `, up to offset ${finalOffset} of its leader's history`;
  return `${name} is a leader now, with the data that it had${upTo}`;
}
