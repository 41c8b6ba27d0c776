import { randomUUID } from "node:crypto";
import type { DecryptionKey } from "../core/encryption";
import type { Manifest } from "../core/manifest";
import type { Task } from "../core/task";
import type { Verification } from "../core/verification";
import { type BackupPlace, openPlace } from "./backup-place";
import { proofHere } from "./proof-here";

/** Finds what opens an archive that is encrypted like this; absent: there is nothing. */
export type KeyFor = (encryption: Manifest["encryption"]) => Promise<DecryptionKey | undefined>;

export interface VerifyRequest {
  readonly place: BackupPlace;
  readonly slot: string;
  /** Its servers serve the verification, where there are any. */
  readonly dataHome?: string | undefined;
  readonly keyFor: KeyFor;
}

/** Verifies a backup in this process and notes beside it what was found, which may be that it is damaged. */
export async function verifyBackup(request: VerifyRequest, task: Task): Promise<Verification> {
  const { place, slot, dataHome, keyFor } = request;
  const { catalogKey, destination, credentials, name } = place;
  const { readManifest } = await import("../backup/catalog.js");
  const { performJob } = await import("../backup/jobs/perform.js");
  const { encryption } = await readManifest(await openPlace(place), catalogKey, slot, task.signal);
  const [proof, key] = [await proofHere(dataHome), await keyFor(encryption)];
  const result = await performJob(
    {
      kind: "verify",
      id: `${name}-verify-${randomUUID().slice(0, 8)}`,
      addon: { name, catalogKey },
      ...{ slot, destination, proof },
      ...(credentials === undefined ? {} : { credentials }),
      ...(key === undefined ? {} : { key }),
    },
    task,
  );
  if (result.outcome === "looked-at") return result.verification;
  throw new Error(`a verification answered ${result.outcome}`);
}
