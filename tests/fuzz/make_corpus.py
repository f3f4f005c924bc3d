# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes small HDF5 files in the old format, which has no checksums, as seeds: FOLDER."""
import os
import sys

import h5py
import numpy as np

folder = sys.argv[1]


def create(name):
    return h5py.File(os.path.join(folder, name + ".h5"), "w", libver="earliest")


def scaled(file, group, labels):
    """A group with one array over two dimension scales."""
    parent = file.create_group(group)
    parent["t"] = np.arange(3.0)
    parent["by"] = labels
    parent["loss"] = np.ones((len(labels), 3))
    parent["loss_se"] = np.ones((len(labels), 3), dtype="f4")
    for name in ("by", "t"):
        parent[name].make_scale(name)
    for name in ("loss", "loss_se"):
        parent[name].dims[0].attach_scale(parent["by"])
        parent[name].dims[1].attach_scale(parent["t"])
        parent[name].attrs["units"] = "1"
    return parent


def main():
    with create("result") as file:
        file.attrs["file_schema_version"] = 1
        file.attrs["nndmft_version"] = "0.1.0"
        file.attrs["model"] = "deep-linear"
        file.attrs["case"] = np.bytes_("model: deep-linear\n")
        for group in ("theory", "mc", "mc/seeds"):
            scaled(file, group, [0.5, 1.0])
    with create("fixed_labels") as file:
        scaled(file, "mc", np.array([b"one", b"two  "]))
    with create("labels") as file:
        scaled(file, "mc", ["one", "two"])
    with create("plain") as file:
        file["loss"] = np.arange(6, dtype=">i2").reshape(2, 3)
        file["pairs"] = np.zeros(2, dtype=[("a", "f8"), ("b", "i4")])
        file["none"] = h5py.Empty("f8")
        file["scalar"] = 1.5
        file["loss"].attrs["_FillValue"] = np.int16(3)
    with create("chunked") as file:
        file.create_dataset("loss", data=np.ones((8, 8)), chunks=(4, 8), compression="gzip",
                            shuffle=True, fletcher32=True)
    with create("links") as file:
        file["loss"] = [1.0]
        file["soft"] = h5py.SoftLink("/loss")
        file["dangling"] = h5py.SoftLink("/nowhere")
        file["outside"] = h5py.ExternalLink("other.h5", "/loss")
        file["again"] = file["/"]


main()
