import type { ServiceSpec } from "./service-spec";

/**
 * A unit for a user's own systemd.
 *
 * - `KillMode=process` and `OOMPolicy=continue`: servers outlive the agent, however it ends, and one that the kernel ends
 *   for want of memory takes no other with it.
 * - An agent leaves with 0 where there is nothing to look after, another one holds the data home, or it was told to: then
 *   nothing starts it again before the next boot, command or `pulumi up`. One that fails is started again, and never given
 *   up: a disk that was full for an hour must not leave databases unattended for ever.
 * - `env -i`: the user's systemd may have taken over an environment with secrets.
 *
 * Paths and values must be free of control characters.
 */
export function renderSystemd({ root, launcher, environment }: ServiceSpec): string {
  const variables = Object.entries(environment).map(([name, value]) => argument(`${name}=${value}`));
  const command = ["/usr/bin/env -i", ...variables, "/bin/sh", argument(launcher)];
  return `# Written by: redis-addon agent install-service. What the agent sees of an environment stands below; to change it,
# run that again where the environment is as it should be. To take it away: redis-addon agent install-service --uninstall
[Unit]
Description=Redis add-ons in ${specifiers(root)}, their agent
ConditionPathExists=${specifiers(launcher)}
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${command.join(" \\\n  ")}
KillMode=process
OOMPolicy=continue
TimeoutStopSec=30
Restart=on-failure
RestartSec=10

[Install]
WantedBy=default.target
`;
}

/** One argument of ExecStart, which systemd unquotes and in which it then expands %h and $HOME. */
function argument(text: string): string {
  const unquotable = text.replaceAll("\\", String.raw`\\`).replaceAll('"', String.raw`\"`);
  return `"${specifiers(unquotable).replaceAll("$", "$$$$")}"`;
}

function specifiers(text: string): string {
  return text.replaceAll("%", "%%");
}
