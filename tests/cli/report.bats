#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Reports: one page that stands alone, whatever the files hold.

load helper

setup() {
    enter
    tiny_case
}

# page FILE: fails unless elements nest and close, ids are unique, and nothing is fetched or run.
page() {
    "$PYTHON" - "$1" <<'PYTHON'
import html.parser
import sys

ALONE = {"meta", "br", "link", "img", "input"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.text = [], set(), []

    def handle_starttag(self, tag, attributes):
        assert tag not in ("script", "link", "img", "iframe", "object", "embed", "base"), tag
        for key, value in attributes:
            assert not key.startswith("on"), (tag, key)
            if key in ("src", "srcset", "action", "data"):
                raise AssertionError((tag, key, value))
            if key in ("href", "xlink:href"):
                assert value.startswith("#") or value.startswith("file:///"), value
            if key == "id":
                assert value not in self.ids, value
                self.ids.add(value)
            if key == "xlink:href":
                self.text.append(value)
        if tag not in ALONE:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in ALONE:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (self.open[-3:], tag, self.getpos())
        self.open.pop()


text = open(sys.argv[1], encoding="utf-8").read()
parsed = Page()
parsed.feed(text)
parsed.close()
assert parsed.open == [], parsed.open
for used in parsed.text:
    assert used[1:] in parsed.ids, used
PYTHON
}

@test "a report says what was asked, what came out, and how to do it again" {
    sed -i '1i # Does a small network follow theory?\n# Twice <b>.' case.yaml
    works run case.yaml
    works report case.h5 -o page.html
    says err "wrote page.html"
    page page.html
    local line
    for line in "Does a small network follow theory?" "Twice &lt;b&gt;." "variables agree" \
        "excess test risk" "<svg role" "<math>" "deep-linear.md#s2-4" "gamma0: 1" \
        "nndmft run case.yaml" "<title>"; do
        grep -qF "$line" page.html || explain "no $line"
    done
}

@test "a theory alone, a simulation alone and several files have their pages" {
    works solve case.yaml -o theory.h5
    works simulate case.yaml -o mc.h5
    works report theory.h5 mc.h5
    page report.html
    says report.html "Theory alone" "A simulation alone"
    [ "$(grep -c '<section>' report.html)" -eq 2 ]
}

@test "what a foreign file holds is shown as text" {
    need_python h5py numpy
    "$PYTHON" - <<'PYTHON'
import h5py
import numpy

evil = "<script>alert(1)</script>"
with h5py.File("evil.h5", "w") as file:
    file["t"] = numpy.arange(4.0)
    for name in ("x", "x_se"):
        file[name] = numpy.ones(4)
        file[name].dims[0].attach_scale(file["t"]) if name != "t" else None
        file[name].attrs["long_name"] = evil
    file.attrs["model"] = evil
    file.attrs["history"] = "\" onload=\"alert(1)"
    file.attrs["nndmft_version"] = evil
    file.attrs["file_schema_version"] = 1
    file.attrs["case"] = "name: '</pre><img src=x onerror=alert(1)>'\n"
    file.copy("x", file.create_group("mc"))
    file["mc/t"] = numpy.arange(4.0)
PYTHON
    tool report evil.h5 -o evil.html
    if [ "$status" -eq 0 ]; then
        page evil.html
    else
        [ ! -e evil.html ]
    fi
}

@test "what cannot be reported is one line, and no page is left" {
    refused 5 absent.h5 -- report absent.h5
    works run case.yaml
    refused 2 case.h5 -- report case.h5 -o case.h5
    refused 5 /nowhere -- report case.h5 -o /nowhere/page.html
    [ ! -e report.html ]
}
