# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the tests of the Python package: one line "ok" or "not ok" for each, as the others print."""
import os
import sys
import unittest


class Lines(unittest.TestResult):
    """The Test Anything Protocol."""

    def _line(self, verdict, test, detail=""):
        print(f"{verdict} {self.testsRun} - {test.id().removeprefix('test_')}")
        for line in detail.splitlines():
            print(f"# {line}")
        sys.stdout.flush()

    def addSuccess(self, test):
        self._line("ok", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._line("not ok", test, self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self._line("not ok", test, self.errors[-1][1])

    def addSkip(self, test, reason):
        self._line("ok", test, f"SKIP {reason}")


folder = os.path.dirname(os.path.abspath(__file__))
suite = unittest.defaultTestLoader.discover(folder)
print(f"1..{suite.countTestCases()}", flush=True)
sys.exit(not suite.run(Lines()).wasSuccessful())
