# SPDX-License-Identifier: GPL-3.0-or-later
"""Fails if words of a PDF lie on each other or leave its page: texts_apart.py FILE."""
import re
import subprocess
import sys

NUMBER = r"(-?[\d.]+)"
# Boxes of words are those of their fonts, a little higher than what is seen of the letters.
OVERLAP = 0.25

told = subprocess.run(["pdftotext", "-bbox", "-q", sys.argv[1], "-"], check=True,
                      capture_output=True, text=True).stdout
page = re.search(rf'<page width="{NUMBER}" height="{NUMBER}"', told)
width, height = map(float, page.groups())
words = [(*map(float, box[:4]), box[4]) for box in re.findall(
    rf'<word xMin="{NUMBER}" yMin="{NUMBER}" xMax="{NUMBER}" yMax="{NUMBER}">(.*?)</word>', told)]
assert len(words) > 4, f"{sys.argv[1]}: {len(words)} words"
for left, top, right, bottom, word in words:
    if left < 0 or top < -1 or right > width or bottom > height + 1:
        sys.exit(f"{sys.argv[1]}: {word} leaves the page")
for i, a in enumerate(words):
    for b in words[i + 1:]:
        across = min(a[2], b[2]) - max(a[0], b[0])
        down = min(a[3], b[3]) - max(a[1], b[1])
        line = min(a[3] - a[1], a[2] - a[0], b[3] - b[1], b[2] - b[0])
        if across > 0.5 and down > OVERLAP * line:
            sys.exit(f"{sys.argv[1]}: {a[4]} lies on {b[4]}")
