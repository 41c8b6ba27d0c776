// What a person reads when the set-up can't go on: what is missing, why nothing here could get it, what to do.

export class Stop extends Error {
  /** @param {string} what @param {{ why?: string[], next: string[] }} details */
  constructor(what, { why = [], next }) {
    const section = (title, lines) =>
      lines.length > 0
        ? [`  ${title}:`, ...lines.map((line) => `    ${line.replaceAll("\n", "\n    ")}`)]
        : [];
    super([what, ...section("why", why), ...section("what to do", next)].join("\n"));
    this.name = "Stop";
  }
}

const remedies = {
  node: [
    "Debian and Ubuntu: install Node 22 or newer from nodejs.org, with nvm (`nvm install 24`) or from NodeSource",
    "macOS: `brew install node@24`, then put its bin folder on the PATH",
  ],
  pulumi: [
    "Debian and Ubuntu: follow https://www.pulumi.com/docs/install/ (its script needs no root), or",
    "Debian and Ubuntu: install Go 1.21 or newer (`apt install golang-go` where it is new enough), which builds it",
    "macOS: `brew install pulumi/tap/pulumi`",
  ],
  redis: [
    "Debian 12 and Ubuntu 24.04 or newer: `sudo apt install redis-server`; it starts a service of its own on",
    "  port 6379, which this project leaves alone (`sudo systemctl disable --now redis-server` if unwanted)",
    "Ubuntu 22.04: its Redis is too old; see https://redis.io/docs/latest/operate/oss_and_stack/install/",
    "macOS: `brew install redis`",
  ],
};

/** @param {"node" | "pulumi" | "redis"} tool @param {string} what @param {string[]} why */
export function missing(tool, what, why) {
  return new Stop(what, { why, next: [...remedies[tool], "then run the same command again"] });
}

export function refuseWindows(platform = process.platform) {
  if (platform !== "win32") return;
  throw new Stop("this project runs on Linux and macOS", {
    why: ["there is no Redis server for Windows"],
    next: ["use it inside WSL 2: https://learn.microsoft.com/windows/wsl/install"],
  });
}
