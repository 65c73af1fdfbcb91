// A slow line for the benches: a relay that holds every byte back for half a round trip, and the first bytes of a connection, which TCP would
// spend on its handshake, for a whole one more. TLS goes through it byte by byte, so that its own handshake is as slow as it would be.
import { connect, createServer as createRelay } from "node:net";

/** Bytes go on in their order, none before the connection would have been open. `half` is half a round trip in ms. */
export function relay(port, half) {
  return createRelay((near) => {
    const opened = performance.now() + 2 * half;
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      const late = (act) => setTimeout(act, Math.max(0, opened - performance.now()) + half);
      from.setNoDelay(true);
      from.on("data", (bytes) => late(() => to.writable && to.write(bytes)));
      from.on("end", () => late(() => to.end()));
      from.on("error", () => to.destroy());
    }
  });
}

/** Listens on any port of loopback, and gives it. */
export const listen = (server) =>
  new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));
