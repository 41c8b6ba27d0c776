import { forShell } from "../../core/for-shell";
import type { HomeIdentity } from "../../core/status";

/** Whether the command line and programs find a data home without being told where it is. */
export function isUsualHome({ path }: HomeIdentity): boolean {
  return path.endsWith("/.local/share/redis-addon");
}

/** What a `redis-addon` command wants besides, with a blank before it, to find the data home. */
export function homeOption(home: HomeIdentity): string {
  return isUsualHome(home) ? "" : ` --home ${forShell(home.path)}`;
}
