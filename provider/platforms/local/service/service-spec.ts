/** What a service manager is told: which agent, and what it sees of an environment. */
export interface ServiceSpec {
  /** systemd's unit without its suffix, launchd's label; one for each data home. */
  readonly name: string;
  /** The data home. */
  readonly root: string;
  /** What `/bin/sh` runs to become the agent. */
  readonly launcher: string;
  readonly environment: Readonly<Record<string, string>>;
}
