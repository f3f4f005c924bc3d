# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python package: PYTHONPATH=build/python python3 -m unittest discover tests/python"""
import contextlib
import copy
import gc
import inspect
import io
import os
import pickle
import signal
import tempfile
import threading
import time
import unittest
import unittest.mock
import warnings

import matplotlib

matplotlib.use("agg")
import numpy as np
import xarray as xr

import nndmft as nd

SMALL = dict(depth=1, alpha=2, gamma0=1.5, lr=0.2, steps=10, spectrum=False, ntk=False)


class Theory(unittest.TestCase):
    def test_is_a_dataset_with_names_units_and_coordinates(self):
        ds = nd.solve("deep-linear", **SMALL)
        self.assertIsInstance(ds, xr.Dataset)
        np.testing.assert_array_equal(ds.t, np.arange(11))
        self.assertEqual(ds.test_risk.attrs["long_name"],
                         nd.describe("deep-linear").variables["test_risk"].long_name)
        self.assertIn("units", ds.test_risk.attrs)
        self.assertAlmostEqual(float(ds.g_norm2.sel(t=0, layer=0)), 1.5**2 * float(ds.beta_norm2[0]))

    def test_sweeps_lists_in_order(self):
        ds = nd.solve("deep-linear", **{**SMALL, "gamma0": [0.5, 1.5]}, parameterization=["mup", "ntk"])
        self.assertEqual(ds.test_risk.dims, ("gamma0", "parameterization", "t"))
        alone = nd.solve("deep-linear", **SMALL)
        np.testing.assert_array_equal(
            ds.test_risk.sel(gamma0=1.5, parameterization="mup"), alone.test_risk)

    def test_sweep_takes_what_is_a_list_itself(self):
        ds = nd.solve("deep-linear", **SMALL, sweep={"sigma": [0.5, 1.0]})
        self.assertEqual(ds.sizes["sigma"], 2)

    def test_has_the_same_bits_for_any_number_of_threads(self):
        one = nd.solve("deep-linear", **{**SMALL, "gamma0": [0.5, 1, 2]}, threads=1)
        two = nd.solve("deep-linear", **{**SMALL, "gamma0": [0.5, 1, 2]}, threads=2)
        self.assertTrue(one.equals(two))

    def test_carries_standard_errors(self):
        ds = nd.solve("wide-mlp", steps=3, samples=256, replicates=3,
                      data={"gram": [[1, 0.4], [0.4, 1]], "targets": [1, -0.5]})
        self.assertTrue(np.all(ds.loss_se >= 0))
        self.assertEqual(ds.loss.attrs["standard_error"] if "standard_error" in ds.loss.attrs
                         else "loss_se", "loss_se")

    def test_arrays_outlive_what_they_came_from(self):
        risk = nd.solve("deep-linear", **SMALL).test_risk.values
        before = risk.copy()
        gc.collect()
        for _ in range(20):
            nd.solve("deep-linear", **SMALL)
        np.testing.assert_array_equal(risk, before)

    def test_tells_how_far_it_is(self):
        shown = io.StringIO()
        with contextlib.redirect_stderr(shown):
            nd.solve("deep-linear", **{**SMALL, "gamma0": np.linspace(0.5, 2, 40)}, progress=True)
        self.assertRegex(shown.getvalue(), r"theory: +\d+%.* of 40 \[")

    def test_ends_by_what_goes_wrong_with_the_bar(self):
        import tqdm.auto

        class Broken(tqdm.auto.tqdm):
            def update(self, *arguments):
                raise RuntimeError("broken bar")

        shown = io.StringIO()
        with unittest.mock.patch("tqdm.auto.tqdm", Broken), contextlib.redirect_stderr(shown):
            with self.assertRaisesRegex(RuntimeError, "broken bar"):
                nd.solve("deep-linear", **{**SMALL, "gamma0": [0.5, 1]}, progress=True)
        self.assertNotIn("Traceback", shown.getvalue())

    def test_of_diverging_dynamics_warns(self):
        with self.assertWarns(nd.NotConvergedWarning):
            ds = nd.solve("deep-linear", **{**SMALL, "lr": 50.0, "steps": 60})
        self.assertEqual(int(ds.status), 1)


