// SPDX-License-Identifier: MIT
// A classifier in ONNX Runtime, timed once: what bench/compare.py holds zfscope against.
//
//     onnxruntime.mjs MODEL.onnx --batch 64 --threads 2 --runs 5
//
// Prints one JSON object: images_per_second (of the median run) and peak_rss_mib. Exits with 77
// where onnxruntime-node is not installed (tools/load_onnxruntime.mjs).
import { loadRuntime } from "../tools/load_onnxruntime.mjs";

const options = { batch: 64, threads: 2, runs: 5, side: 224 };
const [model, ...rest] = process.argv.slice(2);
for (let i = 0; i < rest.length; i += 2) options[rest[i].slice(2)] = Number(rest[i + 1]);

const runtime = loadRuntime();
if (!runtime) process.exit(77);
const session = await runtime.InferenceSession.create(model, {
  intraOpNumThreads: options.threads,
  graphOptimizationLevel: "all",
});
const shape = [options.batch, 3, options.side, options.side];
const data = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i) * 64);
const feeds = { [session.inputNames[0]]: new runtime.Tensor("float32", data, shape) };
const seconds = [];
for (let i = 0; i < options.runs + 2; i++) {
  const start = performance.now();
  await session.run(feeds);
  if (i >= 2) seconds.push((performance.now() - start) / 1000);
}
seconds.sort((a, b) => a - b);
console.log(JSON.stringify({
  images_per_second: options.batch / seconds[seconds.length >> 1],
  peak_rss_mib: process.resourceUsage().maxRSS / 1024,
}));
