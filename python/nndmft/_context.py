# SPDX-License-Identifier: GPL-3.0-or-later
"""One computation: its messages become exceptions and warnings, Ctrl-C stops it."""
import concurrent.futures
import logging
import numbers
import re
import sys
import threading
import warnings

from ._nndmft import ffi, lib

#: As the command line has it.
MOST_THREADS = 4096

_log = logging.getLogger("nndmft")


class Error(Exception):
    """What went wrong, in one line. All exceptions of nndmft are of this class."""


class InputError(Error, ValueError):
    """A parameter, a case or a file makes no sense.

    `key` is the parameter that is wrong ("params.gamma0"), `allowed` what it may be; None where
    that is not one parameter's fault.
    """

    def __init__(self, message):
        super().__init__(message)
        found = re.match(r"(?:\S+:\d+:\d+: )?((?:params|simulate|sweep|compare)(?:\.\w+)*"
                         r"|threads|memory_limit): ", message)
        self.key = found.group(1) if found else None
        tail = re.search(r"(?:out of range|allowed|is not one of):? (.*)$", message) or re.search(
            r"is not ((?:an? |rows |true ).*)$", message)
        self.allowed = tail.group(1) if found and tail else None


class LimitError(Error, MemoryError):
    """The computation needs more memory than it may use."""


class FileError(Error, OSError):
    """A file cannot be read or written, or is damaged."""


class NotConvergedError(Error):
    """A solver has no answer."""


class NotConvergedWarning(UserWarning):
    """The dynamics diverged, or a solver did not converge, at every point."""


_ERRORS = {
    lib.NND_E_MEMORY: LimitError,
    lib.NND_E_LIMIT: LimitError,
    lib.NND_E_INPUT: InputError,
    lib.NND_E_IO: FileError,
    lib.NND_E_FORMAT: FileError,
    lib.NND_E_UNSOLVED: NotConvergedError,
    lib.NND_E_INTERRUPTED: KeyboardInterrupt,
}


def text(chars):
    """A C string as str; None for NULL."""
    return None if chars == ffi.NULL else ffi.string(chars).decode("utf-8", "replace")


def _whole(value, key, most):
    """A number of things; 0, for the library's own choice, if it is None."""
    if value is None:
        return 0
    if isinstance(value, numbers.Real) and 1 <= value <= most and value == int(value):
        return int(value)
    raise InputError(f"{key}: {value!r} is out of range: an integer >= 1 and <= {most}")


class Borrowed:
    """A context of the library that is not Python's to free."""

    def __init__(self, pointer):
        self.pointer = pointer

    def check(self, status):
        """Raises what a status below 0 means; returns it otherwise."""
        if status < 0:
            error = _ERRORS.get(status, Error)
            raise error(text(lib.nnd_context_message(self.pointer)))
        return status


class Context(Borrowed):
    """The library's context: threads, memory, what it says while it works."""

    def __init__(self, threads=None, memory_limit=None, progress=None):
        self._bar = _bar(progress)
        self._handle = ffi.new_handle(self)
        self._notes, self._failure = [], None
        options = ffi.new("nnd_context_options *")
        options.threads = _whole(threads, "threads", MOST_THREADS)
        options.memory_limit = _whole(memory_limit, "memory_limit", sys.maxsize)
        options.log = lib.nndmft_log
        options.progress = lib.nndmft_progress if self._bar else ffi.NULL
        options.user = self._handle
        pointer = lib.nnd_context_new(options)
        if pointer == ffi.NULL:
            raise LimitError("out of memory")
        super().__init__(ffi.gc(pointer, lib.nnd_context_free))

    def run(self, function, *arguments):
        """Calls a function of the library that may take long. Ctrl-C in the main thread ends it."""
        if threading.current_thread() is not threading.main_thread():
            return self.finish(function(self.pointer, *arguments))
        with concurrent.futures.ThreadPoolExecutor(1) as worker:
            status = worker.submit(function, self.pointer, *arguments)
            while not status.done():
                try:
                    concurrent.futures.wait([status])
                except KeyboardInterrupt:
                    lib.nnd_context_interrupt(self.pointer)
        return self.finish(status.result())

    def advance(self, what, done, total):
        """Moves the bar. What goes wrong with it ends the computation; `finish` raises it."""
        if self._failure is None:
            try:
                self._bar.step(what, done, total)
            except BaseException as error:
                self._failure = error
                lib.nnd_context_interrupt(self.pointer)

    def finish(self, status):
        """What a function returned: warnings for what it said on its way, then `check`."""
        if self._failure is not None:
            raise self._failure
        if self._bar:
            self._bar.close()
        notes, self._notes = self._notes, []
        for line in notes:
            warn(line)
        return self.check(status)


def warn(message, category=UserWarning):
    """A warning at the line that called this package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("nndmft"):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


#: What is done is no whole number of pieces: a percentage tells it best.
_BAR = "{desc}: {percentage:3.0f}%|{bar}| of {total} [{elapsed}<{remaining}]"


class _Bar:
    """Progress by tqdm, one bar for each task."""

    def __init__(self, tqdm):
        self._tqdm, self._what, self._shown = tqdm, None, None

    def step(self, what, done, total):
        if what != self._what:
            self.close()
            self._what = what
            self._shown = self._tqdm(total=total, desc=what, leave=False, bar_format=_BAR)
        self._shown.update(done - self._shown.n)

    def close(self):
        if self._shown is not None:
            self._shown.close()
        self._what = self._shown = None


def _bar(progress):
    """None: a bar if tqdm is there and standard error is a terminal. True demands one."""
    if progress is None:
        progress = sys.stderr is not None and sys.stderr.isatty()
        demanded = False
    else:
        demanded = bool(progress)
    if not progress:
        return None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        if demanded:
            raise
        return None
    return _Bar(tqdm)


@ffi.def_extern()
def nndmft_log(user, level, line):
    message = text(line)
    if level == lib.NND_LOG_WARNING:
        ffi.from_handle(user)._notes.append(message)
    else:
        _log.log(logging.INFO if level == lib.NND_LOG_NOTE else logging.DEBUG, "%s", message)


@ffi.def_extern()
def nndmft_progress(user, what, done, total):
    ffi.from_handle(user).advance(text(what), done, total)
