# SPDX-License-Identifier: GPL-3.0-or-later
# %% [markdown]
# # How alike do two networks become?
#
# Two linear networks learn the same task from the same inputs, each from labels with noise of its own. How similar are
# their predictors (cosine) and their hidden layers (CKA), and how does that depend on the number of samples
# per dimension `alpha` and on the signal-to-noise ratio `snr`?

# %%
import matplotlib.pyplot as plt
import numpy as np

import nndmft as nd

alpha = np.geomspace(0.1, 10, 60)
theory = nd.solve("alignment", ridge=0.01, alpha=alpha, snr=[0.5, 2, 8])
axes = nd.plot(theory, "cosine", "cka", "gen_error", log="x")

# %% [markdown]
# More signal, more alignment. But more data do not always help: each curve of the cosine has a minimum near one sample
# per dimension, where noise is fitted with the largest weights. There the error peaks, too; at `snr=8` the peak is
# so low that the error is largest where data are fewest. CKA behaves as the cosine does.

# %%
least = theory.cosine.idxmin("alpha").to_series()
error = theory.gen_error.idxmax("alpha").to_series()
least.to_frame("alpha of least cosine").assign(**{"alpha of largest error": error}).round(2)

# %% [markdown]
# Where exactly, for `snr=2`?

# %%
nd.find("alignment", param="alpha", between=(0.5, 2), min="cosine", ridge=0.01, snr=2)

# %% [markdown]
# ## Real pairs
#
# Three dimensions, because hidden layers have corrections of order 1/D that the comparison extrapolates away.

# %%
result = nd.run("alignment", ridge=0.01, alpha=[0.3, 0.9, 2], snr=[0.5, 8], size=[50, 100, 200],
                seeds=[640, 320, 160])
assert result.agrees
result.verdicts[["verdict", "points", "off", "max_abs_z", "p", "band"]]

# %%
fig, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
curves = nd.solve("alignment", ridge=0.01, alpha=np.geomspace(0.2, 3, 60), snr=[0.5, 8])
for axis, name in zip(axes, ("cosine", "cka")):
    for colour, snr in zip(("C0", "C1"), (0.5, 8)):
        line = curves[name].sel(snr=snr)
        axis.semilogx(line.alpha, line, colour, label=f"snr = {snr}")
        for marker, size in zip("sdo", (50, 100, 200)):
            mc = result.mc.sel(snr=snr, size=size)
            axis.errorbar(mc.alpha, mc[name], mc[f"{name}_se"], fmt=marker, color=colour, ms=5, mfc="none")
    axis.set(xlabel="samples per dimension", ylabel=name)
_ = axes[0].legend()

# %% [markdown]
# Squares, diamonds and circles are pairs of dimension 50, 100 and 200. Where the signal is weak, CKA of small networks
# is too large and comes down to its curve as the dimension grows. No variable disagrees once that is extrapolated;
# `inconclusive` ones have a `band` above 4 %, and would need more seeds.
#
# ## As alike, but not as good
#
# Error against alignment, along each curve from few samples (dot) to many.

# %%
fig, axis = plt.subplots(figsize=(5, 3.6), layout="constrained")
for snr in theory.snr.values:
    one = theory.sel(snr=snr)
    (line,) = axis.plot(one.cosine, one.gen_error, label=f"snr = {snr:g}")
    axis.plot(one.cosine[0], one.gen_error[0], "o", color=line.get_color())
axis.set(xlabel="cosine of the predictors", ylabel="generalisation error", yscale="log")
_ = axis.legend()

# %% [markdown]
# Curves turn back: one and the same cosine is reached with few samples and with many, at different errors. At `snr=8`:

# %%
one = theory.sel(snr=8)
few, many = one.where(one.alpha < 0.9, drop=True), one.where(one.alpha > 1.1, drop=True)
for side, name in ((few, "few samples"), (many, "many samples")):
    i = int(abs(side.cosine - 0.85).argmin())
    print(f"{name}: alpha {float(side.alpha[i]):.2f}, cosine {float(side.cosine[i]):.2f}, error {float(side.gen_error[i]):.2f}")
