import type { ResourceExport } from "./type-tokens";

/** What the texts below load, from the folder of the Pulumi program. As frozen as they are. */
export const PROVIDER_MODULE = "pulumi-redis-addon/provider";

/**
 * The `__provider` of our resources: module text that the engine keeps in each resource's state and hands to Pulumi's
 * dynamic provider, which runs it with `require` resolving from the program's folder.
 *
 * A WIRE FORMAT, never to be changed, not even by a space: delete and refresh run the text of the OLD state, and
 * another text makes every resource of every stack an update. Whatever has to change changes behind the subpath.
 *
 * It resolves before it loads, so that only our package's own absence is told as such; a failure inside of it comes
 * through as it is. The errors are printed as `${error}: ${error.stack}` by some of the engine's calls and as
 * `error.message` by others, hence the three texts. It holds nothing that Node 12 wouldn't run.
 */
export function providerText(name: ResourceExport): string {
  return `exports.handler = function () {
  var id = "pulumi-redis-addon/provider";
  function fail(why) {
    var rest = why + "; run \`npm install pulumi-redis-addon\` in " + process.cwd() + " and try again";
    var error = new Error("pulumi-redis-addon can't be loaded: " + rest);
    error.toString = function () { return "pulumi-redis-addon can't be loaded"; };
    error.stack = rest;
    return error;
  }
  try {
    require.resolve(id);
  } catch (cause) {
    throw fail(String((cause && cause.message) || cause).split("\\n")[0]);
  }
  var handler = require(id).${name};
  if (!handler) throw fail("the installed version has no ${name}");
  return handler;
};
`;
}
