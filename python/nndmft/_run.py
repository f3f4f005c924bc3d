# SPDX-License-Identifier: GPL-3.0-or-later
"""Theory, simulation, and their comparison."""
import builtins
import numbers
import os

import pandas as pd
import xarray as xr

from ._cases import Case
from ._context import Context, InputError, NotConvergedWarning, text, warn
from ._frames import dataset, frame_of, owned
from ._nndmft import ffi, lib
from ._tables import describe
from ._values import counted, real


def _case(model, keywords):
    if isinstance(model, (str, os.PathLike)):
        if os.path.splitext(model)[1] not in (".yaml", ".yml"):
            return Case(model, **keywords)
        model = Case.from_yaml(model)
    if not isinstance(model, Case):
        raise InputError(f"model: is of type {type(model).__name__}; allowed: a name, a Case, a "
                         "case file")
    return model.replace(**keywords) if keywords else model


def _one_point(case):
    if case.pointer.sweep.points != 1:
        raise InputError(f"sweep: {case.pointer.sweep.points} points where one is meant")
    return case


def _label(data, case):
    if data is not None:
        data.attrs["model"], data.attrs["case"] = case.model, case.yaml
    return data


def _theory(context, case):
    frame = ffi.new("nnd_frame **")
    status = context.run(lib.nnd_theory_run, case.pointer, ffi.NULL, frame)
    if status > 0:
        warn("theory: " + ("the dynamics diverged at every point; curves are kept up to there"
                           if status == lib.NND_DIVERGED else "did not converge at any point"),
             NotConvergedWarning)
    made = owned(frame[0])
    context.check(lib.nnd_result_annotate(made, case.pointer.model))
    return made


def solve(model, *, threads=None, memory_limit=None, progress=None, **params):
    """Theoretical curves of a model as an xarray.Dataset.

    `model`: a name (`nndmft.models()`), or a Case or a case file, of which keywords replace what
    they name. Keywords are the model's parameters (`nndmft.describe(model)`); a list, where one
    value is meant, is swept. `threads`: workers, all processors by default; `memory_limit`: bytes;
    `progress`: True or False for a bar.
    """
    case = _case(model, params)
    context = Context(threads, memory_limit, progress)
    return _label(dataset(context, _theory(context, case)), case)


def _train(context, case):
    """The ensemble of a case: its status, and the library's frames."""
    context.check(lib.nnd_ensemble_check(context.pointer, case.pointer))
    context.check(lib.nnd_ensemble_check_memory(context.pointer, case.pointer))
    store = ffi.gc(lib.nnd_memory_store_new(), lib.nnd_memory_store_free)
    ensemble = ffi.gc(ffi.new("nnd_ensemble *"), lib.nnd_ensemble_clear)
    return context.run(lib.nnd_ensemble_run, case.pointer, store, ensemble), ensemble


def _taken(ensemble, part):
    """A frame that is taken out of an ensemble."""
    frame = owned(getattr(ensemble, part))
    setattr(ensemble, part, ffi.NULL)
    return frame


def _simulation(context, case):
    """The frames of a case's ensemble, by name."""
    status, ensemble = _train(context, case)
    if status > 0:
        warn("simulation: every network of every point diverged", NotConvergedWarning)
    frames = {part: _taken(ensemble, part) for part in ("mc", "seeds", "influence", "weights")}
    for part in ("mc", "seeds"):
        if frames[part] != ffi.NULL:
            context.check(lib.nnd_result_annotate(frames[part], case.pointer.model))
    return frames


def simulate(model, *, threads=None, memory_limit=None, progress=None, **params):
    """An ensemble of real networks as an xarray.Dataset: every variable and its standard error.

    As `solve`; `size` (a list is extrapolated by `run`), `seeds`, `base_seed`, `storage` and the
    options of the model's simulation are keywords like the parameters.
    """
    case = _case(model, params)._simulating()
    context = Context(threads, memory_limit, progress)
    return _label(dataset(context, _simulation(context, case)["mc"]), case)


_PARTS = ("theory", "mc", "seeds", "influence", "weights", "compare")


