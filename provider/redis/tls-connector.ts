import { connect, type ConnectionOptions } from "node:tls";
import type { AbstractConnector } from "ioredis";

/**
 * ioredis's way to a server by TLS, which also tells when TCP is connected and TLS not yet: of a server that speaks
 * none, its errors don't tell.
 */
export function tlsConnector(
  Base: typeof AbstractConnector,
  options: ConnectionOptions,
  onGreeting: (isGreeting: boolean) => void,
): new () => AbstractConnector {
  return class TlsConnector extends Base {
    constructor() {
      super(0);
    }

    // Async: what connect throws at once, for a file that is no PEM, is to be a rejection.
    override async connect() {
      this.connecting = true;
      const stream = connect(options);
      stream.once("connect", () => onGreeting(true));
      stream.once("secureConnect", () => onGreeting(false));
      this.stream = stream;
      return Promise.resolve(stream);
    }
  };
}
