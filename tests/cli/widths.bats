#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Networks of several widths beside theory: from which width on are they infinite?

load helper

setup() {
    enter
    need_python h5py
}

# mine SIZES SQUARE: loss at t = 2 as theory has it, with its coefficient of 1/N and one of 1/N^2.
mine() {
    case_file <<'YAML'
model: two-layer-fluctuations
params: {activation: linear, lr: 0.3, steps: 2, record: [2], kernels: false,
  data: {gram: [[1, 0.6], [0.6, 1]], targets: [1, -0.5]}}
YAML
    works solve case.yaml -o theory.h5
    "$PYTHON" - "$@" <<'PY'
import sys, h5py, numpy as np
size = np.array([int(x) for x in sys.argv[1].split(",")])
with h5py.File("theory.h5") as f:
    loss, ncorr = f["theory/loss"][0], f["theory/loss_ncorr"][0]
with h5py.File("mine.h5", "w") as f:
    f["size"], f["t"] = size, [2]
    f["size"].make_scale("size")
    f["t"].make_scale("t")
    f["loss"] = (loss + ncorr / size + float(sys.argv[2]) / size**2)[:, None]
    f["loss_se"] = np.full((len(size), 1), 1e-5)
    for name in "loss", "loss_se":
        f[name].dims[0].attach_scale(f["size"])
        f[name].dims[1].attach_scale(f["t"])
    print(abs(ncorr / loss) / 0.05, ncorr / loss)
PY
}

@test "the width from which the loss is within 5 percent is theory's width_mean" {
    mine 50,100,200 0 >want
    works validate theory.h5 mine.h5 --set compare.rtol=0.05
    says out "from 3 sizes" "at all sizes" "t=2"
    works export theory.h5 --var width_mean
    # limit +- se, coefficient +- se, theory's, width
    works validate theory.h5 mine.h5 --set compare.rtol=0.05
    awk -v width="$(cut -d ' ' -f 1 want)" -v c="$(cut -d ' ' -f 2 want)" '
        /^loss / && / t=2$/ { d = $9 / width - 1; e = $5 / c - 1; f = $8 / c - 1; found = 1
            if (d * d > 1e-4 || e * e > 1e-4 || f * f > 1e-4) exit 1 }
        END { exit !found }' out
}

@test "a 1/N^2 is noticed, and two sizes know nothing of one" {
    mine 50,100,200,400 30 >want
    tool validate theory.h5 mine.h5 --set compare.rtol=0.05
    grep -E '^loss .*from [0-9.]+ +t=2$' out || explain "no bend"
    mine 100,200 30 >want
    tool validate theory.h5 mine.h5 --set compare.rtol=0.5
    grep -E '^loss .* - +- +t=2$' out || explain "two sizes"
}

@test "sizes that are none, and networks without standard errors, are refused in one line" {
    mine 100,200 0 >want
    local size
    for size in -5 0; do
        "$PYTHON" -c "import h5py; h5py.File('mine.h5', 'r+')['size'][0] = $size"
        refused 2 "size $size" "> 0" -- validate theory.h5 mine.h5
    done
    mine 100,200 0 >want
    "$PYTHON" -c "import h5py; del h5py.File('mine.h5', 'r+')['loss_se']"
    refused 2 "standard error x_se" -- validate theory.h5 mine.h5
}

@test "a single size has no second table" {
    mine 100 0 >want
    tool validate theory.h5 mine.h5 --set compare.rtol=0.5
    ! grep -q "coefficient of 1/N" out
}
