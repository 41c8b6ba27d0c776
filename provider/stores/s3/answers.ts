import type {
  CompleteMultipartUploadCommandOutput,
  CreateMultipartUploadCommandOutput,
  ListObjectsV2CommandOutput,
  PutObjectCommandOutput,
  UploadPartCommandOutput,
} from "@aws-sdk/client-s3";

/**
 * An answer with a good status that says nothing of what it should: cut short, an error after all, or somebody else's
 * page; or a 404 that names nothing that is missing. Tried again, and never taken for an empty listing, for success, or
 * for a missing object.
 */
export class NotAnAnswer extends Error {
  override readonly name = "NotAnAnswer";

  constructor(missing: string, kind = "a success") {
    super(`the answer was ${kind} without ${missing}`);
  }
}

export function expectListing(output: ListObjectsV2CommandOutput): ListObjectsV2CommandOutput {
  if (output.Name === undefined) throw new NotAnAnswer("the bucket's name");
  if (output.IsTruncated === true && output.NextContinuationToken === undefined)
    throw new NotAnAnswer("the way to the next page");
  for (const { Key, Size, LastModified } of output.Contents ?? [])
    if (Key === undefined || Size === undefined || LastModified === undefined)
      throw new NotAnAnswer("an object's key, size or time");
  return output;
}

type Stored = PutObjectCommandOutput | UploadPartCommandOutput | CompleteMultipartUploadCommandOutput;

export function expectStored<T extends Stored>(output: T): T & { readonly ETag: string } {
  const { ETag } = output;
  if (ETag === undefined || ETag === "") throw new NotAnAnswer("an ETag");
  return { ...output, ETag };
}

export function expectUploadId({ UploadId }: CreateMultipartUploadCommandOutput): string {
  if (UploadId === undefined || UploadId === "") throw new NotAnAnswer("an upload's id");
  return UploadId;
}
