import { Failure } from "../core/errors";
import { forShell } from "../core/for-shell";
import { homePath } from "../platforms/local/home";
import { agentStatus as askAgent } from "../platforms/local/local-platform";

// The local platform alone has an agent; the command line reaches it through here, as it reaches everything.
export { consoleLogin, consoleLoginPage, startAgent, stopAgent } from "../platforms/local/local-platform";
export { homePath };

/** The agent of a data home, for people; absent: none runs. Fails with `agent-silent` where one runs and is stuck. */
export async function agentStatus(dataHome: string | undefined): ReturnType<typeof askAgent> {
  try {
    return await askAgent(dataHome);
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "TimeoutError")) throw error;
    const home = homePath(dataHome);
    throw new Failure({
      code: "agent-silent",
      operation: "ask",
      subject: `the agent of ${home}`,
      cause: "it runs, and does not answer",
      hint: `See what may be the matter: redis-addon doctor --home ${forShell(home)}`,
      transient: true,
    });
  }
}
