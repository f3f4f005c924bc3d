#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# nndmft spectrum: matrices that other programs wrote, and networks of our own.

load helper

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    need_python numpy h5py
    "$PYTHON" - <<'PYTHON'
import json
import struct

import h5py
import numpy as np

rng = np.random.default_rng(1)
plain = rng.normal(size=(300, 200)) / np.sqrt(300)
left = rng.normal(size=300)
right = rng.normal(size=200)
left /= np.linalg.norm(left)
right /= np.linalg.norm(right)
spiked = plain + 3 * np.outer(left, right)
more = plain + 4 * np.outer(left, right)
torch = rng.normal(size=(8, 4, 3, 3))
keras = rng.normal(size=(3, 3, 4, 8))

np.savez("stored.npz", fc=spiked.astype("f4"), bias=np.zeros(3), conv=torch.astype(">f8"))
np.savez_compressed("deflated.npz", fc=np.asfortranarray(spiked), conv=torch)
np.savez("before.npz", fc=plain, conv=torch)
np.savez("after.npz", fc=more, conv=torch)
np.save("half.npy", spiked.astype("f2"))
with h5py.File("keras.h5", "w") as file:
    file.attrs["keras_version"] = "2.9.0"
    group = file.create_group("model_weights")
    group.create_dataset("dense/dense/kernel:0", data=spiked)
    group.create_dataset("dense/dense/bias:0", data=np.zeros(200))
    group.create_dataset("conv2d/conv2d/kernel:0", data=keras.astype("f4"))

# A .safetensors file byte by byte: length of the header, header, numbers.
bf16 = (spiked.astype("<f4").view("<u4") >> 16).astype("<u2")
parts = {"fc": ("F32", spiked.astype("<f4")), "low": ("BF16", bf16), "b": ("F16", np.zeros(3, "<f2"))}
header, data = {"__metadata__": {"format": "pt"}}, b""
for name, (dtype, array) in parts.items():
    raw = array.tobytes()
    header[name] = {"dtype": dtype, "shape": list(array.shape),
                    "data_offsets": [len(data), len(data) + len(raw)]}
    data += raw
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
open("model.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + data)
np.savetxt("matrix.csv", spiked, delimiter=",")

np.savez("expected.npz", spiked=spiked, torch=torch, keras=keras,
         bf16=(bf16.astype("<u4") << 16).view("<f4"))
PYTHON
}

