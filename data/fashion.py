#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes fashion.h5 from the images that Debian's package dataset-fashion-mnist ships.

Usage: fashion.py [FOLDER]    (needs python3-h5py)
The first 6000 of the training images and the first 1000 of the test images, 14 x 14 pixels, each the
rounded mean of 2 x 2: `pixels`, `pixels_test`, 0 to 1, stored as bytes (scale_factor). `label` and
`label_test` are the classes 0 to 9; `half` and `half_test` are 1 for classes 0 to 4, -1 for 5 to 9.
"""
import gzip
import os
import sys

import h5py
import numpy as np

FOLDER = "/usr/share/datasets/fashion-mnist"
CHOSEN = {"": ("train", 6000), "_test": ("t10k", 1000)}

SOURCE = (
    "H. Xiao, K. Rasul and R. Vollgraf (2017), Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine "
    "Learning Algorithms, arXiv:1708.07747, https://github.com/zalandoresearch/fashion-mnist "
    "(Debian package dataset-fashion-mnist 0.0~git20200523.55506a9-1)"
)
LICENSE = """Expat: Copyright 2017, Zalando SE, https://tech.zalando.com

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."""


def read(folder, name, header):
    with gzip.open(os.path.join(folder, name + "-ubyte.gz")) as source:
        return np.frombuffer(source.read(), np.uint8, offset=header)


def store(out, name, array, **attributes):
    stored = out.create_dataset(name, data=array, chunks=array.shape, compression=9, shuffle=True)
    stored.attrs.update(attributes)


source = sys.argv[1] if len(sys.argv) > 1 else FOLDER
target = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fashion.h5")
with h5py.File(target, "w") as out:
    for suffix, (part, count) in CHOSEN.items():
        images = read(source, part + "-images-idx3", 16).reshape(-1, 14, 2, 14, 2)[:count]
        label = read(source, part + "-labels-idx1", 8)[:count]
        pixels = np.round(images.mean(axis=(2, 4))).astype(np.uint8).reshape(count, 196)
        store(out, "pixels" + suffix, pixels, scale_factor=1 / 255)
        store(out, "label" + suffix, label)
        store(out, "half" + suffix, np.where(label < 5, 1, -1).astype(np.int8))
    out.attrs["title"] = "Fashion-MNIST, 14 x 14 pixels: 6000 images to train on, 1000 to test on"
    out.attrs["source"] = SOURCE
    out.attrs["license"] = LICENSE
    out.attrs["changes"] = "the first images, means of 2 x 2 pixels, rounded, by data/fashion.py"
