// What the set-up accepts from the machine (atLeast) and what it installs where the machine has nothing fit
// (install). Exact versions, so that two people on two days get the same tools.

export const node = {
  atLeast: "22.13.0", // package.json "engines": @pulumi/pulumi and ioredis ask for Node 22
  install: "24.21.0",
};

export const pulumi = {
  atLeast: "3.248.0", // the oldest CLI that this project's provider has been seen working with
  install: "3.259.0", // .dev/pulumi/cli/go.mod asks for the same one
};

export const go = {
  atLeast: "1.21.0", // the first Go that fetches the newer Go a go.mod asks for by itself (GOTOOLCHAIN=auto)
  builds: "1.25.11", // what .dev/pulumi/*/go.mod ask for
  install: "1.25.1",
};

export const redis = {
  atLeast: { redis: "7.0.0", valkey: "8.0.0" },
  install: { redis: "7.0.15", valkey: "8.1.8" },
};

/** What only tests and benchmarks use. */
export const versitygw = { atLeast: "1.8.0", install: "1.8.0" };
export const age = { atLeast: "1.2.0", install: "1.2.1" };
export const minio = { install: "20260212201848-7aac2a2c5b7c" };
export const garage = { install: "2.5.0" };
/** Of what a machine has; older ones lack commands that playwright-core sends. Installed is what is current. */
export const chromium = { atLeast: "130.0.0" };
/** The oldest that is still met with, and a current one. */
export const redisPy = { install: ["5.0.8", "8.1.0"] };

/** Is `version` ("3.259.0", "v24.1.0", "1.26") at least `wanted`? Numbers are compared, suffixes are ignored. */
export function isAtLeast(version, wanted) {
  const [found, least] = [version, wanted].map((text) => (text.match(/\d+/g) ?? []).map(Number));
  for (let i = 0; i < 3; i++) {
    if ((found[i] ?? 0) !== (least[i] ?? 0)) return (found[i] ?? 0) > (least[i] ?? 0);
  }
  return true;
}
