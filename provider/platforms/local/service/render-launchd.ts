import type { ServiceSpec } from "./service-spec";

/**
 * A property list for a user's own launchd. As with systemd's unit: an agent that left with 0 is not started again, one
 * that failed is; servers are in process groups of their own, and even those that weren't would be left running.
 *
 * Values must be free of control characters.
 */
export function renderLaunchd({ name, launcher, environment }: ServiceSpec): string {
  const variables = Object.entries(environment).map(([variable, value]) => `${variable}=${value}`);
  const command = ["/usr/bin/env", "-i", ...variables, "/bin/sh", launcher];
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Written by: redis-addon agent install-service. To take it away: redis-addon agent install-service with uninstall. -->
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${escaped(name)}</string>
  <key>ProgramArguments</key>
  <array>
${command.map((one) => `    <string>${escaped(one)}</string>`).join("\n")}
  </array>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>10</integer>
  <key>AbandonProcessGroup</key>
  <true/>
</dict>
</plist>
`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

function escaped(text: string): string {
  return text.replaceAll(/[&<>]/g, (character) => ENTITIES[character] ?? "");
}
