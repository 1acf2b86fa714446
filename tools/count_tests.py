# SPDX-License-Identifier: MIT
"""Passed and failed tests in a meson testlog.json (one JSON object a line).

usage: count_tests.py [--no-skips] TESTLOG
Skipped tests are neither; with --no-skips they have failed.
"""
import json
import sys

neither = "SKIP"
arguments = sys.argv[1:]
if arguments[0] == "--no-skips":
    neither = None
    del arguments[0]
passed = failed = 0
with open(arguments[0]) as log:
    for line in log:
        result = json.loads(line)["result"]
        if result in ("OK", "EXPECTEDFAIL"):
            passed += 1
        elif result != neither:
            failed += 1
if passed + failed == 0:
    failed = 1  # a suite that ran nothing has not passed
print(passed, failed)
