/**
 * What the agent may see of the environment: the engine's holds passphrases and tokens, and a process's can be read. So
 * of a store's settings it gets where keys are to be found, never keys.
 */
const PASSED_ON =
  /^(PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TZ|LANG|LC_.*|XDG_.*|NODE_EXTRA_CA_CERTS|REDIS_ADDON_CONSOLE|AWS_(PROFILE|REGION|DEFAULT_REGION|CONFIG_FILE|SHARED_CREDENTIALS_FILE|CA_BUNDLE|ROLE_ARN|ROLE_SESSION_NAME|WEB_IDENTITY_TOKEN_FILE|CONTAINER_CREDENTIALS_RELATIVE_URI|CONTAINER_CREDENTIALS_FULL_URI|CONTAINER_AUTHORIZATION_TOKEN_FILE|ENDPOINT_URL|ENDPOINT_URL_S3))$/;
/** What belongs to the session in which a service is installed, and is gone when that session is. */
const OF_THE_SESSION = /^(TMPDIR|XDG_(RUNTIME_DIR|SESSION_.*|SEAT.*|VTNR|CURRENT_DESKTOP|MENU_PREFIX))$/;

type Environment = Readonly<Record<string, string>>;

/** The part of an environment that the agent is started with. */
export function agentEnvironment(environment: NodeJS.ProcessEnv): Environment {
  return pick(environment, (name) => PASSED_ON.test(name));
}

/** The part that it is started with by a service manager; by name, so that the same one is rendered the same. */
export function serviceEnvironment(environment: NodeJS.ProcessEnv): Environment {
  return pick(environment, (name, value) => {
    // A unit or a plist can't hold control characters.
    return PASSED_ON.test(name) && !OF_THE_SESSION.test(name) && !/\p{Cc}/u.test(value);
  });
}

function pick(
  environment: NodeJS.ProcessEnv,
  wanted: (name: string, value: string) => boolean,
): Record<string, string> {
  const entries = Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && wanted(name, value) ? [[name, value] as const] : [],
  );
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
