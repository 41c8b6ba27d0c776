let output: NodeJS.WritableStream = process.stdout;

/** Has what is logged from now on written there. */
export function logTo(stream: NodeJS.WritableStream): void {
  output = stream;
}

/** A daemon's log: one line an event, for people. Its output goes to the data home's agent.log. */
export function log(message: string): void {
  output.write(`${new Date().toISOString()} ${message}\n`);
}
