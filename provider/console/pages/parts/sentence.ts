import { readableMoments } from "./time";

/**
 * Words that a sentence begins with and nothing else is called. What begins with a name, a command or a path keeps its
 * spelling.
 */
const BEGINNINGS = new Set(
  [
    "a an the this that these those it its they their there no not none nobody nothing",
    "one some each every all any another both other others only many more too",
    "what where when who whoever whose which why how if as because although",
    "at in on to by of for from with without until since after before while once meanwhile",
    "is are was were has had can cannot could must may will would",
  ].flatMap((words) => words.split(" ")),
);

/** What the operations say begins small and ends without a stop, to stand after a colon; here it stands alone. */
export function asSentence(text: string): string {
  const first = /^[a-z]+(?=[ ,'])/.exec(text)?.[0];
  const isPlain = first !== undefined && BEGINNINGS.has(first);
  const begins = isPlain ? `${text.charAt(0).toUpperCase()}${text.slice(1)}` : text;
  return readableMoments(/[.!?:]$/.test(begins) ? begins : `${begins}.`);
}
