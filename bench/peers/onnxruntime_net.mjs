// SPDX-License-Identifier: MIT
// A classifier in ONNX Runtime from npm, served to bench/compare.py (serve.py says how).
//
//     onnxruntime_net.mjs MODEL.onnx --mode forward|occlude --batch 64 --threads 2 --side 224
//
// onnxruntime_net.py says what the modes are. Exits with 77 where onnxruntime-node is not installed
// (tools/load_onnxruntime.mjs).
import { createInterface } from "node:readline";
import { loadRuntime } from "../../tools/load_onnxruntime.mjs";

const WARM_UP = 2;
const SQUARE = 32, STRIDE = 8; // of the occlusion map

const options = { mode: "forward", batch: "64", threads: "2", side: "224" };
const [model, ...rest] = process.argv.slice(2);
for (let i = 0; i < rest.length; i += 2) options[rest[i].slice(2)] = rest[i + 1];
const side = Number(options.side);

const runtime = loadRuntime();
if (!runtime) process.exit(77);
const session = await runtime.InferenceSession.create(model, {
  intraOpNumThreads: Number(options.threads),
  graphOptimizationLevel: "all",
});

function pixels(images) {
  const shape = [images, 3, side, side];
  const data = Float32Array.from({ length: images * 3 * side * side }, (_, i) => Math.sin(i) * 64);
  return { data, feeds: { [session.inputNames[0]]: new runtime.Tensor("float32", data, shape) } };
}

async function timed(run) {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

function forward(batch) {
  const { feeds } = pixels(batch);
  return () => session.run(feeds);
}

function occlude(batch) {
  const picture = pixels(1).data, { data: hidden, feeds } = pixels(batch);
  const along = Math.floor((side - SQUARE) / STRIDE) + 1;
  return async () => {
    const answers = [];
    for (let first = 0; first < along * along; first += batch) {
      for (let i = 0; i < batch && first + i < along * along; i++) {
        const place = first + i, y = Math.floor(place / along) * STRIDE, x = place % along * STRIDE;
        hidden.set(picture, i * picture.length);
        for (let row = 0; row < 3 * SQUARE; row++) {
          const start = i * picture.length + Math.floor(row / SQUARE) * side * side +
                        (y + row % SQUARE) * side + x;
          hidden.fill(0, start, start + SQUARE);
        }
      }
      const answer = (await session.run(feeds))[session.outputNames[0]];
      for (let i = 0; i < batch; i++) answers.push(answer.data[i * answer.dims[1]]);
    }
    return answers;
  };
}

// The batch of these that takes the least for as many pictures as the largest has.
async function fastest(batches) {
  const seconds = [];
  for (const batch of batches) {
    const run = forward(batch);
    await run();
    seconds.push(await timed(async () => {
      for (let done = 0; done < Math.max(...batches); done += batch) await run();
    }));
  }
  return batches[seconds.indexOf(Math.min(...seconds))];
}

const batch = await fastest(options.batch.split(",").map(Number));
const run = options.mode === "occlude" ? occlude(batch) : forward(batch);
if (options.mode === "forward") for (let i = 0; i < WARM_UP; i++) await run();
console.log(JSON.stringify({
  version: runtime.env.versions.node,
  how: options.mode === "occlude" ? [`batches of ${batch}`] : [],
}));
for await (const line of createInterface({ input: process.stdin })) {
  const seconds = [];
  for (let i = 0; i < Number(line); i++) seconds.push(await timed(run));
  console.log(JSON.stringify({ seconds, peak_rss_mib: process.resourceUsage().maxRSS / 1024 }));
}
