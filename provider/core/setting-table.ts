import type { SettingKind, SpecialValue } from "./setting-kinds";

/** A setting of redis.conf that a program may choose. */
export interface AllowedSetting {
  readonly name: string;
  readonly kind: SettingKind;
  /** What a server has where nothing is said, in the spelling that CONFIG GET answers with. */
  readonly default: string;
  /** Valkey's, where it is another. */
  readonly valkeyDefault?: string;
  /** `live`: CONFIG SET takes it. `restart`: only a launch does. */
  readonly apply: "live" | "restart";
  /** The first Redis that knows it: `7.2`. Absent: every supported server does. */
  readonly sinceRedis?: string;
  /** One sentence for the documentation. */
  readonly about: string;
}

const KIB = 1024;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

const LAZY = {
  eviction: "is evicted",
  expire: "expires",
  "server-del": "is overwritten or moved",
  "user-del": "is removed by DEL",
  "user-flush": "goes with FLUSHALL or FLUSHDB",
} as const;

/** What each server takes and answers, and its defaults, are proved on every server of the tests' matrix. */
export const ALLOWED_SETTINGS: readonly AllowedSetting[] = [
  // What clients see and how their connections are kept.
  allow("notify-keyspace-events", { kind: "keyspace-events" }, "", "Which changes of keys are published."),
  allow(
    "timeout",
    // Administration holds a connection open, and is heard of more often than this.
    number(60, 31_536_000, "seconds", { value: 0, means: "never" }),
    "0",
    "When idle clients are disconnected.",
  ),
  allow(
    "tcp-keepalive",
    // The kernel takes no more.
    number(1, 32_767, "seconds", { value: 0, means: "never" }),
    "300",
    "How often a silent connection is probed.",
  ),
  allow(
    "tcp-backlog",
    number(1, 65_535),
    "511",
    "How many connections may wait to be accepted; the kernel's somaxconn caps it.",
    { apply: "restart" },
  ),
  allow(
    "client-query-buffer-limit",
    memory(MIB, GIB),
    String(GIB),
    "The longest unfinished command that a client may send.",
  ),
  allow("proto-max-bulk-len", memory(MIB, 512 * MIB), String(512 * MIB), "The longest single value."),
  allow(
    "maxmemory-clients",
    {
      ...memory(MIB, 64 * GIB),
      percent: { least: 5, most: 100 },
      special: { value: 0, means: "no limit" },
    },
    "0",
    "What all clients' buffers may take together; the largest clients are disconnected first. At least 64kb for each of the plan's connections.",
  ),
  allow(
    "tracking-table-max-keys",
    number(1, 10_000_000),
    "1000000",
    "How many keys are remembered for client-side caches.",
  ),
  allow(
    "busy-reply-threshold",
    // With less, looking after the server would now and then hear BUSY too.
    number(100, 60_000, "milliseconds"),
    "5000",
    "After how long a script makes others hear BUSY, and can be killed.",
  ),

  // What is measured.
  allow(
    "slowlog-log-slower-than",
    number(0, 3_600_000_000, "microseconds", { value: -1, means: "nothing is logged" }),
    "10000",
    "Which commands go into the slow log.",
  ),
  allow("slowlog-max-len", number(0, 4096), "128", "How many entries the slow log keeps."),
  allow(
    "latency-monitor-threshold",
    number(1, 3_600_000, "milliseconds", { value: 0, means: "nothing is recorded" }),
    "0",
    "Which events LATENCY records.",
  ),
  allow("latency-tracking", { kind: "switch" }, "yes", "Whether each command's latencies are counted."),
  allow("acllog-max-len", number(0, 4096), "128", "How many refused commands ACL LOG keeps."),

  // Eviction and expiry.
  allow("maxmemory-samples", number(1, 64), "5", "How many keys eviction compares."),
  allow(
    "maxmemory-eviction-tenacity",
    number(0, 100),
    "10",
    "How long eviction may hold clients up: 0 the least, 100 without regard to them.",
  ),
  allow("lfu-log-factor", number(0, 255), "10", "How slowly the counter of the lfu policies grows."),
  allow(
    "lfu-decay-time",
    number(0, 65_535, "minutes"),
    "1",
    "After how long the counter of the lfu policies falls by one; 0: at each look.",
  ),
  allow("active-expire-effort", number(1, 10), "1", "How eagerly expired keys are looked for."),
  ...Object.entries(LAZY).map(([when, words]) =>
    allow(
      `lazyfree-lazy-${when}`,
      { kind: "switch" },
      "no",
      `Whether the memory of what ${words} is freed in the background.`,
      { valkeyDefault: "yes" },
    ),
  ),
  allow("activerehashing", { kind: "switch" }, "yes", "Whether tables are rehashed in idle moments."),
  allow("hz", number(1, 500), "10", "How often background work runs each second."),

  // How values are laid out in memory.
  allow("hash-max-listpack-entries", number(0, 65_535), "512", compact("hash", "fields")),
  allow("hash-max-listpack-value", memory(0, 64 * KIB), "64", compact("hash", "bytes in a field or value")),
  allow("set-max-intset-entries", number(0, 65_535), "512", compact("set of whole numbers", "members")),
  allow("set-max-listpack-entries", number(0, 65_535), "128", compact("set", "members"), {
    sinceRedis: "7.2",
  }),
  allow("set-max-listpack-value", memory(0, 64 * KIB), "64", compact("set", "bytes in a member"), {
    sinceRedis: "7.2",
  }),
  allow("zset-max-listpack-entries", number(0, 65_535), "128", compact("sorted set", "members")),
  allow("zset-max-listpack-value", memory(0, 64 * KIB), "64", compact("sorted set", "bytes in a member")),
  allow(
    "list-max-listpack-size",
    number(-5, 32_767),
    "-2",
    "A node of a list: so many elements, or from -1 to -5 at most 4, 8, 16, 32 or 64 KiB.",
  ),
  allow(
    "list-compress-depth",
    number(1, 65_535, undefined, { value: 0, means: "none are compressed" }),
    "0",
    "How many nodes at each end of a list stay uncompressed.",
  ),
  allow("hll-sparse-max-bytes", memory(0, 16_000), "3000", "Up to which size a HyperLogLog stays sparse."),
  allow(
    "stream-node-max-bytes",
    memory(64, MIB, { value: 0, means: "no limit" }),
    "4096",
    "How large a node of a stream grows.",
  ),
  allow(
    "stream-node-max-entries",
    number(1, 65_535, undefined, { value: 0, means: "no limit" }),
    "100",
    "How many entries a node of a stream holds.",
  ),

  // Files and followers.
  allow(
    "auto-aof-rewrite-percentage",
    // Never rewritten, the append-only file would fill the disk.
    number(10, 1000, "percent"),
    "100",
    "By how much the append-only file grows before it is rewritten.",
  ),
  allow(
    "auto-aof-rewrite-min-size",
    memory(MIB, 16 * GIB),
    String(64 * MIB),
    "Below which size the append-only file is not rewritten.",
  ),
  allow("rdbcompression", { kind: "switch" }, "yes", "Whether snapshots compress texts."),
  allow(
    "repl-backlog-size",
    memory(16 * KIB, 4 * GIB),
    String(MIB),
    "How much a follower may miss and still catch up without a new snapshot; it counts towards the plan's memory, and takes at most a quarter of it.",
    { valkeyDefault: String(10 * MIB) },
  ),
  allow(
    "repl-backlog-ttl",
    number(1, 31_536_000, "seconds", { value: 0, means: "for ever" }),
    "3600",
    "How long the backlog is kept when no follower is left.",
  ),
  allow(
    "min-replicas-to-write",
    number(1, 32, undefined, { value: 0, means: "none" }),
    "0",
    "How many followers must be close for writes to be taken; with fewer, they are refused.",
  ),
  allow(
    "min-replicas-max-lag",
    number(1, 3600, "seconds"),
    "10",
    "How late a follower may answer and still be close.",
  ),
  allow(
    "io-threads",
    number(1, 16),
    "1",
    "How many threads read and write for clients; commands run in one all the same.",
    { apply: "restart" },
  ),
];

function allow(
  name: string,
  kind: SettingKind,
  byDefault: string,
  about: string,
  more: Partial<Pick<AllowedSetting, "valkeyDefault" | "apply" | "sinceRedis">> = {},
): AllowedSetting {
  return { name, kind, default: byDefault, apply: "live", about, ...more };
}

function number(least: number, most: number, unit?: string, special?: SpecialValue) {
  return {
    kind: "number",
    ...{ least, most },
    ...(unit === undefined ? {} : { unit }),
    ...(special === undefined ? {} : { special }),
  } as const;
}

function memory(leastBytes: number, mostBytes: number, special?: SpecialValue) {
  return { kind: "memory", leastBytes, mostBytes, ...(special === undefined ? {} : { special }) } as const;
}

function compact(what: string, most: string): string {
  return `Up to how many ${most} a ${what} is kept in its compact form.`;
}
