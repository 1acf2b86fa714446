# SPDX-License-Identifier: MIT
"""Passed and failed tests in a meson testlog.json (one JSON object a line); skipped are neither."""
import json
import sys

passed = failed = 0
with open(sys.argv[1]) as log:
    for line in log:
        result = json.loads(line)["result"]
        if result in ("OK", "EXPECTEDFAIL"):
            passed += 1
        elif result != "SKIP":
            failed += 1
if passed + failed == 0:
    failed = 1  # a suite that ran nothing has not passed
print(passed, failed)
