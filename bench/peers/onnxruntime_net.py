#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A classifier in ONNX Runtime for Python, served to bench/compare.py (serve.py says how).

    onnxruntime_net.py MODEL.onnx --mode forward|occlude --batch 64 --threads 2 --side 224

forward is a batch; occlude a map of the picture's places by brute force, in batches of whichever of
--batch 5,25,125 is quickest. Exits with 77 where onnxruntime is not installed.
"""
import argparse
import sys

from serve import fastest, serve

try:
    import numpy
    import onnxruntime
except ImportError:
    sys.exit(77)

SQUARE, STRIDE = 32, 8  # of the occlusion map


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--mode", choices=["forward", "occlude"], default="forward")
    parser.add_argument("--batch", type=lambda text: [int(n) for n in text.split(",")],
                        default=[64])
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    session = onnxruntime.InferenceSession(options.model, settings, ["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    picture = numpy.random.default_rng(1).normal(0, 64, (3, options.side, options.side))
    picture = picture.astype("f4")

    def forward(batch):
        feeds = {name: numpy.repeat(picture[None], batch, 0)}
        return feeds[name], lambda: session.run(None, feeds)[0]

    def occlude(batch):
        hidden, run = forward(batch)
        along = range(0, options.side - SQUARE + 1, STRIDE)
        places = [(y, x) for y in along for x in along]

        def once():
            answers = []
            for first in range(0, len(places), batch):
                hidden[:] = picture
                for i, (y, x) in enumerate(places[first:first + batch]):
                    hidden[i, :, y:y + SQUARE, x:x + SQUARE] = 0
                answers.extend(run()[:, 0])
            return answers
        return once

    if options.mode == "forward":
        serve(forward(options.batch[0])[1], version=onnxruntime.__version__, how=[])
        return
    most = max(options.batch)
    runs = {batch: forward(batch)[1] for batch in options.batch}
    best = fastest({batch: lambda r=run, n=most // batch: [r() for _ in range(n)]
                    for batch, run in runs.items()})
    serve(occlude(best), warm_up=0, version=onnxruntime.__version__, how=[f"batches of {best}"])


if __name__ == "__main__":
    main()
