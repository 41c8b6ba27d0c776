// Many connections to one server, as a fleet of clients that has got out of hand makes them: each one that is closed or
// refused is made again. A process of its own: the test's event loop and file descriptors are left alone.
// The first line that it reads says how; each further one is answered with a count of what it sees.
import { connect } from "node:net";
import { createInterface } from "node:readline";

const seen = { open: 0, refused: 0, closed: 0 };

function join(options) {
  const socket = connect(options.port, "127.0.0.1");
  let isIn = false;
  const enter = () => {
    if (isIn) return;
    isIn = true;
    seen.open += 1;
  };
  socket.on("connect", () => {
    // Who says nothing is told nothing: it is in until it hears otherwise.
    if (options.password === undefined) enter();
    else
      socket.write(
        `AUTH default ${options.password}\r\n${options.subscribe ? "SUBSCRIBE news" : "PING"}\r\n`,
      );
  });
  socket.on("data", (data) => {
    if (!data.includes("max number of clients")) return enter();
    seen.refused += 1;
    if (isIn) seen.open -= 1;
    isIn = false;
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    if (isIn) {
      seen.open -= 1;
      seen.closed += 1;
    }
    setTimeout(() => join(options), options.pauseMs);
  });
}

let options;
createInterface(process.stdin)
  .on("line", (line) => {
    if (options === undefined) {
      options = JSON.parse(line);
      for (let i = 0; i < options.connections; i++) join(options);
    }
    console.log(JSON.stringify(seen));
  })
  .on("close", () => process.exit());
