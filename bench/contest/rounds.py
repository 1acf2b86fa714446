# SPDX-License-Identifier: MIT
"""Rounds in which all take part in turn, and what they come to."""
import contextlib
import math
import statistics
import sys

from .contestants import RIVALS, Work, Zfscope
from .process import BENCH, Missing


PEAK_RUNS, PEAK_TRIES = 15, 3


def digits(number):
    """Three of them, without an exponent."""
    return f"{number:.{max(0, 2 - math.floor(math.log10(number)))}f}" if number > 0 else "0"


def spread(numbers):
    return f"{digits(min(numbers))} .. {digits(max(numbers))}"


def ratios(ours, theirs):
    """Round by round, so that a slow minute of the machine is in both."""
    return [a / b for a, b in zip(ours, theirs, strict=True)]


def gather(contestants, rounds, runs):
    """Rates by name. Every second round goes the other way, as a machine may drift."""
    rates = {one.name: [] for one in contestants}
    for number in range(rounds):
        for one in contestants if number % 2 == 0 else reversed(contestants):
            rates[one.name].append(one.rate(runs))
            print(f"  round {number + 1}, {one.name}: {digits(rates[one.name][-1])}",
                  file=sys.stderr, flush=True)
    return rates


def enter(setting, contest, close):
    """Who takes part, and who is held against whom: pairs of names."""
    options, found, pairs = setting.options, {}, []
    for precision, rivals in contest.rivals.items():
        if precision not in options.precision:
            continue
        ours = [Zfscope(setting, contest.work, precision, program)
                for program in setting.programs]
        found |= {one.name: one for one in ours}
        pairs += [(other.name, ours[0].name) for other in ours[1:]]
        for rival in rivals:
            kind, its_precision = rival.split()
            if kind not in options.rivals:
                continue
            if rival not in found:
                try:
                    found[rival] = RIVALS[kind](setting, contest.work, its_precision)
                    close.callback(found[rival].close)
                except Missing as missing:
                    found[rival] = None
                    print(f"left out: {missing}", flush=True)
            if found[rival]:
                pairs += [(one.name, found[rival].name) for one in ours]
    return [one for one in found.values() if one], pairs


def peaks(setting, cpu):
    """GFLOP/s of one large direct convolution, by precision."""
    work = Work(net=BENCH / "peak.ini", batch=16, cpu=cpu)
    found = {}
    for precision in setting.options.precision:
        one = Zfscope(setting, work, precision, setting.programs[0], ["--exact"])
        found[precision] = max(one.rate(PEAK_RUNS) * one.gflop for _ in range(PEAK_TRIES))
    return found


def hold(setting, contest):
    """One contest, printed as two tables."""
    options, runs = setting.options, setting.options.runs * (10 if contest.work.batch == 1 else 1)
    with contextlib.ExitStack() as close:
        contestants, pairs = enter(setting, contest, close)
        if not contestants:
            return
        rates = gather(contestants, options.rounds, runs)
        peak = peaks(setting, contest.work.cpu) if contest.of_peak else {}
    gflop = next((one.gflop for one in contestants if getattr(one, "gflop", None)), None)

    print(f"\n{contest.title}; {options.threads} threads, {options.rounds} rounds of {runs} runs"
          + "".join(f", peak {p} {value:.0f} GFLOP/s" for p, value in peak.items()))
    print(f"\n| | {contest.unit}, median | spread | peak MiB |" + " of peak |" * bool(peak))
    print("|---|---|---|---|" + "---|" * bool(peak))
    for one in contestants:
        rate = statistics.median(rates[one.name])
        share = f" {rate * gflop / peak[one.precision]:.0%} |" if peak else ""
        print(f"| {one.name} | {digits(rate)} | {spread(rates[one.name])} | "
              f"{one.peak_rss_mib:.0f} |{share}")
    print("\n| times as fast, pairs of a round | median | spread |\n|---|---|---|")
    for ours, theirs in pairs:
        found = ratios(rates[ours], rates[theirs])
        print(f"| {ours} against {theirs} | {statistics.median(found):.2f} | {spread(found)} |",
              flush=True)
