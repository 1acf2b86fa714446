// SPDX-License-Identifier: MIT
// ONNX Runtime's answer to a model and an input, held against the library's.
//
//     onnxruntime.mjs make N,C,H,W SCALE OUT.npy             an input: normal numbers, always the same
//     onnxruntime.mjs compare MODEL.onnx IN.npy EXPECTED.npy BOUND
//     onnxruntime.mjs find                                   is it installed?
//
//     onnxruntime.mjs run MODEL.onnx IN.npy OUT.npy          the first output
//
// compare exits 0 when no output value is further than BOUND from the expected one, 1 otherwise. Both it
// and find exit 77 where onnxruntime-node is not installed (tools/load_onnxruntime.mjs).
import { readFileSync, writeFileSync } from "node:fs";
import { loadRuntime } from "../../tools/load_onnxruntime.mjs";

// NumPy's format, version 1, little-endian float32 in C order: what the library writes.
function readNpy(path) {
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString("latin1", 10, start);
  const shape = /'shape': \(([^)]*)\)/.exec(header)[1].split(",").filter((s) => s.trim()).map(Number);
  const count = shape.reduce((a, b) => a * b, 1);
  if (!header.includes("'<f4'")) throw new Error(`${path}: not float32`);
  return { shape, data: new Float32Array(bytes.buffer.slice(bytes.byteOffset + start), 0, count) };
}

function writeNpy(path, shape, data) {
  let header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  header = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11) + "\n";
  const prefix = Buffer.from("\x93NUMPY\x01\x00\0\0", "latin1");
  prefix.writeUInt16LE(header.length, 8);
  writeFileSync(path, Buffer.concat([prefix, Buffer.from(header, "latin1"), Buffer.from(data.buffer)]));
}

function make(shape, scale, path) {
  let state = 1;
  const uniform = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++)
    data[i] = scale * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  writeNpy(path, shape, data);
}

function find() {
  const runtime = loadRuntime();
  if (!runtime)
    console.log("skipped: no onnxruntime-node; npm install --ignore-scripts onnxruntime-node, and " +
                "name the directory in ZFSCOPE_ONNXRUNTIME");
  return runtime;
}

async function compare(model, inputPath, expectedPath, bound) {
  const runtime = find();
  if (!runtime) return 77;
  const input = readNpy(inputPath);
  const expected = readNpy(expectedPath);
  const session = await runtime.InferenceSession.create(model, { intraOpNumThreads: 1 });
  const tensor = new runtime.Tensor("float32", input.data, input.shape);
  const output = (await session.run({ input: tensor }))[session.outputNames[0]];
  let worst = 0, least = Infinity, most = -Infinity;
  for (let i = 0; i < expected.data.length; i++) {
    const away = Math.abs(output.data[i] - expected.data[i]);
    if (!(away <= worst)) worst = away; // NaN too
    least = Math.min(least, expected.data[i]);
    most = Math.max(most, expected.data[i]);
  }
  // Values that are all alike would agree whatever the nets did.
  const good = output.data.length === expected.data.length && worst <= bound && most - least > 100 * bound;
  console.log(`${good ? "ok  " : "FAIL"}  ${session.outputNames[0]} [${output.dims}] from ` +
              `${least.toPrecision(3)} to ${most.toPrecision(3)}: off by ${worst.toExponential(1)} at most ` +
              `(bound ${bound})`);
  return good ? 0 : 1;
}

async function run(model, inputPath, outputPath) {
  const runtime = loadRuntime();
  if (!runtime) {
    console.log("skipped: no onnxruntime-node");
    return 77;
  }
  const input = readNpy(inputPath);
  const session = await runtime.InferenceSession.create(model, { intraOpNumThreads: 1 });
  const tensor = new runtime.Tensor("float32", input.data, input.shape);
  const output = (await session.run({ [session.inputNames[0]]: tensor }))[session.outputNames[0]];
  writeNpy(outputPath, output.dims, output.data);
  return 0;
}

const [command, ...rest] = process.argv.slice(2);
if (command === "make" && rest.length === 3)
  make(rest[0].split(",").map(Number), Number(rest[1]), rest[2]);
else if (command === "compare" && rest.length === 4)
  process.exitCode = await compare(rest[0], rest[1], rest[2], Number(rest[3]));
else if (command === "find")
  process.exitCode = find() ? 0 : 77;
else if (command === "run" && rest.length === 3)
  process.exitCode = await run(...rest);
else process.exitCode = 2;
