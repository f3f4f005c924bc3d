# SPDX-License-Identifier: GPL-3.0-or-later
"""Fails if words of a PDF lie on each other or leave its page: texts_apart.py FILE."""
import re
import subprocess
import sys

NUMBER = r"(-?[\d.]+)"
# Boxes of words are those of their fonts, a little higher than what is seen of the letters.
OVERLAP = 0.25
# What stands so close that it reads as one word.
JOINED = re.compile("[-\u2212]?\\d*\\.\\d+[-\u2212]?\\d*\\.\\d*|\\d+\u2212\\d+")


def fail(why):
    """Names the file."""
    sys.exit(f"{sys.argv[1]}: {why}")


# Letters beyond the page are not told, and so words that leave it would seem shorter: it is made
# larger, in as many bytes.
with open(sys.argv[1], "rb") as file:
    pdf = file.read()
box = re.search(rb"/MediaBox \[ 0 0 (\d+) (\d+) \]", pdf)
width, height = map(int, box.groups())
right_end, top_end = (int("9" * len(part)) for part in box.groups())
larger = b"/MediaBox [-9 -9 %d %d]" % (right_end, top_end)
pdf = pdf[:box.start()] + larger.ljust(len(box.group())) + pdf[box.end():]

told = subprocess.run(["pdftotext", "-bbox", "-q", "-", "-"], check=True, input=pdf,
                      capture_output=True).stdout.decode()
words = []
for found in re.findall(rf'<word xMin="{NUMBER}" yMin="{NUMBER}" xMax="{NUMBER}" yMax="{NUMBER}">'
                        "(.*?)</word>", told):
    left, top, right, bottom = map(float, found[:4])
    # From the corner of the page itself.
    words.append((left - 9, top - (top_end - height), right - 9, bottom - (top_end - height),
                  found[4]))
if len(words) <= 4:
    fail(f"{len(words)} words")
for left, top, right, bottom, word in words:
    if left < 0 or top < -1 or right > width or bottom > height + 1:
        fail(f"{word} leaves the page")
    if JOINED.fullmatch(word):
        fail(f"two numbers read as {word}")
for i, a in enumerate(words):
    for b in words[i + 1:]:
        across = min(a[2], b[2]) - max(a[0], b[0])
        down = min(a[3], b[3]) - max(a[1], b[1])
        line = min(a[3] - a[1], a[2] - a[0], b[3] - b[1], b[2] - b[0])
        if across > 0.5 and down > OVERLAP * line:
            fail(f"{a[4]} lies on {b[4]}")