class Data(unittest.TestCase):
    def setUp(self):
        rng = np.random.default_rng(3)
        self.x = rng.standard_normal((5, 1000))
        self.y = rng.standard_normal(5)
        self.common = dict(steps=2, samples=256, replicates=2, spectrum=False)

    def test_large_arrays_are_taken_from_memory(self):
        ds = nd.solve("wide-mlp", data={"inputs": self.x, "targets": self.y}, **self.common)
        gram = nd.solve("wide-mlp", data={"gram": self.x @ self.x.T / 1000, "targets": self.y},
                        **self.common)
        self.assertIn("/in-memory/", ds.attrs["case"])
        np.testing.assert_allclose(ds.output, gram.output, rtol=1e-9, atol=1e-12)

    def test_arrays_need_not_be_contiguous_nor_doubles(self):
        data = {"inputs": self.x.T.astype(np.float32).T, "targets": self.y}
        ds = nd.solve("wide-mlp", data=data, **self.common)
        self.assertEqual(ds.sizes["mu"], 5)

    def test_with_masked_entries_is_an_error(self):
        for x in (self.x, self.x[:, :4]):
            masked = np.ma.masked_greater(x, 1)
            with self.assertRaisesRegex(nd.InputError, "params.data.inputs: .*masked"):
                nd.solve("wide-mlp", data={"inputs": masked, "targets": self.y}, **self.common)
        with self.assertRaisesRegex(nd.InputError, "sweep.gamma0: .*masked"):
            nd.solve("deep-linear", gamma0=np.ma.array([1, 2], mask=[0, 1]))
        with self.assertRaisesRegex(nd.InputError, "b: .*masked"):
            nd.similarity(self.x, np.ma.masked_greater(self.x, 1))

    def test_of_a_wrong_shape_is_an_error(self):
        with self.assertRaisesRegex(nd.InputError, "targets"):
            nd.solve("wide-mlp", data={"inputs": self.x, "targets": self.y[:4]}, **self.common)

    def test_that_is_not_finite_is_an_error(self):
        self.x[2, 3] = np.nan
        with self.assertRaisesRegex(nd.InputError, "finite"):
            nd.solve("wide-mlp", data={"inputs": self.x, "targets": self.y}, **self.common)


    def test_that_is_not_real_numbers_is_an_error(self):
        for wrong in (1j * self.x, self.x.astype(str), self.x.astype(object)):
            with self.assertRaisesRegex(nd.InputError, "params.data.inputs: .*real numbers"):
                nd.solve("wide-mlp", data={"inputs": wrong, "targets": self.y}, **self.common)
        with self.assertRaisesRegex(nd.InputError, "params.data.inputs: .*as long as the first"):
            nd.solve("wide-mlp", data={"inputs": [[1, 2], [3]], "targets": [1, -1]}, **self.common)

    def test_is_not_looked_for_in_a_file_that_is_named_beside_it(self):
        with self.assertRaisesRegex(nd.InputError, "params.data.file: arrays .* stand in no file"):
            nd.solve("wide-mlp", data={"inputs": self.x, "targets": self.y, "file": "a.h5"},
                     **self.common)

    def test_may_be_read_only_or_of_other_libraries(self):
        wanted = nd.solve("wide-mlp", data={"inputs": self.x, "targets": self.y}, **self.common)
        self.x.flags.writeable = False
        for x in (self.x, np.asfortranarray(self.x), self.x.tolist(), xr.DataArray(self.x)):
            ds = nd.solve("wide-mlp", data={"inputs": x, "targets": xr.DataArray(self.y)},
                          **self.common)
            np.testing.assert_array_equal(ds.output, wanted.output)
            self.assertEqual(ds.attrs["case"], wanted.attrs["case"])

    def test_of_a_matrix_of_any_size_is_analysed(self):
        x = self.x.reshape(50, 100)
        ds = nd.solve("spectrum", kind="matrix", dataset=x)
        np.testing.assert_allclose(ds.singular, np.linalg.svd(x, compute_uv=False))


