import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { z } from "zod";
import type { LogLine } from "../../contract";
import { linesBackwards, linesForwards, readRange, wholeLinesEnd } from "./file-lines";

/** How far a log's file was read. */
export const FilePositionSchema = z.object({
  /** Where its next line begins. */
  offset: z.number().int().nonnegative(),
  /** Of the beginning of what was read: a file that was cut, or that another one took the place of, has another one. */
  digest: z.string(),
});
export type FilePosition = z.infer<typeof FilePositionSchema>;

const DIGESTED_BYTES = 512;

/** Where nothing was read yet. */
export const NOWHERE: FilePosition = { offset: 0, digest: "" };

/** What is read at once of lines that were written since: whoever follows comes again at once. */
const MOST_BYTES = 256 * 1024;

/** A line, and whether it is about the add-on; absent: it goes on with what the line before it says. */
export interface SourceLine {
  readonly line: LogLine;
  readonly isAbout?: boolean;
}

export interface LogSourceFile {
  readonly path: string;
  readonly read: (line: string) => SourceLine;
}

export interface SourceExcerpt {
  readonly lines: readonly LogLine[];
  readonly end: FilePosition;
}

/** Where a log's older part lies, once it grew too long. */
export function olderPart(path: string): string {
  return `${path}.1`;
}

/** The newest lines about the add-on, at most so many, also from before the file was last cut. */
export async function newestLines(source: LogSourceFile, most: number): Promise<SourceExcerpt> {
  const found: LogLine[] = [];
  const file = await openLog(source.path);
  if (file === undefined) return { lines: [], end: NOWHERE };
  await using _ = file;
  const end = await positionAt(file, await wholeLinesEnd(file));
  if (most > 0) await collect(linesBackwards(file, end.offset), source, most, found);
  await using older = found.length < most ? await openLog(olderPart(source.path)) : undefined;
  if (older !== undefined)
    await collect(linesBackwards(older, await wholeLinesEnd(older)), source, most, found);
  return { lines: found.toReversed(), end };
}

/** The lines about the add-on that were written since; of many, those that come first. */
export async function linesSince(source: LogSourceFile, since: FilePosition): Promise<SourceExcerpt> {
  const file = await openLog(source.path);
  // For a moment, while a new one takes its place.
  if (file === undefined) return { lines: [], end: since };
  await using _ = file;
  const isSame = await holds(file, since);
  const missed = isSame ? [] : await restOfOlder(source, since);
  const { lines, end } = await linesForwards(file, isSame ? since.offset : 0, MOST_BYTES);
  const found = [...missed, ...lines].map((line) => source.read(line));
  return { lines: about(found), end: await positionAt(file, end) };
}

/** What was written to the file before it was cut, and after it was read. */
async function restOfOlder({ path }: LogSourceFile, since: FilePosition): Promise<string[]> {
  await using older = await openLog(olderPart(path));
  if (older === undefined || !(await holds(older, since))) return [];
  return (await linesForwards(older, since.offset, MOST_BYTES)).lines;
}

/** Adds lines about the add-on, the last one first, until there are enough. */
async function collect(
  backwards: AsyncIterable<string>,
  { read }: LogSourceFile,
  most: number,
  into: LogLine[],
): Promise<void> {
  let goesOn: LogLine[] = [];
  for await (const text of backwards) {
    const { line, isAbout } = read(text);
    if (goesOn.length < most) goesOn.push(line);
    if (isAbout === undefined) continue;
    if (isAbout) into.push(...goesOn.slice(0, most - into.length));
    goesOn = [];
    if (into.length >= most) return;
  }
}

function about(lines: readonly SourceLine[]): LogLine[] {
  let isWanted = false;
  return lines.flatMap(({ line, isAbout }) => {
    isWanted = isAbout ?? isWanted;
    return isWanted ? [line] : [];
  });
}

async function openLog(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function positionAt(file: FileHandle, offset: number): Promise<FilePosition> {
  const beginning = await readRange(file, 0, Math.min(offset, DIGESTED_BYTES));
  return offset === 0
    ? NOWHERE
    : { offset, digest: createHash("sha256").update(beginning).digest("base64url") };
}

/** Whether what was read is in that file. */
async function holds(file: FileHandle, { offset, digest }: FilePosition): Promise<boolean> {
  const { size } = await file.stat();
  return size >= offset && (await positionAt(file, offset)).digest === digest;
}
