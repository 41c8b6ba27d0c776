import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Certified } from "./certificates";
import { freePort, type RedisServer, startRedisServer } from "./redis-server";

interface TlsLeader extends AsyncDisposable {
  /** Its plain port is the test's own way in. */
  readonly server: RedisServer;
  readonly tlsPort: number;
}

/** A stock server that is also reached by TLS; `clients`: whether it asks for their certificate. */
export async function startTlsLeader({
  certified,
  authority,
  clients = "no",
  args = [],
}: {
  readonly certified: Certified;
  /** Whom it trusts, in PEM. */
  readonly authority: string;
  readonly clients?: "yes" | "no";
  readonly args?: readonly string[];
}): Promise<TlsLeader> {
  const folder = await mkdtemp(join(tmpdir(), "tls-leader-"));
  const file = async (name: string, content: string) => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const tlsPort = await freePort();
  const server = await startRedisServer({
    args: [
      ...["--tls-port", String(tlsPort), "--tls-auth-clients", clients],
      ...["--tls-cert-file", await file("server.crt", certified.certificate)],
      ...["--tls-key-file", await file("server.key", certified.key)],
      ...["--tls-ca-cert-file", await file("ca.crt", authority)],
      ...args,
    ],
  });
  return {
    server,
    tlsPort,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
