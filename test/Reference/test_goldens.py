# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tests of the comparison, and that the goldens are what their script makes."""

import json
import pathlib
import subprocess
import sys
import unittest

import numpy as np

from compare import compare_routing, compare_values
from make_goldens import GOLDENS, make_all

HERE = pathlib.Path(__file__).resolve().parent


class CompareTest(unittest.TestCase):
    def test_values_within_and_beyond(self):
        golden = np.float32([[1.0, -4.0], [2.0, 0.0]])
        values = golden.copy()
        self.assertTrue(compare_values(values, golden, 0.0)[0])
        values[1, 1] = 1e-3
        self.assertTrue(compare_values(values, golden, 2.6e-4)[0])
        is_good, message = compare_values(values, golden, 2.4e-4)
        self.assertFalse(is_good)
        self.assertIn("max relative error 2.500e-04 at (1, 1)", message)
        self.assertIn("first at (1, 1)", message)

    def test_values_of_another_shape_or_not_finite(self):
        golden = np.ones((2, 3), np.float32)
        self.assertIn("shape", compare_values(golden.T, golden, 1.0)[1])
        values = golden.copy()
        values[0, 2] = np.nan
        self.assertEqual(
            compare_values(values, golden, 1.0),
            (False, "at (0, 2): expected a number, but got nan"),
        )
        self.assertTrue(compare_values(golden[:0], golden[:0], 0.0)[0])

    def test_routing_ignores_the_order_of_slots(self):
        golden = np.float32([[[3, 1], [0, 2]], [[0.6, 0.4], [0.5, 0.5]]])
        swapped = golden[:, :, ::-1]
        self.assertTrue(compare_routing(swapped, golden, None, 0, 1e-6)[0])
        heavier = golden.copy()
        heavier[1, 0, 1] = 0.41
        is_good, message = compare_routing(heavier, golden, None, 0, 1e-3)
        self.assertFalse(is_good)
        self.assertIn("token 0, expert 1", message)

    def test_routing_counts_near_ties(self):
        golden = np.float32([[[3, 1], [0, 2]], [[0.6, 0.4], [0.5, 0.5]]])
        other = golden.copy()
        other[0, 1, 1] = 3
        margin = np.float32([0.5, 1e-4])
        is_good, message = compare_routing(other, golden, margin, 1e-3, 1e-6)
        self.assertTrue(is_good)
        self.assertIn("1 near ties", message)
        is_good, message = compare_routing(other, golden, margin, 1e-5, 1e-6)
        self.assertFalse(is_good)
        self.assertIn("token 1: expected experts [0, 2], but got [0, 3]", message)
        self.assertFalse(compare_routing(other, golden, None, 1.0, 1.0)[0])

    def test_exit_status(self):
        def status(*arguments):
            command = [sys.executable, str(HERE / "compare.py"), *map(str, arguments)]
            return subprocess.run(command, capture_output=True).returncode

        output = GOLDENS / "mixtral-tiny.output.npy"
        self.assertEqual(status(output, output, "--rtol", "0"), 0)
        self.assertEqual(status(output, GOLDENS / "olmoe-tiny.output.npy"), 2)
        self.assertEqual(status(output, GOLDENS / "absent.npy"), 1)


class GoldensTest(unittest.TestCase):
    def test_goldens_are_what_the_script_makes(self):
        index = json.loads((GOLDENS / "index.json").read_text(encoding="utf-8"))
        for name, entry, arrays in make_all():
            self.assertEqual(index.pop(name), entry)
            for part, array in arrays.items():
                golden = np.load(GOLDENS / f"{name}.{part}.npy")
                self.assertEqual(golden.dtype, np.float32)
                # NumPy's exponential and sums may differ in the last bit, which
                # may turn the rounding of a bf16.
                rtol = 1e-2 if entry["dtype"] == "bfloat16" else 1e-6
                if part != "margin":
                    is_good, message = compare_values(array, golden, rtol)
                    self.assertTrue(is_good, f"{name}.{part}: {message}")
        self.assertEqual(index, {})

    def test_goldens_cover_what_they_should(self):
        routing = np.load(GOLDENS / "switch-tiny.routing.npy")
        self.assertGreater((routing[0] < 0).sum(), 1)
        size = sum(path.stat().st_size for path in GOLDENS.iterdir())
        self.assertLess(size, 1 << 20)


if __name__ == "__main__":
    unittest.main()
