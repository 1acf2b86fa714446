#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench/compare.py: who may take part, and what the rounds come to. Usage: test_compare.py BENCH"""
import pathlib
import sys
import tempfile
import unittest

BENCH = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(BENCH))

# pylint: disable=wrong-import-position
import compare
from contest.contestants import PYTORCH_WAYS, RIVALS, Peer, reference_blas
from contest.process import Missing, Server, System
from contest.rounds import gather, ratios

SERVED = f"""
import sys, time
sys.path.insert(0, {str(BENCH / "peers")!r})
from serve import serve
serve(lambda: time.sleep(float(sys.argv[1])), version="9", how=sys.argv[1:])
"""


def sleeper(seconds):
    return [sys.executable, "-c", SERVED, seconds]


class Recorder:
    """A contestant that notes when its turn is."""

    def __init__(self, name, turns):
        self.name, self.turns = name, turns

    def rate(self, runs):
        self.turns.append(self.name)
        return runs


class Compare(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.here = System(work.name)

    def test_reference_blas_is_recognised(self):
        reference = "/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0"
        self.assertEqual(reference_blas([reference]), reference)

    def test_optimised_libraries_are_no_reference_blas(self):
        for libraries in (["/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3",
                           "/usr/lib/x86_64-linux-gnu/openblas-pthread/libopenblasp-r0.3.29.so"],
                          ["/opt/torch/lib/libmkl_core.so.2"], ["mkl"], []):
            self.assertIsNone(reference_blas(libraries), libraries)

    def test_ratios_are_of_the_same_round(self):
        self.assertEqual(ratios([2, 10], [1, 5]), [2, 2])
        with self.assertRaises(ValueError):
            ratios([1, 2], [1])

    def test_every_second_round_goes_the_other_way(self):
        turns = []
        rates = gather([Recorder("a", turns), Recorder("b", turns)], 3, 7)
        self.assertEqual("".join(turns), "abbaab")
        self.assertEqual(rates, {"a": [7, 7, 7], "b": [7, 7, 7]})

    def test_a_peer_answers_as_many_runs_as_it_is_asked_for(self):
        server = Server(self.here, sleeper("0.001"), {})
        self.addCleanup(server.close)
        for runs in (3, 1):
            answer = server.ask(runs)
            self.assertEqual(len(answer["seconds"]), runs)
            self.assertGreaterEqual(min(answer["seconds"]), 0.001)
            self.assertGreater(answer["peak_rss_mib"], 1)

    def test_the_quickest_way_takes_part(self):
        peer = Peer("Sleeper", "f32", self.here, [sleeper("0.2"), sleeper("0.01"), ["false"],
                                                  sleeper("0.1")], 4, {})
        self.addCleanup(peer.close)
        self.assertEqual(peer.name, "Sleeper 9 f32 0.01")
        self.assertLess(peer.rate(1), 4 / 0.01)

    def test_what_is_not_installed_is_missing(self):
        for command in (["sh", "-c", "exit 77"], ["no-such-program-anywhere"]):
            with self.assertRaises(Missing):
                Server(self.here, command, {})
            with self.assertRaises(Missing):
                Peer("Nobody", "f32", self.here, [command], 1, {})

    def test_contests_name_rivals_that_can_do_their_work(self):
        for name, contest in compare.CONTESTS.items():
            for precision, rivals in contest.rivals.items():
                self.assertIn(precision, ("f32", "bf16"))
                for rival in rivals:
                    kind, its = rival.split()
                    self.assertIn(kind, RIVALS, name)
                    if kind == "pytorch":
                        self.assertIn((contest.work.mode, its), PYTORCH_WAYS, name)


if __name__ == "__main__":
    unittest.main()
