const FILES = "it names files of the machine, which the platform keeps";
const REPLICATION = "a RedisFollower sets up who follows whom, and the add-on how";
const RIGHTS = "the input `access` says what users may do";
const FORMAT = "restarts and backups rely on how the data files are written and read";
const MACHINE = "it reaches beyond the server, into the machine";
const PROCESS = "the platform starts, watches and stops the server";
const CODE = "it loads programs or configuration from files of the machine";

/**
 * Why a setting of redis.conf is not for programs to choose. A name may end in `*`; the first that fits counts. What is
 * allowed is looked for before.
 */
export const REFUSED_SETTINGS: readonly (readonly [names: readonly string[], reason: string])[] = [
  [["maxmemory", "maxclients", "databases"], "the plan sets it"],
  [["maxmemory-policy"], "the input `evictionPolicy` sets it"],
  [["requirepass"], "the input `password` sets it"],
  [["appendonly", "appendfsync"], "the input `persistence` sets it"],
  [["port"], "the input `port` sets it"],
  [["bind", "bind-source-addr", "protected-mode"], "the input `bind` says where the server listens"],
  [["replicaof", "slaveof"], "a RedisFollower makes an add-on follow"],
  [
    ["masterauth", "masteruser", "primaryauth", "primaryuser"],
    "a RedisFollower names its leader's credentials",
  ],
  [
    ["save", "stop-writes-on-bgsave-error"],
    "the input `persistence` and the backups keep the data; a scheduled snapshot that fails would make the server refuse writes",
  ],
  [
    ["no-appendfsync-on-rewrite"],
    "a power failure while the append-only file is rewritten would cost far more than the last second",
  ],
  [
    ["client-output-buffer-limit"],
    "it limits followers and backups as well: too low, none of them would ever get a whole snapshot",
  ],
  [["user", "aclfile", "acl-pubsub-default", "rename-command"], RIGHTS],
  [["enable-*"], RIGHTS],
  [["sanitize-dump-payload"], "what users RESTORE is always checked in full"],
  [["include", "loadmodule*"], CODE],
  [
    [
      ...["dir", "dbfilename", "appendfilename", "appenddirname", "logfile", "pidfile"],
      ...["unixsocket*", "cluster-config-file", "req-res-logfile"],
    ],
    FILES,
  ],
  [["hash-max-ziplist-entries"], "its name is hash-max-listpack-entries"],
  [["hash-max-ziplist-value"], "its name is hash-max-listpack-value"],
  [["zset-max-ziplist-entries"], "its name is zset-max-listpack-entries"],
  [["zset-max-ziplist-value"], "its name is zset-max-listpack-value"],
  [["list-max-ziplist-size"], "its name is list-max-listpack-size"],
  [["min-slaves-to-write"], "its name is min-replicas-to-write"],
  [["min-slaves-max-lag"], "its name is min-replicas-max-lag"],
  [["lua-time-limit"], "its name is busy-reply-threshold"],
  [["commandlog-execution-slower-than"], "its name for every server is slowlog-log-slower-than"],
  [["commandlog-slow-execution-max-len"], "its name for every server is slowlog-max-len"],
  [["commandlog-*"], "only some servers know it; there is slowlog-log-slower-than"],
  [["tls-*"], "an add-on's server speaks no TLS"],
  [["cluster-*"], "an add-on is one server and no cluster"],
  [["repl-*", "replica-*", "slave-*", "replicas-*", "dual-channel-*"], REPLICATION],
  [["aof-*", "rdb-*", "rdbchecksum"], FORMAT],
  [
    [
      "daemonize",
      "supervised",
      "shutdown-*",
      "loglevel",
      "syslog-*",
      "crash-*",
      "set-proc-title",
      "proc-title-*",
    ],
    PROCESS,
  ],
  [["dynamic-hz"], "Valkey 8.1 and newer know it no more; there is hz"],
  [
    ["activedefrag", "active-defrag-*", "jemalloc-*"],
    "servers that were built without jemalloc refuse to start with it",
  ],
  [
    ["oom-score-adj*", "disable-thp", "*-cpulist", "*_cpulist", "ignore-warnings", "watchdog-period"],
    MACHINE,
  ],
];

/** The refused names that are spelt out. */
export const REFUSED_NAMES: readonly string[] = REFUSED_SETTINGS.flatMap(([names]) => names).filter(
  (name) => !name.includes("*"),
);

/** Why this setting is refused, where that is known. */
export function refusal(name: string): string | undefined {
  return REFUSED_SETTINGS.find(([patterns]) => patterns.some((pattern) => fits(name, pattern)))?.[1];
}

function fits(name: string, pattern: string): boolean {
  if (pattern.endsWith("*")) return name.startsWith(pattern.slice(0, -1));
  return pattern.startsWith("*") ? name.endsWith(pattern.slice(1)) : name === pattern;
}
