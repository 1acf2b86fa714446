# SPDX-License-Identifier: MIT
"""What the peers in Python have in common: they stay alive, and are asked for one round at a time.

The peer prints one JSON line once it is warm ({"version": ..., and what else is to be known}). Then
each line of its input is a number of runs, answered by {"seconds": [...], "peak_rss_mib": ...}. It
ends with its input.
"""
import json
import resource
import sys
import time

WARM_UP = 2  # runs; the first plans, the second has all memory in place


def timed(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def fastest(candidates):
    """Of functions by name, the name of the one that is quickest once warm."""
    seconds = {}
    for name, run in candidates.items():
        run()
        seconds[name] = timed(run)
    return min(seconds, key=seconds.get)


def serve(run, warm_up=WARM_UP, **facts):
    for _ in range(warm_up):
        run()
    print(json.dumps(facts), flush=True)
    for line in sys.stdin:
        seconds = [timed(run) for _ in range(int(line))]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "peak_rss_mib": peak}), flush=True)
