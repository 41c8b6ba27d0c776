import type { ServerWish } from "./facets";

/** What the add-on's user may do with one command of a server. The rules that make it so stand in `access.ts`. */
export interface Right {
  /** As a person writes it: `CONFIG GET`. A container such as CONFIG does nothing by itself and has no row. */
  readonly command: string;
  /** The heading that it stands under. */
  readonly group: string;
  /** Who may run it. On a follower, writes that are allowed are answered READONLY: that is no matter of rights. */
  readonly allowed: "everybody" | "advanced" | "nobody";
  /** Whether a follower refuses it even to those whom its leader allows it. */
  readonly leadersOnly: boolean;
  /** Why it is refused, where it is. */
  readonly why: string;
}

export type ServerRole = "leader" | "follower";

/** Whether a user with this access may run the command on a server in this role. */
export function isAllowed(right: Right, access: ServerWish["access"], role: ServerRole): boolean {
  if (right.leadersOnly && role === "follower") return false;
  return right.allowed === "everybody" || (right.allowed === "advanced" && access === "advanced");
}

type Ungrouped = Omit<Right, "group">;

const everybody = (commands: string) => rights(commands, "everybody", "");
const nobody = (why: string, commands: string) => rights(commands, "nobody", why);
const advanced = (why: string, commands: string) => rights(commands, "advanced", why);
const onLeaders = (allowed: Right["allowed"], why: string, commands: string) =>
  rights(commands, allowed, why, true);

/** `GET CLIENT(ID INFO)` is GET, CLIENT ID and CLIENT INFO. */
function rights(commands: string, allowed: Right["allowed"], why: string, leadersOnly = false): Ungrouped[] {
  return [...commands.matchAll(/([^\s()]+)(?:\(([^)]+)\))?/g)]
    .flatMap(([, name = "", inner]) =>
      inner === undefined ? [name] : inner.split(/\s+/).map((sub) => `${name} ${sub}`),
    )
    .map((command) => ({ command, allowed, leadersOnly, why }));
}

function group(name: string, ...parts: readonly Ungrouped[][]): Right[] {
  return parts.flat().map((right) => ({ ...right, group: name }));
}

const ADMINISTRATION = "server administration";
const OWN_USERS = "users and their rights are the add-on's own";
const OWN_REPLICATION = "replication is the add-on's own: declare a RedisFollower";
const OWN_PROCESS = "the server's process and files are the add-on's own";
const NO_CLUSTER = "an add-on is no part of a Redis Cluster";

/**
 * Every command of Redis 7.0 to 7.4 and Valkey 8 and 9. A test asks each server for the commands it has and what it
 * allows, so a command that lacks here, or a rule that does something else, is found by its name.
 */
