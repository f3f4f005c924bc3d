"""Train deep linear networks with NumPy alone and write what `nndmft validate` reads.

One hidden layer, full batch, mup: f(x) = a A x / gamma with gamma = gamma0 sqrt(nu).
`nndmft simulate one-layer.yaml --set simulate.size=200 --dry-run` prints the same initial
deviations and learning rates.
"""
import sys

import h5py
import numpy as np

D, SEEDS, STEPS = 200, 60, 20
ALPHA, NU, GAMMA0, SIGMA, NOISE, LR = 2, 1, 3, 0.6, 0.3, 0.1
N, P, gamma = int(NU * D), int(ALPHA * D), GAMMA0 * np.sqrt(NU)
train_mse, test_risk = np.zeros((2, SEEDS, STEPS + 1))

for seed in range(SEEDS):
    rng = np.random.default_rng(seed)
    target = rng.normal(size=D)
    target /= np.linalg.norm(target)
    X = rng.normal(size=(P, D))
    y = X @ target + NOISE * rng.normal(size=P)
    A = SIGMA / np.sqrt(D) * rng.normal(size=(N, D))
    a = SIGMA / np.sqrt(N) * rng.normal(size=N)
    for t in range(STEPS + 1):
        beta = A.T @ a / gamma
        residual = y - X @ beta
        train_mse[seed, t] = np.mean(residual**2)
        test_risk[seed, t] = np.sum((target - beta) ** 2)
        v = X.T @ residual / P
        # Minus the gradients of mean(residual^2)/2, times the raw learning rates.
        step_A = LR * gamma**2 * SIGMA**2 * np.outer(a, v) / gamma
        step_a = LR * gamma**2 * SIGMA**2 / NU * (A @ v) / gamma
        A, a = A + step_A, a + step_a

with h5py.File(sys.argv[1], "w") as f:
    f["t"] = np.arange(STEPS + 1)
    f["t"].make_scale()
    f["seeds"] = SEEDS
    for name, x in {"train_mse": train_mse, "test_risk": test_risk}.items():
        f[name] = x.mean(axis=0)
        f[name + "_se"] = x.std(axis=0, ddof=1) / np.sqrt(SEEDS)
        for dataset in (f[name], f[name + "_se"]):
            dataset.dims[0].attach_scale(f["t"])