def recipe(model, size=None, **params):
    """What PyTorch or Keras need to train the network of that size: a Dataset of `init_std`, the
    standard deviation of each matrix at the start, `raw_lr`, its learning rate, and
    `output_divisor`; the attribute `optimizer` says what goes with the rates.

    `size` is that of the simulation (`describe(model).simulate`), absent where there is none;
    the rest as in `solve`, without a sweep.
    """
    case = _one_point(_case(model, params))
    simulator = lib.nnd_simulator_find(case.pointer.model)
    if case.pointer.model.sized and not (isinstance(size, numbers.Integral) and size > 0):
        raise InputError(f"size: {size!r} is out of range: an integer > 0")
    context, frame = Context(), ffi.new("nnd_frame **")
    context.check(simulator.recipe(context.pointer, case.pointer.params[0], size or 0, frame))
    return dataset(context, owned(frame[0]))


class Result:
    """Theory, simulation and comparison of one case; absent parts are None."""

    def __init__(self, model, case, origin):
        self.model = model     #: name of the model
        self.case = case       #: YAML of the case, every default filled in
        self._origin = origin   # of the case: its file, and arrays that it names
        self.theory = None     #: Dataset
        self.mc = None         #: Dataset: x and x_se
        self.seeds = None      #: Dataset: every seed, with storage="trajectories"
        self.influence = None  #: Dataset: what groups of seeds contribute
        self.weights = None    #: Dataset: matrices of seed 0, with storage="weights"
        self.compare = None    #: Dataset: x_theory, x_mc, x_diff, x_se, x_z

    @property
    def verdicts(self):
        """What was found of each variable, a DataFrame; None without a comparison."""
        return None if self.compare is None else _verdicts(self.compare)

    @property
    def agrees(self):
        """True if no variable disagrees and at least one agrees."""
        if self.verdicts is None:
            return None
        return bool((self.verdicts.verdict == "agrees").any()
                    and not (self.verdicts.verdict == "disagrees").any())

    def plot(self, *names, view=None, **options):
        """Theory as lines, simulation as points with bars; see nndmft.plot."""
        from ._plots import plot

        return plot(self, *names, view=view, **options)

    def detect(self, key, factor, *, threads=None, memory_limit=None, progress=None):
        """How many times as many seeds would notice that theory is wrong in a parameter by this
        factor, with a probability of 95 %: a Detection."""
        from ._detect import detect

        return detect(self, key, factor, Context(threads, memory_limit, progress))

    def _lend(self, context):
        """The library's struct of the result, and what keeps its members alive."""
        lent = ffi.new("nnd_result *")
        frames = {part: frame_of(context, getattr(self, part)) for part in _PARTS}
        texts = {"case_text": self.case, "model": self.model, "history": "python: nndmft"}
        keep = {key: ffi.new("char[]", (value or "").encode()) for key, value in texts.items()}
        for key, value in {**frames, **keep}.items():
            setattr(lent, key, value)
        return lent, (frames, keep)

    def save(self, path):
        """Writes the result as an HDF5 file that `nndmft plot` and xarray read."""
        context = Context()
        lent, _keep = self._lend(context)
        context.check(lib.nnd_result_write(context.pointer, os.fsencode(path), lent))

    def report(self, path):
        """Writes one page of HTML to hand on, which needs nothing else: verdicts, pictures,
        equations, case. As the command `nndmft report` of a saved result."""
        context, report = Context(), ffi.new("nnd_report *")
        lent, _keep = self._lend(context)
        names = ffi.new("const char *[1]")
        report.count, report.result, report.path = 1, lent, names
        output = ffi.new("nnd_output **")
        context.check(lib.nnd_output_open(context.pointer, os.fsencode(path), output))
        written = False
        try:
            with builtins.open(text(lib.nnd_output_path(output[0])), "wb") as page:
                context.run(lib.nnd_report_write, report, page)
            written = True
        finally:
            closed = lib.nnd_output_close(context.pointer, output[0], written)
        context.check(closed)

    def __repr__(self):
        head = f"<nndmft.Result of {self.model}>"
        return head if self.verdicts is None else f"{head}\n{self.verdicts.to_string()}"

    def _repr_html_(self):
        return None if self.verdicts is None else self.verdicts.to_html()


_COLUMNS = ["verdict", "points", "left_out", "off", "max_abs_z", "p", "band", "more_seeds",
            "reason"]


