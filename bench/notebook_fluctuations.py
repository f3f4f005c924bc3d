#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The usual way to compute the variance of two-layer networks at order 1/N, as a rival for bench.

Case fluctuations.md#r3: mean field by a damped Monte-Carlo fixed point over whole
trajectories (Picard iteration for the fields of every sample), the sensitivity of every sample by a
dense linear system in time, then the covariance of the residual and the kernel by dense inverses.
Prints the times that it and nndmft need, and the error of each.

Usage: notebook_fluctuations.py NNDMFT-EXECUTABLE [OUTER-ITERATIONS]
"""
import csv
import io
import os
import subprocess
import sys
import time

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402  after the number of threads

GAIN, LR, GAMMA, TARGET, STEPS, SAMPLES = 0.4, 0.05, 1.0, 1.0, 250, 3500


def phi(h):
    """phi and its first two derivatives."""
    f = np.tanh(GAIN * h)
    return f / GAIN, 1 - f**2, -2 * GAIN * f * (1 - f**2)


def fields(h0, w0, delta, earlier):
    """h and w at all times by Picard iteration; both are samples x times."""
    drive = LR * GAMMA * earlier * delta[None, :]
    h, w = h0.repeat(len(delta), 1), w0.repeat(len(delta), 1)
    for _ in range(600):
        f, d1, _ = phi(h)
        new_h, new_w = h0 + (d1 * w) @ drive.T, w0 + f @ drive.T
        change = max(abs(new_h - h).max(), abs(new_w - w).max())
        h, w = new_h, new_w
        if change < 1e-6:
            break
    return h, w


def mean_field(rng, outer, damping=0.25):
    """Residual and fields of all samples. The samples stay the same, or it never settles; with less
    damping late times overshoot."""
    times = STEPS + 1
    earlier = np.tril(np.ones((times, times)), -1)
    h0, w0 = rng.standard_normal((SAMPLES, 1)), rng.standard_normal((SAMPLES, 1))
    # A guess near the answer: from a constant the iteration first overflows.
    delta = TARGET * np.exp(-2 * LR * np.arange(times))
    for _ in range(outer):
        h, w = fields(h0, w0, delta, earlier)
        output = (w * phi(h)[0]).mean(0) / GAMMA
        delta = (1 - damping) * delta + damping * (TARGET - output + output[0])
    return delta, h, w, earlier


def sensitivities(h, w, delta, earlier, batch=25):
    """Per sample dF/dDelta and dK/dDelta: times x times."""
    c, one = LR * GAMMA * earlier, np.eye(len(delta))
    for i in range(0, len(h), batch):
        part = slice(i, i + batch)
        f, d1, d2 = phi(h[part])
        ww = w[part]
        from_h, from_w = c * (delta * d2 * ww)[:, None, :], c * (delta * d1)[:, None, :]
        direct_h, direct_w = c * (d1 * ww)[:, None, :], c * f[:, None, :]
        dh = np.linalg.solve(one - from_h - from_w @ from_w, direct_h + from_w @ direct_w)
        dw = from_w @ dh + direct_w
        df = (f[:, :, None] * dw + (ww * d1)[:, :, None] * dh) / GAMMA
        dk = (2 * f * d1 + 2 * ww**2 * d1 * d2)[:, :, None] * dh + \
            (2 * ww * d1**2)[:, :, None] * dw
        yield df, dk


def variances(seed, outer):
    """N Var Delta and N Var K at all times, centred."""
    delta, h, w, earlier = mean_field(np.random.default_rng(seed), outer)
    times = len(delta)
    chi, chi_k = np.zeros((times, times)), np.zeros((times, times))
    for df, dk in sensitivities(h, w, delta, earlier):
        chi += df.sum(0) / SAMPLES
        chi_k += dk.sum(0) / SAMPLES
    f, d1, _ = phi(h)
    each = w * f / GAMMA
    joint = np.hstack([each - each[:, :1], f**2 + (w * d1) ** 2])
    kappa = np.cov(joint.T)
    # Delta = -(F + chi Delta), K = K + chi_K Delta.
    system = np.block([[np.eye(times) + chi, np.zeros((times, times))], [-chi_k, np.eye(times)]])
    inverse = np.linalg.inv(system)
    sign = np.diag(np.concatenate([-np.ones(times), np.ones(times)]))
    sigma = inverse @ sign @ kappa @ sign @ inverse.T
    return np.diag(sigma)[:times], np.diag(sigma)[times:]


def ours(executable):
    """The same of nndmft to 1e-8, with its start-up, kernels and bias; one thread."""
    with open("notebook_fluctuations.yaml", "w", encoding="ascii") as file:
        file.write(f"""model: two-layer-fluctuations
params: {{activation: {{name: tanh, gain: {GAIN}}}, gamma0: {GAMMA}, lr: {LR}, steps: {STEPS},
  center: true, tolerance: 1e-8, data: {{gram: [[1]], targets: [{TARGET}]}}}}
""")
    seconds = np.inf
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([executable, "solve", "notebook_fluctuations.yaml", "-o",
                        "notebook_fluctuations.h5", "--force", "-q", "--threads", "1"], check=True)
        seconds = min(seconds, time.perf_counter() - began)
    curves = []
    for name in ("delta_nvar", "ntk_nvar"):
        table = subprocess.run([executable, "export", "notebook_fluctuations.h5", "--var", name],
                               check=True, capture_output=True, text=True).stdout
        curves.append(np.array([float(row[name]) for row in csv.DictReader(io.StringIO(table))]))
    return curves, seconds


def main():
    executable, outer = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100
    (delta, ntk), our_seconds = ours(executable)
    began = time.perf_counter()
    sampled_delta, sampled_ntk = variances(1, outer)
    seconds = time.perf_counter() - began
    error = [abs(a - b).max() / b.max() for a, b in ((sampled_delta, delta), (sampled_ntk, ntk))]
    print(f"P = 1, T = {STEPS}: notebook, {SAMPLES} samples, {outer} iterations: {seconds:.1f} s, "
          f"error {error[0]:.1e} of N Var Delta, {error[1]:.1e} of N Var K; nndmft {our_seconds:.2f} "
          f"s, error 1e-8; {seconds / our_seconds:.0f} times faster")


if __name__ == "__main__":
    main()
