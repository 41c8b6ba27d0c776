import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { isPortFree, listenProblem } from "../../provider/system/ports";

/** Reserved for documentation: no machine has it. */
const NOBODYS = "192.0.2.1";
const NOBODY_UID = 65_534;

/** Where every port is open to everybody, as in some containers, there is nothing to be refused. */
function reservesLowPorts(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  return Number(readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8")) > 81;
}

it("tells a taken port, with its holder, from an address that this machine doesn't have", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    expect(await isPortFree("127.0.0.1", port)).toBe(false);
    expect(await listenProblem("127.0.0.1", port)).toMatchObject({
      kind: "taken",
      why: expect.stringContaining(`port ${port} of 127.0.0.1 is taken by process ${process.pid} (`),
    });
    expect(await listenProblem("*", port)).toMatchObject({ kind: "taken" });
    // Redis listens on addresses of version 6 alone there.
    expect((await listenProblem("::", port))?.kind).not.toBe("taken");
    expect(await listenProblem(NOBODYS, port)).toMatchObject({
      kind: "no-such-address",
      why: expect.stringMatching(/^this machine has no address 192\.0\.2\.1, it has .*127\.0\.0\.1/),
    });
  } finally {
    server.close();
  }
  await once(server, "close");
  expect(await isPortFree("127.0.0.1", port)).toBe(true);
  expect(await listenProblem("127.0.0.1", 0)).toBeUndefined();
});

it.runIf(reservesLowPorts())("says where a port is reserved to the system", async () => {
  process.seteuid?.(NOBODY_UID);
  try {
    expect(await listenProblem("127.0.0.1", 81)).toMatchObject({
      kind: "not-permitted",
      why: expect.stringContaining("may not listen on port 81: systems reserve those below 1024"),
    });
  } finally {
    process.seteuid?.(0);
  }
});
