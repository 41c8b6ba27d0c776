import type { StoreCredentials } from "../../core/store-credentials";

/**
 * The keys that this process's environment holds for S3 stores, as the standard chain of the AWS SDK takes them: not
 * where a profile is chosen. Absent: it holds none.
 */
export function environmentKeys(environment: NodeJS.ProcessEnv = process.env): StoreCredentials | undefined {
  const {
    AWS_PROFILE: profile,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = environment;
  if (profile || !accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}
