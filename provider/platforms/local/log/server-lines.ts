import type { LogLine } from "../../contract";

/** `pid:role DD Mon YYYY HH:MM:SS.mmm * text`, as Redis and Valkey write it unless their log's format is changed. */
const HEADED = /^\d+:[A-Z] (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}:\d{2}:\d{2}\.\d{3}) ([.\-*#]) (.*)$/s;
/** As it writes where it may call nothing that knows the time of day: seconds since the Unix epoch. */
const IN_A_SIGNAL = /^\d+:signal-handler \((\d{1,12})\) (.*)$/s;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const LEVELS: Readonly<Record<string, LogLine["level"]>> = { ".": "debug", "#": "warning" };

/**
 * What Redis 7.0 calls a warning though it is the usual course of things: starting and stopping, a backup that has read
 * its snapshot (which alone names no port), and the question whether a user may replicate.
 */
const USUAL = [
  /^oO0OoO0OoO0Oo \w+ is starting/,
  /^(?:Redis|Valkey) version=/,
  /^Configuration loaded$/,
  /^Server initialized$/,
  /^User requested shutdown/,
  /is now ready to exit, bye bye/,
  /^Diskless rdb transfer, done reading from pipe/,
  /^Connection with replica \S+:<unknown-replica-port> lost/,
  /^Failover request received for replid \?\.$/,
];

/** A line of a server's own log. Our servers are launched with UTC as their time zone. */
export function serverLine(line: string): LogLine {
  const [, seconds, heard] = IN_A_SIGNAL.exec(line) ?? [];
  if (heard !== undefined)
    return {
      at: new Date(Number(seconds) * 1000).toISOString(),
      source: "server",
      level: "info",
      text: heard,
    };
  const [, day, month = "", year, time, mark = "", text] = HEADED.exec(line) ?? [];
  const number = MONTHS.indexOf(month) + 1;
  if (text === undefined || number === 0) return { source: "server", level: "info", text: line };
  const at = `${year}-${String(number).padStart(2, "0")}-${day}T${time}Z`;
  const level = USUAL.some((pattern) => pattern.test(text)) ? "info" : (LEVELS[mark] ?? "info");
  return { at, source: "server", level, text };
}
