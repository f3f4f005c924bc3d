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
                assert not set(value) & set(" ,<>\"'"), value
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
        "excess test risk" "<svg role" "<math>" "deep-linear.md#s2-4\">deep-linear 2.4<" "gamma0: 1" \
        "nndmft run case.yaml" "<title>nndmft: case</title>"; do
        grep -qF "$line" page.html || explain "no $line"
    done
}

@test "every variable has a picture with a caption and a legend that is complete" {
    echo 'sweep: {gamma0: [0.5, 1, 2]}' >>case.yaml
    works run case.yaml --set params.spectrum=false --set "simulate.size=[16, 24]"
    works report case.h5
    page report.html
    local name
    for name in test_risk train_mse overlap beta_norm2 g_norm2 h_norm2; do
        [ "$(grep -c "<figcaption>.*<code>$name</code>" report.html)" -eq 1 ] || explain "$name"
    done
    # Whether an entry has room in a legend is for gnuplot to say.
    local pictures
    pictures=$(grep -c "<figure" report.html)
    [ "$(grep -c '<text>γ₀ = ' report.html)" -eq $((3 * pictures)) ]
    [ "$(grep -c '<text>simulation, size ' report.html)" -eq $((2 * pictures)) ]
    [ "$(grep -c '<text>layer = ' report.html)" -eq 4 ]
    # Values are told, names that gnuplot gives its curves are not.
    grep -q '<circle class="v".*<title>[0-9.e-]* ± [0-9.e-]*</title></circle>' report.html
    ! grep -q '<title>gnuplot' report.html
}

@test "what the verdicts come to is one sentence" {
    need_python h5py
    works run case.yaml --set "compare.vars=[test_risk, overlap, g_norm2]"
    works report case.h5
    says report.html "Theory and simulation agree" "3 of 3 variables agree."
    tool run case.yaml -o off.h5 --set "compare={rtol: 1e-9, vars: [test_risk, overlap, outlier]}" \
        --set simulate.size=4 --set simulate.seeds=4000
    [ "$status" -eq 4 ]
    works report off.h5
    says report.html "Theory and simulation disagree" "0 of 3 variables agree, 2 disagree, 1 cannot"
    # What is no verdict of this version is no agreement either.
    "$PYTHON" -c "
import h5py
with h5py.File('case.h5', 'r+') as file:
    file['compare/overlap_diff'].attrs['verdict'] = 'fine'"
    works report case.h5
    says report.html "Nothing contradicts theory" "2 of 3 variables agree, 1 cannot be decided"
}

@test "a theory alone, a simulation alone and several files have their pages" {
    works solve case.yaml -o theory.h5
    works simulate case.yaml -o mc.h5
    works report theory.h5 mc.h5
    page report.html
    says report.html "Theory alone" "A simulation alone"
    [ "$(grep -c '<section ' report.html)" -eq 2 ]
    says report.html '<a href="#result-1">' '<a href="#result-2">' 'id="result-2"'
}

@test "answers that a search has left in the file have a table" {
    case_file rate.yaml <<'YAML'
model: two-layer-fluctuations
params: {activation: linear, steps: 6, record: [6],
  data: {gram: [[1, 0.6, 0.3], [0.6, 1, 0.2], [0.3, 0.2, 1]], targets: [1, -0.5, 0.3]}}
YAML
    works transfer rate.yaml --width 100 --param lr=0.8:1.4 --points 8 -o rate.h5
    works report rate.h5
    page report.html
    says report.html "width&nbsp;=&nbsp;inf" "width&nbsp;=&nbsp;100" "rate at the edge of stability"
    # The row of the best rate, of which the table of transfer has the first digits.
    local rate
    works transfer rate.yaml --width 100 --param lr=0.8:1.4 --points 8
    rate=$(awk 'NR == 3 { print substr($2, 1, 5) }' out)
    sed -n '/<code>best_rate</,/<\/tr>/p' report.html | grep -q ">$rate[0-9]* ± "
    # Nothing is known of networks: no row.
    ! grep -q network_rate report.html
}

@test "tidy and a browser have nothing to say about a page" {
    command -v tidy >/dev/null && command -v chromium >/dev/null || skip "no tidy or chromium"
    works run case.yaml
    works report case.h5
    tidy -q -e report.html
    # Nothing that a page must not do: neither an error of its own nor one of its policy.
    chromium --headless --no-sandbox --disable-gpu --user-data-dir="$PWD/browser" \
        --host-resolver-rules="MAP * ~NOTFOUND" --enable-logging=stderr --v=0 --dump-dom \
        "file://$PWD/report.html" >dom 2>log
    grep -q "</footer>" dom
    ! grep CONSOLE log
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
    # Room for a picture, not for the page: as on a full disk.
    works report case.h5 -o whole.html
    local limit
    for limit in 1 100; do
        status=0
        (ulimit -f $limit && exec "$NNDMFT" report case.h5 -o page.html) >out 2>err || status=$?
        one_line_error 5 page.html "File too large"
        [ ! -e page.html ]
    done
}