class Mistakes(unittest.TestCase):
    def test_name_the_key_and_what_is_allowed(self):
        with self.assertRaises(nd.InputError) as caught:
            nd.solve("deep-linear", gamma0=-1)
        self.assertEqual(caught.exception.key, "params.gamma0")
        self.assertEqual(caught.exception.allowed, "a number > 0")
        self.assertEqual(str(caught.exception), "params.gamma0: -1 is out of range: a number > 0")
        self.assertIsInstance(caught.exception, ValueError)

    def test_of_unknown_names_are_errors(self):
        with self.assertRaisesRegex(nd.InputError, "unknown key.*gamma0"):
            nd.solve("deep-linear", gama0=1)
        with self.assertRaisesRegex(nd.InputError, "deep-linear"):
            nd.solve("deep-liner")
        with self.assertRaises(AttributeError):
            nd.deep_liner

    def test_of_type_are_errors(self):
        for wrong in ({"a": 1}, object(), "two", 1j):
            with self.assertRaises(nd.InputError):
                nd.solve("deep-linear", gamma0=wrong)

    def test_of_type_name_the_key(self):
        with self.assertRaises(nd.InputError) as caught:
            nd.solve("deep-linear", gamma0={1, 2})
        self.assertEqual(caught.exception.key, "params.gamma0")
        with self.assertRaises(nd.InputError) as caught:
            nd.solve("deep-linear", steps=2.5)
        self.assertEqual(caught.exception.allowed, "an integer >= 0 and <= 10000000")
        with self.assertRaisesRegex(nd.InputError, "zero byte"):
            nd.solve("deep-linear", parameterization="mup\0")
        with self.assertRaisesRegex(nd.InputError, "zero byte"):
            nd.solve("deep-linear", **{"gamma0\0": 1})
        with self.assertRaisesRegex(nd.InputError, "surrogate"):
            nd.solve("deep-linear", parameterization="\ud800")
        for section in ("sweep", "compare"):
            with self.assertRaisesRegex(nd.InputError, f"{section}: .* a mapping"):
                nd.Case("deep-linear", **{section: [1]})
        for model in (None, 3, nd.deep_linear):
            with self.assertRaisesRegex(nd.InputError, "model: is of type"):
                nd.solve(model)

    def test_in_overrides_of_files_name_the_key(self):
        with self.assertRaises(nd.InputError) as caught:
            nd.Case.from_yaml("{model: deep-linear}", params={"gamma0": -1})
        self.assertEqual(str(caught.exception), "params.gamma0: -1 is out of range: a number > 0")
        self.assertEqual(caught.exception.key, "params.gamma0")

    def test_of_threads_and_memory_are_errors(self):
        for wrong in (0, -1, 1.5, "2", float("inf")):
            for key in ("threads", "memory_limit"):
                with self.assertRaises(nd.InputError) as caught:
                    nd.solve("deep-linear", **SMALL, **{key: wrong})
                self.assertEqual(caught.exception.key, key)

    def test_of_sizes_that_are_missing_say_so(self):
        with self.assertRaisesRegex(nd.InputError, "simulate.size: missing"):
            nd.simulate("deep-linear", **SMALL)

    def test_beyond_memory_are_refused(self):
        with self.assertRaises(nd.LimitError):
            nd.solve("deep-linear", two_time=True, steps=20000, alpha=2, memory_limit=10**6)

    def test_of_files_are_errors(self):
        with self.assertRaises(nd.FileError):
            nd.open("/nowhere/to/be.h5")
        with self.assertRaisesRegex(nd.InputError, "/nowhere/to/be.yaml"):
            nd.solve("/nowhere/to/be.yaml")


