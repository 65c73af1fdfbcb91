// A rebuild for two platforms of which BuildKit has everything in its cache, through the action and by hand:
// scripts/services.sh run -- node bench/rebuild.mjs [round trip to the registry in ms]… [large | sample | unread | wide]…
//
// By hand is one `docker buildx build --push` for both platforms with the same args, provenance and context: once bare, and once with what the
// action does as well for a machine that has nothing in its cache, a layer cache in the registry that is imported and exported. The action is
// made to miss by another cache-version each time, so it does all that belongs to a miss: the probe, both builds, reading back, the index of the
// set with its plan. Once on an image as large as people have them, once on the sample, whose image has six layers, and once on that with a thousand
// files more that nothing reads, and with a COPY of them; over a line of 20 ms a round trip, for a registry is seldom on the machine that builds, and on loopback.
import { spawnSync } from "node:child_process";
import { median, openLarge, openSample, openWide, PLATFORMS, putOnLine, registry, timed } from "./step.mjs";

const ROUNDS = 15;
const SAMPLES = {
  large: ["a large image", openLarge],
  sample: ["the sample", openSample],
  unread: ["the sample with a thousand files that nothing reads", () => openWide({ isRead: false })],
  wide: ["the sample with a thousand files that are copied", openWide],
};
const BUDGET = 1.15;
const ASKED = ["--platform", PLATFORMS, "--push", "--provenance", "mode=min", "--progress", "rawjson"];

const HANDS = { bare: "by hand", cached: "by hand with a layer cache" };

function byHand({ base, workspace }, hand, failed = 0) {
  const layers = `type=registry,ref=${registry}/bench/hand:layers`;
  const caches = [
    "--cache-from",
    layers,
    "--cache-to",
    `${layers},image-manifest=true,oci-mediatypes=true,ignore-error=true`,
  ];
  const own = ["--build-arg", `BASE=${base}`, "--file", `${workspace}/.devcontainer/Dockerfile`];
  const args = [
    "buildx",
    "build",
    ...ASKED,
    ...own,
    "--tag",
    `${registry}/bench/hand:1`,
    ...(hand === "cached" ? caches : []),
    workspace,
  ];
  const { ended, took } = timed(() => spawnSync("docker", args, { encoding: "utf8" }));
  if (ended.status === 0) return took;
  // Not every time: docker pushes twice, and Debian's registry may answer 500 to the second one; the engine unpacks what nobody asked for, and may lose a snapshot.
  if (failed === 3) throw new Error(ended.stderr.trimEnd().split("\n").at(-1));
  return byHand({ base, workspace }, hand, failed + 1);
}

let version = Date.now();
function rebuild(sample) {
  const { result, took } = sample.run({ "cache-version": String(version++) });
  if (result !== "built") throw new Error(`expected a build, got ${result}`);
  return took;
}

async function compare(roundTrip) {
  const where = roundTrip > 0 ? `a registry ${roundTrip} ms away` : "a registry on loopback";
  console.log(`fully cached, 2 platforms, ${where}, medians of ${ROUNDS} (budget: ratio ${BUDGET})`);
  const hangUp = roundTrip > 0 ? await putOnLine(roundTrip) : undefined;
  for (const [name, open] of chosen) {
    const sample = open();
    rebuild(sample);
    for (const hand of Object.keys(HANDS)) byHand(sample, hand);
    const rounds = Array.from({ length: ROUNDS }, () => ({
      action: rebuild(sample),
      bare: byHand(sample, "bare"),
      cached: byHand(sample, "cached"),
    }));
    const told = Object.entries(HANDS).map(([hand, words]) => {
      const ratio = median(rounds.map((round) => round.action / round[hand]));
      return `${words} ${median(rounds.map((round) => round[hand])).toFixed(0)} ms, ratio ${ratio.toFixed(2)}`;
    });
    console.log(`${name}: the action ${median(rounds.map((round) => round.action)).toFixed(0)} ms; ${told.join("; ")}`);
    sample.close();
  }
  await hangUp?.();
}

const asked = process.argv.slice(2);
const unknown = asked.find((one) => !(one in SAMPLES) && !/^\d+$/.test(one));
if (unknown !== undefined)
  throw new Error(`${unknown} is neither a time nor one of ${Object.keys(SAMPLES).join(", ")}`);
const roundTrips = asked.filter((one) => !(one in SAMPLES)).map(Number);
const names = asked.filter((one) => one in SAMPLES);
const chosen = (names.length > 0 ? names : Object.keys(SAMPLES)).map((name) => SAMPLES[name]);
for (const roundTrip of roundTrips.length > 0 ? roundTrips : [20, 0]) await compare(roundTrip);
