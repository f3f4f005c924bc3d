# SPDX-License-Identifier: GPL-3.0-or-later
# %% [markdown]
# # Quickstart: a theory, networks, a verdict
#
# A deep linear network learns a linear target from noisy labels. What does theory say of its losses, and do
# real networks do so? The *output scale* $\gamma_0$ (`gamma0`) says how far features move: small is lazy, large is rich.

# %%
import nndmft as nd

case = dict(depth=2, alpha=2, nu=1, gamma0=[0.5, 1, 2], sigma=0.8, noise=0.3, lr=0.1, steps=30,
            spectrum=False, ntk=False)
theory = nd.solve("deep-linear", **case)
theory

# %% [markdown]
# A list where one value is meant is a sweep: `gamma0` became a dimension. Every variable has a long name, a unit and
# the equation that it comes from.

# %%
theory.test_risk.attrs

# %% [markdown]
# The larger $\gamma_0$, the smaller the initial output, and the further the risk falls in 30 steps:

# %%
theory.test_risk.sel(t=[0, 10, 20, 30]).to_pandas().round(3)

# %% [markdown]
# ## Real networks beside it
#
# One hundred networks of input dimension 100 and one hundred of 200 are trained; the comparison extrapolates
# to infinite size.

# %%
result = nd.run("deep-linear", **case, size=[100, 200], seeds=100)
assert result.agrees
result.verdicts[["verdict", "points", "off", "max_abs_z", "p", "band"]]

# %% [markdown]
# `off` points are those where theory and networks are apart by more than errors allow: there are none. `band` says
# how large a deviation may hide, relative to the variable's largest value: agreement is worth as much.
# Lines are theory, points are networks of both sizes with their standard errors.

# %%
axes = result.plot("test_risk", "train_mse")

# %% [markdown]
# The points of both sizes lie on the lines: already networks of input dimension 100 behave as infinite ones do.
#
# ## To keep and to hand on
#
# `result.save("quickstart.h5")` writes what `nndmft plot` and xarray read, `result.report("quickstart.html")` one page for
# a colleague, and the case, every default filled in, is text:

# %%
print(result.case)
