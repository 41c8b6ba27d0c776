import { randomBytes } from "node:crypto";
import { catalogKeyOf } from "../../core/catalog-key";
import type { AddonRecord } from "../../core/facets";
import type { HomeIdentity } from "../../core/status";
import type { Caller } from "../../platforms/contract";

/** What a new add-on is born with; its server facet comes with the change that makes it. */
export function newRecord(
  name: string,
  { project, stack }: Caller,
  createdAt: string,
  home: HomeIdentity,
): Omit<AddonRecord, "server"> {
  return {
    format: 1,
    name,
    catalogKey: catalogKeyOf(name, home.id),
    createdAt,
    owner: { project, stack },
    credentials: {
      password: newPassword(),
      adminPassword: newPassword(),
      replicaPassword: newPassword(),
    },
  };
}

/** 256 bits, safe in shells and URLs. */
function newPassword(): string {
  return randomBytes(32).toString("base64url");
}
