# SPDX-License-Identifier: GPL-3.0-or-later
# %% [markdown]
# # From PyTorch: is my network the one of the theory?
#
# A case fixes a network down to every factor. `nd.recipe` prints them as PyTorch wants them: standard deviations
# of the initial entries, a learning rate for each matrix, a number that divides the output. Train with them, hand
# means and standard errors to `nd.validate`, and read the verdict.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
import xarray as xr

import nndmft as nd

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
size, alpha, noise, seeds, steps = 200, 2, 0.3, 60, 20
case = nd.Case("deep-linear", depth=1, alpha=alpha, nu=1, gamma0=3, sigma=0.6, noise=noise, lr=0.1, steps=steps)
recipe = nd.recipe(case, size=size)
recipe.to_dataframe()

# %% [markdown]
# The target is a random unit vector, labels have noise, and all samples are in every step.

# %%
def train(seed, divisor):
    """Training loss and excess risk at every step."""
    torch.manual_seed(seed)
    target = torch.nn.functional.normalize(torch.randn(size), dim=0)
    x = torch.randn(alpha * size, size)
    y = x @ target + noise * torch.randn(alpha * size)
    A, a = (torch.nn.Parameter(float(std) * torch.randn(*shape))
            for std, shape in zip(recipe.init_std, ((size, size), (1, size))))
    optimizer = torch.optim.SGD([{"params": [p], "lr": float(lr)} for p, lr in zip((A, a), recipe.raw_lr)])
    curves = np.empty((2, steps + 1))
    for t in range(steps + 1):
        f = (x @ A.T @ a.T).squeeze(1) / divisor
        mse = ((y - f) ** 2).mean()
        beta = (a @ A).detach().squeeze(0) / divisor
        curves[:, t] = float(mse.detach()), float(((target - beta) ** 2).sum())
        optimizer.zero_grad()
        (mse / 2).backward()
        optimizer.step()
    return curves


def ensemble(divisor):
    """Means and standard errors over seeds, as nd.validate takes them."""
    curves = np.array([train(seed, divisor) for seed in range(seeds)])
    mean, se = curves.mean(axis=0), curves.std(axis=0, ddof=1) / np.sqrt(seeds)
    arrays = {"train_mse": mean[0], "train_mse_se": se[0], "test_risk": mean[1], "test_risk_se": se[1]}
    return xr.Dataset({k: ("t", v) for k, v in arrays.items()}, {"t": np.arange(steps + 1)})


theory = nd.solve(case)
mine = ensemble(float(recipe.output_divisor))
verdicts = nd.validate(theory, mine, seeds=seeds)
assert set(verdicts.verdict) == {"agrees"}
verdicts[["verdict", "points", "off", "max_abs_z", "band"]]

# %% [markdown]
# PyTorch's networks are those of the theory: no point is off, and no deviation can hide that is much above the `band`.
#
# ## And if a factor is wrong?
#
# The output divided by 5 % too little, all else the same:

# %%
wrong = ensemble(0.95 * float(recipe.output_divisor))
verdicts = nd.validate(theory, wrong, seeds=seeds)
assert verdicts.verdict["train_mse"] == "disagrees"
verdicts[["verdict", "points", "off", "max_abs_z", "band"]]

# %% [markdown]
# The training loss disagrees. The test risk alone, whose deviation is 3 standard errors beyond the tolerance, would not
# have told: among 42 points that is no proof. The picture shows what the verdict is about:

# %%
fig, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
for axis, name in zip(axes, ("train_mse", "test_risk")):
    axis.plot(theory.t, theory[name], label="theory")
    for own, label, marker in ((mine, "PyTorch", "o"), (wrong, "PyTorch, wrong divisor", "x")):
        axis.errorbar(own.t, own[name], own[f"{name}_se"], fmt=marker, ms=4, mfc="none", label=label)
    axis.set(xlabel="step", ylabel=theory[name].attrs["long_name"])
_ = axes[0].legend()
