import type { Manifest } from "../../core/manifest";

/** What is known of an extracted archive without looking into it; of one without a manifest, what was read of it. */
export type Described = Pick<Manifest, "slot" | "files" | "rdb" | "server" | "usedMemoryBytes"> &
  Partial<Pick<Manifest, "replication">>;