export const RIGHTS: readonly Right[] = [
  ...group(
    "Strings and bitmaps",
    everybody(`
      APPEND BITCOUNT BITFIELD BITFIELD_RO BITOP BITPOS DECR DECRBY DELIFEQ GET GETBIT GETDEL GETEX GETRANGE GETSET
      INCR INCRBY INCRBYFLOAT LCS MGET MSET MSETEX MSETNX PSETEX SET SETBIT SETEX SETNX SETRANGE STRLEN SUBSTR`),
  ),
  ...group(
    "Lists",
    everybody(`
      BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH LINDEX LINSERT LLEN LMOVE LMPOP LPOP LPOS LPUSH LPUSHX LRANGE LREM LSET
      LTRIM RPOP RPOPLPUSH RPUSH RPUSHX`),
  ),
  ...group(
    "Hashes",
    everybody(`
      HDEL HEXISTS HEXPIRE HEXPIREAT HEXPIRETIME HGET HGETALL HGETDEL HGETEX HINCRBY HINCRBYFLOAT HKEYS HLEN HMGET
      HMSET HPERSIST HPEXPIRE HPEXPIREAT HPEXPIRETIME HPTTL HRANDFIELD HSCAN HSET HSETEX HSETNX HSTRLEN HTTL HVALS`),
  ),
  ...group(
    "Sets",
    everybody(`
      SADD SCARD SDIFF SDIFFSTORE SINTER SINTERCARD SINTERSTORE SISMEMBER SMEMBERS SMISMEMBER SMOVE SPOP SRANDMEMBER
      SREM SSCAN SUNION SUNIONSTORE`),
  ),
  ...group(
    "Sorted sets",
    everybody(`
      BZMPOP BZPOPMAX BZPOPMIN ZADD ZCARD ZCOUNT ZDIFF ZDIFFSTORE ZINCRBY ZINTER ZINTERCARD ZINTERSTORE ZLEXCOUNT
      ZMPOP ZMSCORE ZPOPMAX ZPOPMIN ZRANDMEMBER ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZRANGESTORE ZRANK ZREM
      ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK ZSCAN
      ZSCORE ZUNION ZUNIONSTORE`),
  ),
  ...group(
    "Streams",
    everybody(`
      XACK XADD XAUTOCLAIM XCLAIM XDEL XGROUP(CREATE CREATECONSUMER DELCONSUMER DESTROY HELP SETID)
      XINFO(CONSUMERS GROUPS HELP STREAM) XLEN XPENDING XRANGE XREAD XREADGROUP XREVRANGE XSETID XTRIM`),
  ),
  ...group(
    "Places and estimates",
    everybody(`
      GEOADD GEODIST GEOHASH GEOPOS GEORADIUS GEORADIUSBYMEMBER GEORADIUSBYMEMBER_RO GEORADIUS_RO GEOSEARCH
      GEOSEARCHSTORE PFADD PFCOUNT PFMERGE`),
    nobody("for those who develop Redis itself", "PFDEBUG PFSELFTEST"),
  ),
  ...group(
    "Keys and databases",
    everybody(`
      COPY DBSIZE DEL DUMP EXISTS EXPIRE EXPIREAT EXPIRETIME FLUSHALL FLUSHDB KEYS MOVE
      OBJECT(ENCODING FREQ HELP IDLETIME REFCOUNT) PERSIST PEXPIRE PEXPIREAT PEXPIRETIME PTTL RANDOMKEY RENAME
      RENAMENX RESTORE SCAN SELECT SORT SORT_RO TOUCH TTL TYPE UNLINK`),
    nobody("reaches into the network behind the server", "MIGRATE"),
    nobody("exchanges two databases under all their clients", "SWAPDB"),
  ),
  ...group(
    "Messages",
    everybody(`
      PSUBSCRIBE PUBLISH PUBSUB(CHANNELS HELP NUMPAT NUMSUB SHARDCHANNELS SHARDNUMSUB) PUNSUBSCRIBE SPUBLISH
      SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE UNSUBSCRIBE`),
  ),
  ...group(
    "Transactions and scripts",
    everybody(`
      DISCARD EVAL EVALSHA EVALSHA_RO EVAL_RO EXEC FCALL FCALL_RO
      FUNCTION(DELETE DUMP FLUSH HELP KILL LIST LOAD RESTORE STATS) MULTI SCRIPT(EXISTS FLUSH HELP KILL LOAD SHOW)
      UNWATCH WATCH`),
    nobody(
      "a script that is being debugged holds up the whole server, its administrator too",
      "SCRIPT(DEBUG)",
    ),
  ),
  ...group(
    "Connections",
    everybody(`
      AUTH CLIENT(CACHING CAPA GETNAME GETREDIR HELP ID IMPORT-SOURCE INFO LIST NO-TOUCH REPLY SETINFO SETNAME
      TRACKING TRACKINGINFO UNBLOCK) ECHO HELLO PING QUIT RESET`),
    advanced("ends or holds up other clients", "CLIENT(KILL PAUSE UNPAUSE)"),
    nobody("memory is for all connections alike", "CLIENT(NO-EVICT)"),
  ),
  ...group(
    "Information and observing",
    everybody(`
      COMMAND COMMAND(COUNT DOCS GETKEYS GETKEYSANDFLAGS HELP INFO LIST) COMMANDLOG(HELP) INFO LASTSAVE
      LATENCY(HELP HISTOGRAM HISTORY LATEST) LOLWUT MEMORY(DOCTOR HELP MALLOC-STATS PURGE STATS USAGE) ROLE
      SLOWLOG(GET HELP LEN) TIME`),
    advanced("shows what other clients do", "MONITOR"),
    advanced(ADMINISTRATION, "LATENCY(DOCTOR GRAPH RESET) SLOWLOG(RESET)"),
    nobody("only Valkey has it: SLOWLOG tells most of it on every server", "COMMANDLOG(GET LEN RESET)"),
  ),
  ...group(
    "Configuration",
    everybody("CONFIG(HELP)"),
    onLeaders("advanced", `${ADMINISTRATION}; on a follower it shows the leader's password`, "CONFIG(GET)"),
    onLeaders(
      "advanced",
      `${ADMINISTRATION}; on a follower it hides that changes of its leader failed there`,
      "CONFIG(RESETSTAT)",
    ),
    nobody(
      "rules can't tell one setting from another, and some open the server to the network, take its password away, " +
        "outgrow its plan, lose its data or end it: declare the add-on's `settings` instead",
      "CONFIG(SET)",
    ),
    nobody(OWN_PROCESS, "CONFIG(REWRITE)"),
  ),
  ...group(
    "Users",
    everybody("ACL(WHOAMI)"),
    nobody(OWN_USERS, "ACL(CAT DELUSER DRYRUN GENPASS GETUSER HELP LIST LOAD LOG SAVE SETUSER USERS)"),
  ),
  ...group(
    "Replication",
    everybody("WAIT WAITAOF"),
    onLeaders("everybody", "on a follower, whoever may PSYNC can promote it", "PSYNC REPLCONF SYNC"),
    nobody(OWN_REPLICATION, "FAILOVER REPLICAOF SLAVEOF"),
  ),
  ...group(
    "Process and files",
    everybody("MODULE(HELP LIST)"),
    nobody(OWN_PROCESS, "BGREWRITEAOF BGSAVE SAVE SHUTDOWN"),
    nobody("stops, changes or crashes the server", "DEBUG"),
    nobody("a module is foreign code within the server", "MODULE(LOAD LOADEX UNLOAD)"),
  ),
  ...group(
    "Cluster",
    // Only the newest Valkey knows CLUSTERSCAN, and no other loads a rule that names it. All four answer with errors.
    everybody("ASKING CLUSTERSCAN READONLY READWRITE"),
    nobody(
      NO_CLUSTER,
      `CLUSTER(ADDSLOTS ADDSLOTSRANGE BUMPEPOCH CANCELSLOTMIGRATIONS COUNT-FAILURE-REPORTS COUNTKEYSINSLOT DELSLOTS
      DELSLOTSRANGE FAILOVER FLUSHSLOT FLUSHSLOTS FORGET GETKEYSINSLOT GETSLOTMIGRATIONS HELP INFO KEYSLOT LINKS MEET
      MIGRATESLOTS MYID MYSHARDID NODES REPLICAS REPLICATE RESET SAVECONFIG SET-CONFIG-EPOCH SETSLOT SHARDS SLAVES
      SLOT-STATS SLOTS SYNCSLOTS) RESTORE-ASKING`,
    ),
  ),
];
