import { spawn } from "node:child_process";

/** What opens a file in the browser of who sits at this machine; absent: nobody does, or nothing is known to. */
export function browserCommand(
  platform: NodeJS.Platform,
  environment: NodeJS.ProcessEnv,
): string | undefined {
  if (platform === "darwin") return "open";
  const hasScreen = [environment["DISPLAY"], environment["WAYLAND_DISPLAY"]].some(Boolean);
  // Without a screen it would start a browser for terminals, in the middle of what is printed.
  return platform === "linux" && hasScreen ? "xdg-open" : undefined;
}

/** Opens a file in a browser where there is one. Nothing depends on it: the address was printed. */
export function openInBrowser(file: string): void {
  const command = browserCommand(process.platform, process.env);
  if (command === undefined) return;
  const child = spawn(command, [file], { detached: true, stdio: "ignore" });
  child.on("error", () => undefined);
  child.unref();
}
