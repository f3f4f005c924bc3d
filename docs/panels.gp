# SPDX-License-Identifier: GPL-3.0-or-later
# Alignment of pairs of networks over samples, in a folder with the results of six cases:
#     for c in alignment alignment-tanh alignment-classes alignment-digits alignment-digits-tanh alignment-digits-classes
#     do nndmft run data/cases/$c.yaml -o $c.h5 && nndmft export $c.h5 --group mc --var cosine,gen_error >$c.csv; done
#     for c in alignment alignment-digits; do nndmft export $c.h5 --var cosine >$c-theory.csv; done
#     gnuplot -c docs/panels.gp docs/panels.svg
# (the picture in docs/ has alignment at --set simulate.size=100 --set simulate.seeds=400)
set terminal svg size 1400,760 font "sans,13" background "white"
set output ARG1
# x, cosine, its standard error and the generalisation error at one signal-to-noise ratio; digits have 64 inputs
take = "NR == 1 {for (i = 1; i <= NF; i++) c[$i] = i} NR > 1 && $c[\"snr\"] == snr {" . \
    "print (\"alpha\" in c ? $c[\"alpha\"] : $c[\"samples\"]/64), $c[\"cosine\"], $c[\"cosine_se\"], $c[\"gen_error\"]}"
rows(name, snr) = sprintf("< awk -F, -v snr=%s '%s' %s.csv", snr, take, name)
names = "alignment alignment-tanh alignment-classes alignment-digits alignment-digits-tanh alignment-digits-classes"
array title[6] = ["linear, Gaussian inputs", "tanh, Gaussian inputs", "two classes, Gaussian inputs", \
    "linear, digits", "tanh, digits", "two classes, digits"]
array colour[3] = ["#0072b2", "#d55e00", "#009e73"]
ratios = "0.5 2 8"
set multiplot layout 2,3
set logscale x 2
set xrange [0.2:12]
set xtics (0.25, 0.5, 1, 2, 4, 8)
set yrange [0:1]
set ytics 0.25
set arrow 1 from 1, graph 0 to 1, graph 1 nohead lc rgb "grey80" back
set ytics nomirror
set logscale y2
set y2tics nomirror
unset key
curve = "for [i=1:3] rows(name, word(ratios, i)) using 1:2:3 with yerrorlines pt 7 ps 0.6 lc rgb colour[i]"
theory = "for [i=1:3] rows(name . '-theory', word(ratios, i)) using 1:2 with lines lw 2 dt 2 lc rgb 'black'"
error = "rows(name, '2') using 1:4 axes x1y2 with linespoints pt 6 ps 0.6 lc rgb 'grey50'"
do for [p=1:6] {
    name = word(names, p)
    set title title[p]
    set xlabel p > 3 ? "samples per dimension" : ""
    set ylabel p % 3 == 1 ? "cosine of the predictors" : ""
    set y2label p % 3 == 0 ? "generalisation error, SNR 2 (grey)" : ""
    unset label
    if (p == 1) {
        do for [i=1:3] { set label "SNR " . word(ratios, i) at 4.4, word("0.57 0.83 0.95", i) tc rgb colour[i] }
        set label "dashed: theory" at 1.2, 0.06
    }
    if (p % 3 == 1) {
        plot @curve, @theory, @error
    } else {
        plot @curve, @error
    }
}
unset multiplot