def _verdicts(compare):
    """The table of verdicts, which stand beside the differences x_diff."""
    rows = {name[: -len("_diff")]: data.attrs for name, data in compare.data_vars.items()
            if "verdict" in data.attrs}
    table = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=_COLUMNS)
    table.index.name = "variable"
    return table.astype({key: int for key in ("points", "left_out", "off")})


def _compare(context, row, options, theory, mine):
    """What the library says of theory and simulation."""
    out = ffi.new("nnd_comparison **")
    context.run(lib.nnd_compare, row, options, theory, mine, out)
    return ffi.gc(out[0], lib.nnd_comparison_free)


def _compared(context, comparison):
    """The group /compare of a comparison, which is taken out of it."""
    frame, comparison.frame = owned(comparison.frame), ffi.NULL
    return dataset(context, frame)


def _simulated(mc, influence, base_seed):
    """What is held against theory."""
    side = ffi.new("nnd_simulated *")
    side.mc, side.influence, side.base_seed = mc, influence, base_seed
    return side


def run(model, *, threads=None, memory_limit=None, progress=None, **params):
    """Theory, an ensemble of networks, and the verdict on each variable: a Result.

    Keywords as in `simulate`. `compare={"rtol": .02}` are options of the comparison. A case
    without a simulation is solved.
    """
    case = _case(model, params)
    context = Context(threads, memory_limit, progress)
    c = case.pointer
    if case.simulates:
        context.check(lib.nnd_ensemble_check(context.pointer, c))
    frames = {"theory": _theory(context, case)}
    made = Result(case.model, case.yaml, case._origin)
    if case.simulates:
        frames.update(_simulation(context, case))
        side = _simulated(frames["mc"], frames["influence"], c.simulate.base_seed)
        made.compare = _compared(context, _compare(
            context, c.model, ffi.addressof(c[0], "compare"), frames["theory"], side))
    for part, frame in frames.items():
        setattr(made, part, _label(dataset(context, frame), case))
    return made


def validate(theory, mine, *, model=None, rtol=0.02, alpha=0.005, variables=(), seeds=0):
    """Holds a simulation of your own against theory: a table of verdicts.

    `theory`: a Dataset of `solve`, or a Result. `mine`: a Dataset that has x and its standard
    error x_se, for as many variables x as you like, over the dimensions of theory; a dimension
    `size` is extrapolated. `seeds`: of each size, if known.
    """
    theory = theory.theory if isinstance(theory, Result) else theory
    for name, data in (("theory", theory), ("mine", mine)):
        if not isinstance(data, xr.Dataset):
            raise InputError(f"{name}: is of type {type(data).__name__}; allowed: a Dataset")
    model = model or theory.attrs.get("model")
    context = Context()
    row = describe(model).row if model else ffi.NULL
    options = ffi.new("nnd_compare_options *")
    names = [ffi.new("char[]", name.encode()) for name in variables]
    listed = ffi.new("char *[]", names)
    options.rtol, options.alpha = real(rtol, "rtol"), real(alpha, "alpha")
    options.until = float("inf")
    options.vars.count, options.vars.value = len(names), listed
    side = ffi.new("nnd_simulated *")
    held = frame_of(context, mine), frame_of(context, theory)
    side.mc, side.seeds = held[0], counted(seeds, "seeds", 0)
    return _verdicts(_compared(context, _compare(context, row, options, held[1], side)))


def open(path):  # noqa: A001 - as xarray.open_dataset, under this package's name
    """Reads a result file of `nndmft run`, `solve` or `simulate`, or of Result.save."""
    context, held = Context(), ffi.new("nnd_result *")
    context.check(lib.nnd_result_read(context.pointer, os.fsencode(path), held))
    try:
        made = Result(text(held.model), text(held.case_text), (os.fspath(path), []))
        for part in _PARTS:
            frame = owned(getattr(held, part))
            setattr(held, part, ffi.NULL)
            setattr(made, part, dataset(context, frame))
            if getattr(made, part) is not None and made.model:
                getattr(made, part).attrs.update(model=made.model, case=made.case)
    finally:
        lib.nnd_result_clear(held)
    return made
