// SPDX-License-Identifier: MIT
// onnxruntime-node, or null where it is not installed: it is looked for where node looks, then in
// the directory that ZFSCOPE_ONNXRUNTIME names. `npm install --ignore-scripts onnxruntime-node` run in
// that directory is enough.
import { createRequire } from "node:module";
import { resolve } from "node:path";

export function loadRuntime() {
  const places = [import.meta.url];
  if (process.env.ZFSCOPE_ONNXRUNTIME) places.push(`${resolve(process.env.ZFSCOPE_ONNXRUNTIME)}/`);
  for (const place of places) {
    try {
      return createRequire(place)("onnxruntime-node");
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  return null;
}
