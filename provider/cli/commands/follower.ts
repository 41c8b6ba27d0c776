import { Command } from "commander";
import { promoteCommand } from "./follower-promote";
import { resyncCommand } from "./follower-resync";
import { statusCommand } from "./follower-status";
import { switchoverCommand } from "./follower-switchover";

const EXAMPLES = `
Examples:
  redis-addon follower status copy                   # role, sync, link, lag
  redis-addon follower status copy --watch           # the same, again and again
  while redis-addon follower status copy >/dev/null; [ $? -eq 6 ]; do sleep 1; done   # wait until it is in sync
  redis-addon follower switchover copy               # copy leads, its leader follows it
  redis-addon follower switchover copy --back
  redis-addon follower promote copy                  # copy leads, its leader stays as it is
  redis-addon follower resync copy                   # copy takes what its leader has now, though it is less`;

export function followerCommand(): Command {
  return new Command("follower")
    .description("see how an add-on follows its leader, and change who leads")
    .addCommand(statusCommand())
    .addCommand(switchoverCommand())
    .addCommand(promoteCommand())
    .addCommand(resyncCommand())
    .addHelpText("after", EXAMPLES);
}