setup() {
    enter
    need_python numpy h5py
    cp "$BATS_FILE_TMPDIR"/* .
}

# singular FILE.json NAME EXPRESSION TOLERANCE: singular values are those that NumPy finds.
singular() {
    "$PYTHON" - "$@" <<'PYTHON'
import json
import sys

import numpy as np

path, name, expression, tolerance = sys.argv[1:]
frame = json.load(open(path))[name]
got = np.array(frame["data_vars"]["singular"]["data"])
matrix = eval(expression, {"np": np, "at": np.load("expected.npz")})
want = np.linalg.svd(matrix, compute_uv=False)
assert got.shape == want.shape, (got.shape, want.shape)
assert np.allclose(got, want, rtol=0, atol=float(tolerance) * want[0]), np.abs(got - want).max()
PYTHON
}

@test "matrices of .npz files, stored or deflated, in any order and byte order" {
    works spectrum stored.npz --format json
    mv out stored.json
    # 300 x 200 numbers in single precision: singular values move by their norm times 6e-8.
    singular stored.json fc 'at["spiked"]' 1e-6
    singular stored.json conv 'at["torch"].reshape(8, 36)' 1e-13
    says err "left out: 1 array"
    works spectrum deflated.npz --format json
    mv out deflated.json
    singular deflated.json fc 'at["spiked"]' 1e-13
    singular deflated.json conv 'at["torch"].reshape(8, 36)' 1e-13
}

@test "an .npy file in half precision, and a table" {
    works spectrum half.npy --format json
    mv out half.json
    singular half.json data 'at["spiked"].astype("f2").astype("f8")' 1e-13
    works spectrum matrix.csv --format json
    mv out csv.json
    singular csv.json data 'at["spiked"]' 1e-13
}

@test "weights of Keras in HDF5, whose kernels are unfolded to outputs x (height width inputs)" {
    works spectrum keras.h5 --format json
    mv out keras.json
    singular keras.json 'model_weights/dense/dense/kernel:0' 'at["spiked"]' 1e-13
    singular keras.json 'model_weights/conv2d/conv2d/kernel:0' \
        'at["keras"].astype("f4").astype("f8").reshape(36, 8).T' 1e-13
}

@test "a .safetensors file from its published layout" {
    works spectrum model.safetensors --format json
    mv out model.json
    singular model.json fc 'at["spiked"].astype("f4").astype("f8")' 1e-13
    singular model.json low 'at["bf16"].astype("f8")' 1e-13
}

@test "a spike is an outlier, whose vectors are found again after training" {
    works spectrum stored.npz after.npz --dataset fc
    says out "bulk sd" "<1e-16"
    works spectrum stored.npz after.npz --dataset fc --format json
    "$PYTHON" - <<'PYTHON'
import json

frame = json.load(open("out"))["fc"]
data = {name: array["data"] for name, array in frame["data_vars"].items()}
assert frame["coords"]["step"]["data"] == [0, 1]
assert data["outliers"] == [1, 1]
assert data["p_value"][1][0] < 1e-12 and data["p_value"][1][1] > 0.005
assert data["bulk_shift"][0] is None and abs(data["bulk_shift"][1]) < 1e-4
assert data["left_overlap"][1][0][0] > 0.9 and data["right_overlap"][1][0][0] > 0.9
PYTHON
}

@test "--init compares with the matrices before training" {
    works spectrum stored.npz --init before.npz --format json
    "$PYTHON" - <<'PYTHON'
import json

frames = json.load(open("out"))
fc = {name: array["data"] for name, array in frames["fc"]["data_vars"].items()}
# One row and one column less, and a spike: the bulk has not moved by a spacing of eigenvalues.
assert 0 < fc["init_ks"] < 0.02 and fc["init_p_value"] > 0.05
assert abs(fc["edge_shift"]) < 3 * fc["edge_shift_se"]
conv = {name: array["data"] for name, array in frames["conv"]["data_vars"].items()}
assert conv["bulk_shift"] == 0 and conv["edge_shift"] == 0
PYTHON
    refused 2 "model.safetensors: has no matrix conv" -- spectrum stored.npz \
        --init model.safetensors
}

@test "-o writes a group for each matrix, which xarray opens" {
    need_python xarray h5netcdf
    works spectrum stored.npz keras.h5 --dataset fc -o spectra.h5
    says err "wrote spectra.h5"
    "$PYTHON" - <<'PYTHON'
import xarray

data = xarray.open_dataset("spectra.h5", group="fc", engine="h5netcdf")
assert data["singular"].dims == ("step", "k")
assert data.attrs["matrix"] == "fc" and data.attrs["shape"] == "300 x 200"
width = float(data["s"][1] - data["s"][0])
assert abs(float(data["histogram_sv"][0].sum()) * width - 1) < 1e-12
PYTHON
}

# What theory knows nothing of: real networks, before and after training.
@test "weights of our own networks are analysed at every recorded time" {
    local model
    for model in "deep-linear, params: {depth: 2, steps: 6, record: [0, 3, 6], ntk: false}" \
        "wide-mlp, params: {depth: 2, activation: tanh, steps: 6, record: [0, 3, 6], data: {generate: gaussian, samples: 3, dim: 8}}"; do
        case_file own.yaml <<<"{model: $model, simulate: {size: 24, seeds: 2, storage: weights}}"
        works simulate own.yaml -q --force
        works spectrum own.h5 --dataset 'W1[size=24]' --format json
        "$PYTHON" - <<'PYTHON'
import json

import h5py
import numpy as np

frame = json.load(open("out"))["W1[size=24]"]
assert frame["coords"]["step"]["data"] == [0, 3, 6]
with h5py.File("own.h5") as file:
    weights = file["mc/weights/W1"][0]
want = np.linalg.svd(weights, compute_uv=False)
got = np.array(frame["data_vars"]["singular"]["data"])
assert np.allclose(got, want, rtol=0, atol=1e-13 * want.max())
assert frame["data_vars"]["edge_shift"]["data"][0] is None
assert frame["data_vars"]["edge_shift"]["data"][2] is not None
PYTHON
    done
}

@test "the same bits for any number of threads" {
    works spectrum stored.npz keras.h5 deflated.npz --threads 1 --format json
    mv out one
    works spectrum stored.npz keras.h5 deflated.npz --threads 4 --format json
    cmp one out
}

@test "what cannot be read is refused in one line" {
    "$PYTHON" - <<'PYTHON'
import numpy as np
import h5py

a = np.ones((4, 3))
a[2, 1] = np.nan
np.save("nan.npy", a)
np.save("complex.npy", np.ones((4, 3), dtype="c16"))
np.save("pickled.npy", np.array([[1, None], [2, 3]], dtype=object))
np.save("empty.npy", np.ones((0, 3)))
np.save("large.npy", np.full((9, 9), 1e200))
np.savez("vectors.npz", a=np.ones(3), b=np.ones(4))
open("short.npz", "wb").write(open("stored.npz", "rb").read()[:-200])
raw = bytearray(open("stored.npz", "rb").read())
raw[5000] ^= 1
open("flipped.npz", "wb").write(raw)
with h5py.File("outside.h5", "w") as file:
    file["w"] = h5py.ExternalLink("keras.h5", "/model_weights/dense/dense/kernel:0")
with h5py.File("vast.h5", "w") as file:
    file.create_dataset("vast", shape=(10**6, 10**6), chunks=(1000, 1000))
    file["w"] = np.eye(20)
PYTHON
    refused 2 "nan.npy: data: row 2, column 1 is not a number" -- spectrum nan.npy
    refused 2 "complex.npy: data is complex" -- spectrum complex.npy
    refused 2 "pickled.npy: data holds Python objects" -- spectrum pickled.npy
    refused 2 "empty.npy: data is empty" -- spectrum empty.npy
    refused 2 "large.npy: data: the largest entry of the matrix has the size 1e+200; allowed: 1e-120 to 1e+120" -- \
        spectrum large.npy
    refused 2 "vast.h5: vast needs 8e+03 GB" -- spectrum vast.h5 --dataset vast
    works spectrum vast.h5 --dataset w
    refused 2 "vectors.npz: none of its 2 arrays is a matrix: a is a vector" -- spectrum vectors.npz
    refused 5 "short.npz: is damaged, or not a zip archive" -- spectrum short.npz
    refused 5 "flipped.npz: fc.npy: is damaged: its checksum is wrong" -- spectrum flipped.npz
    refused 2 "outside.h5: /w is a link to another file" -- spectrum outside.h5
    refused 2 "stored.npz: has no matrix \"fd\"; did you mean fc" -- spectrum stored.npz --dataset fd
    refused 2 "stored.npz: bias is a vector" -- spectrum stored.npz --dataset bias
    refused 2 "half.npy: data needs 0.0" -- spectrum half.npy --memory 0.001
    refused 5 "none.npz: cannot be opened" -- spectrum none.npz
    printf 'not a file of weights' >model.pt
    refused 5 "model.pt: is not an HDF5 file" -- spectrum model.pt
    refused 2 "is the input, not to be replaced" -- spectrum stored.npz -o stored.npz
    tiny_case
    works simulate case.yaml -q
    refused 2 "case.h5: is a result without weights" -- spectrum case.h5
}

@test "a matrix of zeros has no spectrum, and says so" {
    "$PYTHON" -c 'import numpy as np; np.savez("zero.npz", a=np.zeros((4, 3)), b=np.eye(4))'
    works spectrum zero.npz
    says out "0 throughout"
    works spectrum zero.npz --format json
    "$PYTHON" -c 'import json; f = json.load(open("out"))["b"]; assert f["data_vars"]["outliers"]["data"] is None'
    "$PYTHON" -c 'import json; f = json.load(open("out"))["a"]; assert f["data_vars"]["bulk_sigma"]["data"] is None'
}

@test "outliers far beyond the bulk do not squeeze its picture" {
    "$PYTHON" -c 'import numpy as np; a = np.random.default_rng(1).normal(size=(60, 40)); a[0] *= 1e4; np.save("far.npy", a)'
    works spectrum far.npy --pictures far
    says err "data: not drawn: 1 outlier beyond 10 times the bulk"
    [ "$(grep -c ">[0-9]*0000<" far/001-data.svg)" -eq 0 ]
}

@test "what cannot be written is known before the work" {
    refused 5 "nowhere/: No such file or directory" -- spectrum nan.npy -o nowhere/x.h5
    refused 5 "half.npy: Not a directory" -- spectrum nan.npy --pictures half.npy
    refused 5 "nowhere/x: No such file or directory" -- spectrum nan.npy --pictures nowhere/x
}

@test "checkpoints of different shapes, and files with steps of their own, are refused" {
    "$PYTHON" -c 'import numpy as np; np.savez("other.npz", fc=np.eye(7))'
    refused 2 "other.npz: fc is 7 x 7 here, and 300 x 200 before it" -- spectrum stored.npz other.npz
    case_file own.yaml <<<"{model: deep-linear, params: {steps: 2}, simulate: {size: 12, seeds: 1, storage: weights}}"
    works simulate own.yaml -q
    refused 2 "steps of its own" -- spectrum own.h5 stored.npz
    refused 2 "it has: W0[size=12], W1[size=12]" -- spectrum own.h5 --dataset W
}

@test "names of strangers do nothing to the terminal" {
    "$PYTHON" - <<'PYTHON'
import json
import struct

import numpy as np

name = "a\x1b[31m\nnndmft: b"
text = json.dumps({name: {"dtype": "F64", "shape": [12, 10], "data_offsets": [0, 960]}}).encode()
numbers = np.random.default_rng(1).normal(size=(12, 10)).tobytes()
open("evil.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + numbers)
PYTHON
    works spectrum evil.safetensors
    says out 'a\x1B[31m\x0Anndmft: b'
    works spectrum evil.safetensors --pictures pictures
    [ -e pictures/001-a__31m_nndmft__b.svg ]
}
