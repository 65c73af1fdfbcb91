// A hit on the sample beside what one does by hand to learn as much: scripts/services.sh run -- node bench/hit.mjs
//
// By hand: `docker buildx imagetools inspect` of the very tag, which somebody would have to know, says that the tag is there and not
// that its layers are. Each round runs both, one after the other, so that a busy moment hits both.
import { execFileSync } from "node:child_process";
import { median, openSample, timed } from "./step.mjs";

const ROUNDS = 21;
const BUDGET = { requests: 20, bytes: 64 * 1024 };

const sample = openSample();
const first = sample.run();
console.log(`to begin with: ${first.result}, ${first.took.toFixed(0)} ms`);
const rounds = Array.from({ length: ROUNDS }, () => {
  const hit = sample.run();
  if (hit.result !== "hit") throw new Error(`expected a hit, got ${hit.result}`);
  const hand = timed(() => execFileSync("docker", ["buildx", "imagetools", "inspect", hit.image], { stdio: "ignore" }));
  return { hit, hand: hand.took };
});
const [hit, hand] = [median(rounds.map((round) => round.hit.took)), median(rounds.map((round) => round.hand))];
const { requests, bytes, waves, probe } = rounds[0].hit.timings;
console.log(
  `hit, 2 platforms: ${requests} requests (budget ${BUDGET.requests}), ${bytes} bytes (budget ${BUDGET.bytes}), ${waves} waves at most, probe ${probe} s`,
);
console.log(
  `wall time of the whole process, median of ${ROUNDS}: ${hit.toFixed(0)} ms; imagetools inspect by hand ${hand.toFixed(0)} ms; ratio ${(hit / hand).toFixed(2)}`,
);
sample.close();
