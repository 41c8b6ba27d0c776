// The local platform alone has an agent; the command line reaches it through here, as it reaches everything.
export {
  agentStatus,
  consoleLogin,
  consoleLoginPage,
  startAgent,
  stopAgent,
} from "../platforms/local/local-platform";