class Comparison(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.result = nd.run("deep-linear", **SMALL, size=[40, 80], seeds=64, compare={"rtol": 0.1})

    def test_gives_a_verdict_on_each_variable(self):
        table = self.result.verdicts
        self.assertIn("test_risk", table.index)
        self.assertLessEqual(set(table.verdict), {"agrees", "inconclusive"})
        self.assertTrue(self.result.agrees)

    def test_survives_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.h5")
            self.result.save(path)
            again = nd.open(path)
        self.assertTrue(again.theory.equals(self.result.theory))
        self.assertTrue(again.mc.equals(self.result.mc))
        self.assertTrue(again.verdicts.verdict.equals(self.result.verdicts.verdict))
        self.assertEqual(again.case, self.result.case)

    def test_is_opened_while_h5py_or_xarray_has_its_file_open(self):
        import h5py

        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.h5")
            self.result.save(path)
            for opened in (lambda: h5py.File(path, "r"),
                           lambda: xr.open_dataset(path, group="theory", engine="h5netcdf"),
                           lambda: xr.open_dataset(path, group="theory", engine="netcdf4")):
                with opened() as other:
                    self.assertTrue(nd.open(path).theory.equals(self.result.theory))
                    self.assertTrue(len(other))

    def test_makes_a_page(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.html")
            self.result.report(path)
            with open(path, encoding="utf-8") as file:
                page = file.read()
            self.assertEqual(os.listdir(folder), ["a.html"])
        self.assertIn("</html>", page)
        self.assertIn("<svg", page)
        self.assertIn("<h2>python</h2>", page)
        self.assertIn("python: nndmft", page)
        with self.assertRaises(nd.FileError):
            self.result.report("/nowhere/to/be.html")

    def test_of_ones_own_simulation(self):
        theory = self.result.theory
        rng = np.random.default_rng(5)
        se = 0.004 * np.ones(11)
        right = theory.test_risk + rng.normal(0, se)
        mine = xr.Dataset({"test_risk": right, "test_risk_se": ("t", se)}, {"t": theory.t})
        self.assertEqual(nd.validate(theory, mine).verdict["test_risk"], "agrees")
        mine["test_risk"] = 1.2 * right
        self.assertEqual(nd.validate(theory, mine).verdict["test_risk"], "disagrees")
        for key, value in (("rtol", "a"), ("seeds", -1)):
            with self.assertRaisesRegex(nd.InputError, f"{key}: "):
                nd.validate(theory, mine, **{key: value})
        mine["test_risk"] = 1j * right
        with self.assertRaisesRegex(nd.InputError, "test_risk: .*real numbers"):
            nd.validate(theory, mine)
        with self.assertRaisesRegex(nd.InputError, "mine: is of type dict"):
            nd.validate(theory, {})

    def test_is_drawn(self):
        axes = self.result.plot("test_risk")
        self.assertEqual(len(axes.lines[0].get_xdata()), 11)
        self.assertGreaterEqual(len(axes.containers), 2)
        self.assertEqual(len(self.result.plot("test_risk", "h_norm2")), 2)
        matplotlib.pyplot.close("all")

    def test_is_drawn_from_networks_alone(self):
        axes = nd.plot(self.result.mc, "test_risk")
        self.assertEqual(axes.get_legend_handles_labels()[1],
                         ["networks, size = 40", "networks, size = 80"])
        matplotlib.pyplot.close("all")

    def test_is_drawn_in_axes_of_ones_own(self):
        _, axes = matplotlib.pyplot.subplots(1, 2)
        self.result.plot("test_risk", "overlap", axes=axes)
        self.assertEqual([len(one.containers) for one in axes], [2, 2])
        with self.assertRaisesRegex(nd.InputError, "axes: there are 2; allowed: 1"):
            self.result.plot("test_risk", axes=axes)
        with self.assertRaisesRegex(nd.InputError, "log: "):
            self.result.plot("test_risk", log="z")
        matplotlib.pyplot.close("all")

    def test_is_drawn_in_one_colour_for_theory_and_networks_of_a_curve(self):
        swept = nd.run("deep-linear", **{**SMALL, "gamma0": [0.5, 1.5]}, size=[20, 40], seeds=8)
        axes = swept.plot("test_risk")
        colours = [line.get_color() for line in axes.lines[:2]]
        points = [bars.lines[0] for bars in axes.containers]
        self.assertEqual([p.get_color() for p in points], [colours[0]] * 2 + [colours[1]] * 2)
        # Networks are nearer to the line of their own gamma0 than to the other.
        own, other = axes.lines[0].get_ydata(), axes.lines[1].get_ydata()
        for p in points[:2]:
            self.assertLess(abs(p.get_ydata() - own).max(), abs(p.get_ydata() - other).max())
        self.assertNotEqual(points[0].get_marker(), points[1].get_marker())
        self.assertEqual(axes.get_legend_handles_labels()[1],
                         ["γ₀ = 0.5", "γ₀ = 1.5", "networks, size = 20", "networks, size = 40"])
        matplotlib.pyplot.close("all")

    def test_says_how_many_seeds_would_notice_a_wrong_parameter(self):
        found = self.result.detect("lr", 1.3)
        self.assertLess(found.more_seeds, 1)
        self.assertIn(found.variable, self.result.verdicts.index)
        self.assertEqual(self.result.detect("lr", 1.0001), (np.inf, None))
        for key, factor in (("lrr", 2), ("center", 2), ("lr", 1), ("lr", -1), ("lr.a", 2), ("lr", "a")):
            with self.assertRaises(nd.InputError):
                self.result.detect(key, factor)

    def test_says_so_with_data_in_memory_or_in_a_file_beside_the_case(self):
        params = dict(steps=2, samples=64, replicates=2, spectrum=False, size=16, seeds=8)
        x = np.random.default_rng(3).standard_normal((5, 1000))
        with tempfile.TemporaryDirectory() as folder:
            np.savez(os.path.join(folder, "d.npz"), x=x, y=np.ones(5))
            path = os.path.join(folder, "c.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write("{model: wide-mlp, params: {data: {file: d.npz, inputs: x, targets: y}}}")
            stored = nd.run(path, **params)
            self.assertGreater(stored.detect("lr", 3).more_seeds, 0)
        lent = nd.run("wide-mlp", data={"inputs": x, "targets": np.ones(5)}, **params)
        gc.collect()
        self.assertGreater(lent.detect("lr", 3).more_seeds, 0)
        np.testing.assert_array_equal(lent.mc.loss, stored.mc.loss)

    def test_says_the_same_of_a_parameter_that_is_swept(self):
        params = {**SMALL, "size": [40, 80], "seeds": 64, "compare": {"rtol": 0.1}}
        swept = nd.run("deep-linear", **{**params, "lr": [0.2]})
        self.assertEqual(swept.detect("lr", 1.3), self.result.detect("lr", 1.3))

    def test_simulation_alone_has_the_same_bits(self):
        mc = nd.simulate("deep-linear", **SMALL, size=[40, 80], seeds=64)
        np.testing.assert_array_equal(mc.test_risk, self.result.mc.test_risk)


class Cases(unittest.TestCase):
    def test_are_read_from_files_and_changed(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "mine.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write("model: deep-linear\nparams: {alpha: 2, steps: 4, ntk: false}\n")
            case = nd.Case.from_yaml(path, params={"steps": 6})
            self.assertEqual((case.name, case.model), ("mine", "deep-linear"))
            self.assertEqual(nd.solve(case).sizes["t"], 7)
            self.assertEqual(nd.solve(path, steps=5).sizes["t"], 6)

    def test_texts_are_cases(self):
        case = nd.Case.from_yaml("{model: deep-linear, params: {steps: 3}}")
        self.assertIn("steps: 3", case.yaml)
        again = nd.Case.from_yaml(case.yaml)
        self.assertEqual(again.yaml, case.yaml)

    def test_are_changed_by_keywords(self):
        case = nd.Case("deep-linear", **SMALL)
        self.assertEqual(case.params["lr"], 0.2)
        swept = case.replace(lr=[0.1, 0.2])
        self.assertEqual((swept.sweep, "lr" in swept.params), ({"lr": [0.1, 0.2]}, False))
        self.assertEqual(swept.replace(lr=0.2).yaml, case.yaml)
        self.assertFalse(case.simulates)
        self.assertTrue(case.replace(size=20).simulates)
        self.assertTrue(nd.solve(case, lr=[0.1, 0.3]).equals(
            nd.solve("deep-linear", **{**SMALL, "lr": [0.1, 0.3]})))

    def test_are_copied_and_pickled_with_their_arrays(self):
        x = np.random.default_rng(3).standard_normal((5, 1000))
        large = nd.Case("wide-mlp", steps=2, samples=256, replicates=2, spectrum=False,
                        data={"inputs": x, "targets": np.ones(5)})
        for case in (nd.Case("deep-linear", **SMALL), large):
            wanted = nd.solve(case)
            for again in (copy.deepcopy(case), pickle.loads(pickle.dumps(case))):
                self.assertEqual(again.yaml, case.yaml)
                self.assertTrue(nd.solve(again).equals(wanted))
        words = pickle.dumps(large)
        del large, case, again
        gc.collect()
        self.assertTrue(nd.solve(pickle.loads(words)).equals(wanted))

    def test_mistakes_in_files_name_the_line(self):
        with self.assertRaisesRegex(nd.InputError, "case:2:"):
            nd.Case.from_yaml("model: deep-linear\nparams: {steps: -3}\n")


class Tables(unittest.TestCase):
    def test_make_signatures_and_documents(self):
        signature = inspect.signature(nd.deep_linear.solve)
        self.assertEqual(signature.parameters["gamma0"].default, 1)
        self.assertIn("output scale", nd.deep_linear.solve.__doc__)
        self.assertIn("seeds", inspect.signature(nd.deep_linear.run).parameters)
        self.assertIn("deep_linear", dir(nd))
        self.assertEqual(inspect.signature(nd.wide_mlp.run).parameters["activation"].annotation,
                         "str | dict")
        for name in ("solve", "simulate", "run", "case"):
            function = getattr(nd.directional, name)
            for option in ("threads", "sweep", "compare", "name"):
                if option in inspect.signature(function).parameters:
                    function(**{option: None})
        self.assertNotIn("threads", inspect.signature(nd.directional.case).parameters)

    def test_are_pickled_by_name(self):
        for one in (nd.deep_linear, nd.describe("deep-linear")):
            self.assertEqual(str(pickle.loads(pickle.dumps(one))), str(one))

    def test_know_every_model(self):
        for name in nd.models():
            told = nd.describe(name)
            self.assertTrue(told.params and told.variables and str(told))
            self.assertEqual(getattr(nd, name.replace("-", "_")).name, name)

    def test_functions_of_a_model_are_those_of_its_name(self):
        self.assertTrue(nd.deep_linear.solve(**SMALL).equals(nd.solve("deep-linear", **SMALL)))


class Answers(unittest.TestCase):
    def test_find_where_theory_is_zero_or_least(self):
        root = nd.find("deep-linear", param="gamma0", between=(0.5, 3), zero="test_risk", level=0.1,
                       at={"t": 10}, **{k: v for k, v in SMALL.items() if k != "gamma0"})
        there = nd.solve("deep-linear", **{**SMALL, "gamma0": root.at})
        self.assertAlmostEqual(float(there.test_risk[10]), 0.1, places=6)
        least = nd.find("alignment", param="alpha", between=(0.2, 4), min="cosine", ridge=0.1)
        near = [float(nd.solve("alignment", alpha=least.at * f, ridge=0.1).cosine)
                for f in (0.98, 1, 1.02)]
        self.assertLess(near[1], min(near[0], near[2]))
        self.assertFalse(least.at_edge)

    def test_find_the_first_time_and_where_training_diverges(self):
        curve = nd.solve("deep-linear", **SMALL).test_risk
        first = nd.find("deep-linear", first="test_risk < 0.8", **SMALL)
        self.assertLess(float(curve[int(first.at)]), 0.8)
        self.assertGreaterEqual(float(curve[int(first.at) - 1]), 0.8)
        params = {k: v for k, v in SMALL.items() if k not in ("lr", "steps")}
        edge = nd.find("deep-linear", param="lr", between=(0.1, 20), diverges=True, steps=60,
                       **params)
        self.assertTrue(0.1 < edge.at < 20)
        self.assertTrue(0 < edge.gap < 1)

    def test_find_nothing_with_a_warning_that_says_what_was_met(self):
        with self.assertWarns(nd.NotConvergedWarning):
            self.assertIsNone(nd.find("deep-linear", first="test_risk < 1e-9", **SMALL))

    def test_find_takes_cases_and_refuses_sweeps(self):
        case = nd.Case("deep-linear", **SMALL)
        self.assertEqual(nd.find(case, first="test_risk < 0.8"),
                         nd.find("deep-linear", first="test_risk < 0.8", **SMALL))
        with self.assertRaisesRegex(nd.InputError, "sweep: 2 points"):
            nd.find("deep-linear", first="test_risk < 0.8", **{**SMALL, "gamma0": [1, 2]})

    def test_find_refuses_what_makes_no_sense(self):
        for wrong in ({"first": "test_risk"}, {"first": "risk < 1"}, {"zero": "test_risk"},
                      {"param": "gama0", "between": (1, 2), "min": "test_risk"},
                      {"first": 3}, {"first": "test_risk < low"}, {"first": "test_risk < 1", "at": [3]}):
            with self.assertRaises(nd.InputError):
                nd.find("deep-linear", **wrong, **SMALL)
        right = {"param": "lr", "between": (0.1, 1), "min": "test_risk", "at": {"t": 9}, **SMALL}
        for key, value in (("between", (1,)), ("between", ("a", 2)), ("level", "a"), ("points", -3),
                           ("at", {"t": "x"}), ("min", 3)):
            with self.assertRaisesRegex(nd.InputError, str(value) if key == "min" else key):
                nd.find(**{"model": "deep-linear", **right, key: value})

    def test_transfer_takes_cases_and_asks_networks(self):
        params = {k: v for k, v in SMALL.items() if k not in ("lr", "steps")}
        case = nd.Case("deep-linear", **params, steps=6, lr=np.linspace(0.1, 0.5, 9), size=[40, 80],
                       seeds=64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # where training diverges
            answers = nd.transfer(case)
        best = float(answers.best_rate[0])
        self.assertAlmostEqual(float(answers.network_rate.sel(width=80)), best, delta=0.1 * best)
        np.testing.assert_array_equal(answers.width, [np.inf, 40, 80])
        with self.assertRaisesRegex(nd.InputError, "at_width: unknown key"):
            nd.transfer(case, width=40)
        with self.assertRaisesRegex(nd.InputError, "sweep.lr: missing"):
            nd.transfer(nd.Case("deep-linear", **SMALL))

    def test_transfer_is_that_of_the_command_line(self):
        answers = nd.transfer(
            "two-layer-fluctuations", lr=np.linspace(0.9, 1.4, 11), width=[100, 400, 1600],
            activation="linear", gamma0=1, center=False, steps=6, record=[6],
            data={"gram": [[1, 0.6, 0.3], [0.6, 1, 0.2], [0.3, 0.2, 1]], "targets": [1, -0.5, 0.3]})
        np.testing.assert_allclose(answers.best_rate.sel(width=[np.inf, 1600, 400]),
                                   [1.144, 1.1406, 1.1333], atol=6e-4)


class Alike(unittest.TestCase):
    def setUp(self):
        rng = np.random.default_rng(3)
        self.x = rng.standard_normal((60, 4))
        self.y = self.x @ rng.standard_normal((4, 6)) + 0.5 * rng.standard_normal((60, 6))

    def test_measures_are_those_of_their_formulas(self):
        ds = nd.similarity(self.x, self.y)
        x, y = self.x - self.x.mean(0), self.y - self.y.mean(0)
        norm = np.linalg.norm
        cka = norm(x.T @ y)**2 / (norm(x.T @ x) * norm(y.T @ y))
        self.assertAlmostEqual(float(ds.value.sel(measure="cka")), cka, places=12)
        self.assertNotIn("cosine", ds.measure)
        self.assertTrue(np.all(ds.value_se > 0))
        self.assertLess(float(ds.p_value.sel(measure="cka")), 0.02)

    def test_representations_are_as_alike_as_can_be_to_themselves(self):
        ds = nd.similarity(self.x, np.asfortranarray(self.x.astype(np.float32)),
                           measures=["cka", "cosine", "knn_overlap"], permutations=0)
        np.testing.assert_allclose(ds.value, 1, atol=1e-6)
        self.assertTrue(np.isnan(ds.null).all())

    def test_refuses_what_makes_no_sense(self):
        for wrong in (self.y[:50], "a", 1j * self.y, np.zeros((0, 3)), np.full((60, 2), np.nan)):
            with self.assertRaisesRegex(nd.InputError, "^b: "):
                nd.similarity(self.x, wrong)
        for options in ({"measures": ["ckka"]}, {"measures": []}, {"measures": ["cosine"]},
                        {"neighbours": 0}, {"variance": 2}, {"permutations": 0.5}):
            with self.assertRaises(nd.InputError):
                nd.similarity(self.x, self.y, **options)


class Coordinates(unittest.TestCase):
    def test_of_networks_in_mup_do_not_move_with_the_width(self):
        params = dict(steps=1, lr=0.5, size=[32, 64, 128], seeds=64,
                      data={"gram": [[1, 0.4], [0.4, 1]], "targets": [1, -0.5]})
        ds = nd.coordinates("wide-mlp", **params)
        named = ds.sel(coordinate="preactivations, squared")
        self.assertEqual(float(named.expected), 0)
        self.assertLess(abs(float(named.slope)), 5 * float(named.slope_se) + 0.05)
        self.assertEqual(named.verdict, "as expected")
        self.assertEqual(ds.magnitude.dims, ("coordinate", "width"))
        self.assertLessEqual(set(ds.verdict.values), {"as expected", "open", "unknown"})

    def test_need_a_model_that_lists_them_and_two_sizes(self):
        with self.assertRaisesRegex(nd.InputError, "no magnitudes"):
            nd.coordinates("deep-linear", **SMALL, size=[10, 20])
        with self.assertRaisesRegex(nd.InputError, "two or more sizes"):
            nd.coordinates("wide-mlp", size=32, data={"gram": [[1]], "targets": [1]})


class Recipes(unittest.TestCase):
    def test_are_those_of_the_dry_run(self):
        # docs/from-pytorch.md prints the same.
        told = nd.recipe("deep-linear", size=200, depth=2, alpha=2, nu=2, gamma0=2, sigma=0.8, lr=0.1)
        np.testing.assert_allclose(told.init_std, [0.05656854249, 0.04, 0.04], rtol=1e-9)
        np.testing.assert_allclose(told.raw_lr, [0.512, 0.256, 0.256], rtol=1e-9)
        self.assertAlmostEqual(float(told.output_divisor), 8**0.5, places=12)
        self.assertEqual(told.attrs["optimizer"], "SGD")

    def test_are_of_one_network(self):
        with self.assertRaisesRegex(nd.InputError, "sweep: 2 points"):
            nd.recipe("deep-linear", size=200, gamma0=[1, 2])
        for size in (None, 0, 2.5):
            with self.assertRaisesRegex(nd.InputError, "size"):
                nd.recipe("deep-linear", size=size)

    def test_transfer_says_why_there_is_no_answer(self):
        with self.assertWarns(nd.NotConvergedWarning):
            answers = nd.transfer("deep-linear", lr=np.linspace(0.01, 0.05, 9),
                                  **{k: v for k, v in SMALL.items() if k != "lr"})
        self.assertTrue(np.isnan(answers.best_rate).all())
        told = answers.outcome.attrs["flag_meanings"].split("; ")
        self.assertIn("no minimum", told[int(answers.outcome.values.ravel()[0])])


class Threads(unittest.TestCase):
    def test_two_may_work_at_once(self):
        wanted = nd.solve("deep-linear", **SMALL)
        got = []

        def work():
            for _ in range(10):
                got.append(nd.solve("deep-linear", **SMALL).equals(wanted))

        workers = [threading.Thread(target=work) for _ in range(2)]
        for w in workers:
            w.start()
        for w in workers:
            w.join()
        self.assertEqual(got, [True] * 20)

    def test_python_goes_on_while_the_library_works(self):
        ticks, done = [], threading.Event()

        def tick():
            while not done.wait(0.005):
                ticks.append(1)

        ticker = threading.Thread(target=tick)
        ticker.start()
        nd.solve("deep-linear", depth=2, alpha=2, steps=3000, lr=0.05, spectrum=False, ntk=False,
                 threads=1)
        done.set()
        ticker.join()
        self.assertGreater(len(ticks), 5)

    def test_an_interrupt_stops_the_work(self):
        pressed = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
        pressed.start()
        with self.assertRaises(KeyboardInterrupt):
            nd.solve("deep-linear", depth=3, alpha=2, steps=10**7, lr=0.01, spectrum=False,
                     ntk=False, record=[10**7], check=False)
        # The test would run for minutes otherwise; what it takes is for the bench to say.
        pressed.join()


if __name__ == "__main__":
    unittest.main()
