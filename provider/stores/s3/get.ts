import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import {
  GetObjectCommand,
  type GetObjectCommandInput,
  type GetObjectCommandOutput,
} from "@aws-sdk/client-s3";
import { Failure } from "../../core/errors";
import { longestWaitMs } from "../retry";
import { NotAnAnswer } from "./answers";
import type { About } from "./send";
import { hasCode, locate, type Session } from "./session";
import { readS3Error } from "./transient";

/** How often a stream is taken up again without one more byte having come. */
const RESUMES_WITHOUT_PROGRESS = 6;
const WAITS = { firstDelayMs: 100, longestDelayMs: 10_000 };

/**
 * A stream of an object: exactly the bytes of the object that was there at the beginning, or an error. A cut connection
 * is taken up where it broke. Where the store knows a checksum of the whole object, what came is compared with it; of
 * one that was put in parts it knows none.
 */
export async function get(session: Session, key: string, signal: AbortSignal): Promise<Readable> {
  const about = { operation: "read", subject: `${session.url}/${key}`, action: "s3:GetObject" };
  signal.throwIfAborted();
  const first = await open(session, key, about, undefined, signal);
  const { sizeBytes } = first;
  let body = first.body;

  async function* chunks() {
    let position = 0;
    let checksum = 0;
    for (let withoutProgress = 0; position < sizeBytes;) {
      try {
        for await (const chunk of body as AsyncIterable<Buffer>) {
          position += chunk.length;
          if (position > sizeBytes) break;
          if (first.checksum !== undefined) checksum = crc32(chunk, checksum);
          withoutProgress = 0;
          yield chunk;
        }
        if (position === sizeBytes) break;
        throw new Error(position < sizeBytes ? "it ended early" : "more came than the store had announced");
      } catch (error) {
        signal.throwIfAborted();
        if (position > sizeBytes || ++withoutProgress > RESUMES_WITHOUT_PROGRESS)
          throw cut(about, position, sizeBytes, error);
      }
      await session.clock.sleep(session.random() * longestWaitMs(WAITS, withoutProgress), signal);
      body = (await open(session, key, about, { position, first }, signal)).body;
    }
    if (first.checksum !== undefined && first.checksum !== checksum) throw corrupt(about);
  }
  const stream = Readable.from(chunks(), { objectMode: false });
  // A generator that was never started closes nothing.
  stream.once("close", () => body.destroy());
  return stream;
}

interface Opened {
  readonly body: Readable;
  readonly sizeBytes: number;
  readonly etag: string | undefined;
  readonly checksum: number | undefined;
}

async function open(
  { send, clients, ...session }: Session,
  key: string,
  about: About,
  resume: { readonly position: number; readonly first: Opened } | undefined,
  signal: AbortSignal,
): Promise<Opened> {
  const where = locate({ ...session, send, clients }, key);
  const rest =
    resume === undefined
      ? {}
      : {
          Range: `bytes=${resume.position}-`,
          ...(resume.first.etag === undefined ? {} : { IfMatch: resume.first.etag }),
        };
  const wantedBytes = resume === undefined ? undefined : resume.first.sizeBytes - resume.position;
  try {
    return await send(
      about,
      async (options) =>
        opened(await clients.usual.send(askingForChecksum({ ...where, ...rest }), options), wantedBytes),
      signal,
    );
  } catch (error) {
    if (resume !== undefined && hasCode(error, "already-exists")) throw replaced(about);
    throw error;
  }
}

/** Not by ChecksumMode, which makes the SDK put a checking stream of its own around the body. */
function askingForChecksum(input: GetObjectCommandInput): GetObjectCommand {
  const command = new GetObjectCommand(input);
  command.middlewareStack.add(
    (next) => (args) => {
      (args.request as { readonly headers: Record<string, string> }).headers["x-amz-checksum-mode"] =
        "ENABLED";
      return next(args);
    },
    { step: "build", name: "askForChecksum" },
  );
  return command;
}

function opened(output: GetObjectCommandOutput, wantedBytes: number | undefined): Opened {
  const { Body, ContentLength, ETag, ChecksumCRC32 } = output;
  if (!(Body instanceof Readable)) throw new NotAnAnswer("a body");
  // Whatever is wrong with it, a body that nobody reads would keep its connection.
  if (ContentLength === undefined || (wantedBytes !== undefined && ContentLength !== wantedBytes)) {
    Body.destroy();
    throw new NotAnAnswer("the length that was asked for");
  }
  return { body: Body, sizeBytes: ContentLength, etag: ETag, checksum: wholeChecksum(ChecksumCRC32) };
}

/** `<checksum of the parts' checksums>-<parts>` says nothing of the whole. */
function wholeChecksum(text: string | undefined): number | undefined {
  if (text === undefined || text.includes("-")) return undefined;
  const bytes = Buffer.from(text, "base64");
  return bytes.length === 4 ? bytes.readUInt32BE() : undefined;
}

function cut(about: About, position: number, sizeBytes: number, error: unknown): Failure {
  return new Failure({
    code: "unreachable",
    ...said(about),
    cause: `it was cut after ${position} of ${sizeBytes} bytes, again and again (${readS3Error(error).message})`,
    hint: "Try again; if it goes on, look at what lies between this machine and the store",
    transient: true,
  });
}

function replaced(about: About): Failure {
  return new Failure({
    code: "replaced",
    ...said(about),
    cause: "another object took its place while it was read",
    hint: "Try again",
    transient: true,
  });
}

function corrupt(about: About): Failure {
  return new Failure({
    code: "corrupt",
    ...said(about),
    cause: "what came is not what was stored: its checksum differs",
    hint: "Try again; if it goes on, what the store holds is damaged",
    transient: true,
  });
}

function said({ operation, subject }: About) {
  return { operation, subject };
}
