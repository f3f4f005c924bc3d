#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The usual way to solve the mean-field equations of wide networks, as a rival for bench.

A damped Monte-Carlo fixed point over whole trajectories: guess all two-time kernels and responses,
draw Gaussian paths from them, solve for the fields by Picard iteration, average, mix with the guess,
repeat. (wide-mlp.md#s2) Prints the time that it and nndmft need for equal
standard errors of the loss.

Usage: notebook_wide.py NNDMFT-EXECUTABLE
"""
import csv
import io
import subprocess
import sys
import time

import numpy as np


def paths(rng, kernel, samples):
    """Gaussian paths with the given covariance."""
    value, vector = np.linalg.eigh(kernel)
    return rng.standard_normal((samples, len(value))) @ (vector * np.sqrt(np.maximum(value, 0))).T


def picard(u, r, forward, backward):
    """h = u + forward g, z = r + backward phi(h), g = phi'(h) z with phi = tanh, for every sample."""
    h, z = u.copy(), r.copy()
    for _ in range(500):
        phi = np.tanh(h)
        new_h = u + ((1 - phi**2) * z) @ forward.T
        new_z = r + np.tanh(new_h) @ backward.T
        change = max(abs(new_h - h).max(), abs(new_z - z).max())
        h, z = new_h, new_z
        if change < 1e-6:
            break
    return h, z


def jacobians(h, z, forward, backward):
    """Per sample dg/dh with z following h, and phi'."""
    phi = np.tanh(h)
    slope, curve = 1 - phi**2, -2 * phi * (1 - phi**2)
    dg = slope[:, :, None] * backward * slope[:, None, :]
    steps = np.arange(h.shape[1])
    dg[:, steps, steps] += curve * z
    return dg, slope


def responses(h1, z1, m1, n1, h2, z2, m2, n2, batch=50):
    """A = <d phi(h1)/d r1>, B = <d g2/d u2>."""
    size = h1.shape[1]
    a, b, one = np.zeros((size, size)), np.zeros((size, size)), np.eye(size)
    for i in range(0, len(h1), batch):
        part = slice(i, i + batch)
        dg, slope = jacobians(h1[part], z1[part], m1, n1)
        dh = np.linalg.solve(one - m1 @ dg, m1 * slope[:, None, :])
        a += (slope[:, :, None] * dh).sum(0)
        dg, _ = jacobians(h2[part], z2[part], m2, n2)
        b += (dg @ np.linalg.inv(one - m2 @ dg)).sum(0)
    return a / len(h1), b / len(h1)


def solve(depth, gram, target, gamma, lr, steps, samples, iterations, seed, damping=0.7):
    """Loss at 0..steps for sigma_w = 1, tanh, depth 1 or 2. Indices are (t, mu), t slow."""
    rng = np.random.default_rng(seed)
    p, times = len(target), steps + 1
    every = np.ones((times, times))
    earlier = np.kron(np.tril(every, -1), np.ones((p, p)))
    until = np.kron(np.tril(every), np.ones((p, p)))
    kx, c = np.kron(every, gram), lr * gamma / p
    delta = np.tile(target, times)
    phi1 = g2 = kx * np.exp(-np.abs(np.subtract.outer(np.arange(times * p), np.arange(times * p))))
    a = b = np.zeros_like(kx)
    for _ in range(iterations):
        u1 = np.tile(rng.multivariate_normal(np.zeros(p), gram, samples), times)
        top = np.repeat(rng.standard_normal((samples, 1)), times * p, 1)
        drive = c * delta[None, :]
        m1 = earlier * drive * kx
        if depth == 1:
            h, z = picard(u1, top, m1, earlier * drive)
        else:
            n1 = until * b + earlier * drive * g2
            h1, z1 = picard(u1, paths(rng, g2, samples), m1, n1)
            m2, n2 = earlier * (a + drive * phi1), earlier * drive
            h, z = picard(paths(rng, phi1, samples), top, m2, n2)
            new_a, new_b = responses(h1, z1, m1, n1, h, z, m2, n2)
            a, b = (1 - damping) * a + damping * new_a, (1 - damping) * b + damping * new_b
            phi, g = np.tanh(h1), (1 - np.tanh(h) ** 2) * z
            phi1 = (1 - damping) * phi1 + damping * phi.T @ phi / samples
            g2 = (1 - damping) * g2 + damping * g.T @ g / samples
        output = (z * np.tanh(h)).mean(0) / gamma
        # The sampled output at t = 0 is 0 in theory.
        output -= np.tile(output[:p], times)
        delta = (1 - damping) * delta + damping * (np.tile(target, times) - output)
    return 0.5 * (delta.reshape(times, p) ** 2).mean(1)


def rival(runs, **case):
    """Loss, largest standard deviation of one run's loss over time, and seconds per run."""
    began = time.perf_counter()
    losses = np.array([solve(seed=seed, **case) for seed in range(runs)])
    seconds = (time.perf_counter() - began) / runs
    return losses.mean(0), losses.std(0, ddof=1).max(), seconds


def ours(executable, gram, target, depth, gamma, lr, steps):
    """The same of nndmft's march, all replicates together, with its start-up."""
    options = {"depth": depth, "gamma0": gamma, "lr": lr, "steps": steps, "solver": "march",
               "spectrum": "false", "kernels": "false"}
    text = "model: wide-mlp\nparams:\n" + "".join(f"  {k}: {v}\n" for k, v in options.items())
    text += f"  data: {{gram: {gram.tolist()}, targets: {target.tolist()}}}\n"
    with open("notebook_wide.yaml", "w", encoding="ascii") as file:
        file.write(text)
    command = [executable, "solve", "notebook_wide.yaml", "-o", "notebook_wide.h5", "--force", "-q",
               "--threads", "1"]
    seconds = np.inf
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run(command, check=True)
        seconds = min(seconds, time.perf_counter() - began)
    table = subprocess.run([executable, "export", "notebook_wide.h5", "--var", "loss"], check=True,
                           capture_output=True, text=True).stdout
    rows = list(csv.DictReader(io.StringIO(table)))
    return (np.array([float(row["loss"]) for row in rows]),
            max(float(row["loss_se"]) for row in rows), seconds)


def compare(executable, runs, samples, iterations, **case):
    """One line: both errors and times, and the ratio of times at equal error."""
    loss, error, seconds = rival(runs, samples=samples, iterations=iterations, **case)
    our_loss, our_error, our_seconds = ours(executable, **case)
    # The rival's error falls as one over the square root of its samples, its time grows with them.
    ratio = seconds * (error / our_error) ** 2 / our_seconds
    print(f"depth {case['depth']}, P = {len(case['target'])}, T = {case['steps']}: "
          f"notebook {seconds:.2f} s, s.e. {error:.1e}; nndmft {our_seconds:.2f} s, "
          f"s.e. {our_error:.1e}; largest difference {abs(loss - our_loss).max():.1e}; "
          f"{ratio:.0f} times faster at equal error")


def main():
    executable = sys.argv[1]
    compare(executable, runs=6, samples=1000, iterations=20, depth=1, gram=np.array([[1.0]]),
            target=np.array([1.0]), gamma=1.0, lr=0.1, steps=100)
    compare(executable, runs=3, samples=300, iterations=10, depth=2,
            gram=np.array([[1.0, 0.4], [0.4, 0.8]]), target=np.array([1.0, -0.5]), gamma=4.0,
            lr=0.1, steps=40)


if __name__ == "__main__":
    main()
