/** A daemon's log: one line an event, for people. Its output goes to the data home's agent.log. */
export function log(message: string): void {
  process.stdout.write(`${new Date().toISOString()} ${message}\n`);
}
