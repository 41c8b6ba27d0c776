import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expectStored, expectUploadId } from "./answers";
import type { Decide } from "./commit";
import type { About } from "./send";
import type { Session } from "./session";

/** The task's own signal may be what ended the put, so cleaning up has one of its own. */
const CLEAN_UP_MS = 30_000;

export interface Target {
  readonly Bucket: string;
  readonly Key: string;
  readonly Metadata: Record<string, string>;
}

/** An upload in parts, of which nothing is visible before it is complete. */
export interface MultipartUpload {
  /** Sends a part, in any order with others; its bytes must stay as they are until then. */
  add(partNumber: number, bytes: Buffer, signal: AbortSignal): Promise<void>;
  complete(...call: Parameters<Decide>): Promise<void>;
  /** Best effort: what is left is no object, costs space, and is swept a day later. */
  abandon(): Promise<void>;
}

export async function beginUpload(
  { send, clients: { usual, patient } }: Session,
  { Metadata, ...where }: Target,
  about: About,
  signal: AbortSignal,
): Promise<MultipartUpload> {
  // Each part's checksum is sent with it, and all again at the end; settings of the SDK may turn them off.
  const checksums =
    (await usual.config.requestChecksumCalculation()) === "WHEN_SUPPORTED"
      ? ({ ChecksumAlgorithm: "CRC32" } as const)
      : {};
  const UploadId = await send(
    about,
    async (options) =>
      expectUploadId(
        await usual.send(new CreateMultipartUploadCommand({ ...where, ...checksums, Metadata }), options),
      ),
    signal,
  );
  const upload = { ...where, UploadId };
  const parts: CompletedPart[] = [];
  return {
    async add(PartNumber, Body, signal) {
      const { ETag, ChecksumCRC32 } = await send(
        about,
        async (options) =>
          expectStored(
            await usual.send(new UploadPartCommand({ ...upload, ...checksums, PartNumber, Body }), options),
          ),
        signal,
      );
      parts.push({ PartNumber, ETag, ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }) });
    },

    async complete(condition, signal) {
      const Parts = parts.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
      const command = () =>
        new CompleteMultipartUploadCommand({ ...upload, ...condition, MultipartUpload: { Parts } });
      await send(about, async (options) => expectStored(await patient.send(command(), options)), signal);
    },

    async abandon() {
      await send(
        { ...about, action: "s3:AbortMultipartUpload" },
        (options) => usual.send(new AbortMultipartUploadCommand(upload), options),
        AbortSignal.timeout(CLEAN_UP_MS),
      ).catch(() => undefined);
    },
  };
}
