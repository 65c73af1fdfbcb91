// A slow line for the benches: a relay that holds every byte back for half a round trip, and the first bytes of a connection, which TCP would
// spend on its handshake, for a whole one more. TLS goes through it byte by byte, so that its own handshake is as slow as it would be.
import { connect, createServer as createRelay } from "node:net";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

/** Bytes go on in their order, none before the connection would have been open. `half` is half a round trip in ms. */
export function relay(port, half) {
  return createRelay((near) => {
    const opened = performance.now() + 2 * half;
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      const send = holdBack(half, opened);
      from.setNoDelay(true);
      from.on("data", (bytes) => send(() => to.writable && to.write(bytes)));
      from.on("end", () => send(() => to.end()));
      from.on("error", () => to.destroy());
    }
  });
}

/** A queue, for timers of different lengths would let later bytes overtake earlier ones. */
function holdBack(half, opened) {
  const held = [];
  let timer;
  const wait = () => {
    timer = setTimeout(release, held[0].due - performance.now());
  };
  const release = () => {
    timer = undefined;
    while (held.length > 0 && held[0].due <= performance.now()) held.shift().act();
    if (held.length > 0) wait();
  };
  return (act) => {
    held.push({ due: Math.max(opened, performance.now()) + half, act });
    if (timer === undefined) wait();
  };
}

/** Listens on any port of loopback, and gives it. */
export const listen = (server) =>
  new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));

/** A line to a port of loopback in a thread of its own, for benches that wait for programs. `roundTrip` in ms. */
export async function openLine(port, roundTrip) {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { lineTo: port, half: roundTrip / 2 } });
  const own = await new Promise((done) => worker.once("message", done));
  return { host: `127.0.0.1:${own}`, close: () => worker.terminate() };
}

if (!isMainThread && workerData?.lineTo)
  parentPort.postMessage(await listen(relay(workerData.lineTo, workerData.half)));
