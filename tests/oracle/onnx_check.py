#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Let ONNX's own checker judge files, and hold the shapes written in them against its inference.

usage: onnx_check.py MODEL.onnx...
Exits 0 when all is well, 1 when something is not, 77 (skipped) without the onnx package.
"""
import sys

try:
    import onnx
except ImportError:
    print("skipped: no onnx; on Debian: apt-get install python3-onnx")
    sys.exit(77)

worst = 0
for path in sys.argv[1:]:
    model = onnx.load(path)
    written = {v.name: v for v in model.graph.value_info}
    try:
        onnx.checker.check_model(model, full_check=True)
        inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
        wrong = [v.name for v in inferred.graph.value_info
                 if v.name in written and v != written[v.name]]
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        wrong = [str(error)]
    worst |= bool(wrong)
    print(f"{'FAIL' if wrong else 'ok  '}  onnx {onnx.__version__}: {len(model.graph.node)} nodes",
          *wrong[:8])
sys.exit(worst)
