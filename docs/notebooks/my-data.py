# SPDX-License-Identifier: GPL-3.0-or-later
# %% [markdown]
# # My data
#
# What does a network of infinite width learn of *my* data, as NumPy arrays, and how far from it is one of width 512?
# Here: sixteen images of handwritten digits, 3 (target 1) against 8 (target -1), and sixteen others to test on.

# %%
import h5py
import matplotlib.pyplot as plt
import numpy as np

import nndmft as nd

with h5py.File("../../data/digits.h5") as file:
    pixels, x, y, x_test, y_test = (file[k][...] for k in ("pixels", "x", "y", "x_test", "y_test"))
fig, axes = plt.subplots(2, 8, figsize=(6, 1.7))
for axis, image in zip(axes.flat, pixels):
    axis.imshow(image.reshape(8, 8), cmap="gray_r")
    axis.axis("off")
x.shape, x_test.shape

# %% [markdown]
# A tanh network with two hidden layers in mean-field scaling. Arrays go in as they are; what theory needs of the
# inputs, their Gram matrix divided by the dimension, it makes itself.

# %%
network = dict(depth=2, activation="tanh", gamma0=2, lr=0.3, steps=24, record_every=2, samples=2048, replicates=4,
               rank_tol=5e-3)
data = {"inputs": x, "targets": y, "test_inputs": x_test, "test_targets": y_test}
result = nd.run("wide-mlp", data=data, **network, size=512, seeds=8, orthonormal_init=True)
axes = result.plot("loss", "test_loss")

# %% [markdown]
# Eight networks of width 512 (points, with standard errors) follow the theory of infinite width (line; its band is what
# sampling leaves open).

# %%
assert result.agrees
result.verdicts.loc[["loss", "test_loss", "output", "test_output", "ntk"],
                    ["verdict", "points", "off", "max_abs_z", "band"]]

# %% [markdown]
# No variable disagrees. `max_abs_z` is 0 where all deviations are within the tolerance of 2 %. `inconclusive` is what would
# need more seeds: its `band` is above 4 %, twice the tolerance. Output by output, theory across, networks up:

# %%
last = dict(t=24)
fig, axis = plt.subplots(figsize=(3.8, 3.8), layout="constrained")
axis.axline((0, 0), slope=1, color="0.7")
for name, label in (("output", "training images"), ("test_output", "test images")):
    mc, theory = result.mc.sel(last), result.theory.sel(last)
    axis.errorbar(theory[name], mc[name].squeeze(), mc[f"{name}_se"].squeeze(), fmt="o", ms=4, mfc="none", label=label)
axis.set(xlabel="output, infinite width", ylabel="output, width 512, mean of 8")
_ = axis.legend()
right = np.sign(result.theory.test_output.sel(last).values) == y_test
print(f"{right.sum()} of {len(y_test)} test images on the right side")

# %% [markdown]
# ## The Gram matrix is all that theory sees
#
# Two data sets with one Gram matrix are one data set. With `gram` in place of `inputs` the data may also stay secret,
# or be those of a kernel.

# %%
gram = nd.solve("wide-mlp", data={"gram": x @ x.T / x.shape[1], "targets": y}, **network)
plain = nd.solve("wide-mlp", data={"inputs": x, "targets": y}, **network)
difference = float(abs(gram.output - plain.output).max())
assert difference < 1e-6
print("largest difference of outputs:", difference)

# %% [markdown]
# ## What training does to the representation
#
# The Gram matrix of the second layer's activations before and after, images sorted by class:

# %%
order = np.argsort(-y, kind="stable")
fig, axes = plt.subplots(1, 2, figsize=(6.5, 3), layout="constrained")
kernels = result.theory.phi_gram.isel(layer=-1)
for axis, t in zip(axes, (0, 24)):
    shown = axis.imshow(kernels.sel(t=t).values[np.ix_(order, order)], cmap="RdBu_r", vmin=-1, vmax=1)
    axis.set(title=f"step {t}", xticks=(3.5, 11.5), xticklabels=("3", "8"), yticks=(3.5, 11.5), yticklabels=("3", "8"))
_ = fig.colorbar(shown, ax=axes)

# %% [markdown]
# Faint blocks, which the pixels have of themselves, become strong: images of one class grow alike, those of different
# classes opposite. The alignment of activations with the targets says so in one number for each layer:

# %%
result.theory.kernel_alignment.sel(t=[0, 24]).to_pandas().round(3)
