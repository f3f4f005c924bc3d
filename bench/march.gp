# SPDX-License-Identifier: GPL-3.0-or-later
# Error, coordinates, time and memory of deep linear theory against the number of steps:
#     build/bench/bench march >march.txt && gnuplot -c bench/march.gp march.txt docs/march.svg
set terminal svg size 1400,365 font "sans,13" background "white"
set output ARG2
rows(tolerance) = sprintf("< awk '$1 == \"march\" && $3 == \"%s\"' %s", tolerance, ARG1)
pairs = sprintf("< awk '$1 == \"march\" && /all pairs/' %s", ARG1)
inputs(coordinates) = real(substr(coordinates, 1, strstrt(coordinates, "/") - 1))
tolerances = "1e-04 1e-06 1e-08"
array colour[3] = ["#0072b2", "#d55e00", "#009e73"]
set multiplot layout 1,4
set logscale xy
set format "10^{%T}"
set xlabel "steps"
set xrange [700:140000]
set key top left reverse Left samplen 1
set style line 1 lw 2 pt 7 ps 0.6
set title "error of the test risk"
set yrange [1e-11:1e-2]
plot for [i=1:3] rows(word(tolerances, i)) using 2:6 with linespoints ls 1 lc rgb colour[i] \
    title "tolerance " . word(tolerances, i)
unset key
set title "coordinates of the inputs"
set yrange [50:1000]
set format y "%g"
plot for [i=1:3] rows(word(tolerances, i)) using 2:(inputs(strcol(7))) with linespoints ls 1 lc rgb colour[i]
set title "seconds of one processor"
set key top left reverse Left samplen 1
set yrange [1e-3:1e3]
set format y "10^{%T}"
plot for [i=1:3] rows(word(tolerances, i)) using 2:4 with linespoints ls 1 lc rgb colour[i] notitle, \
    pairs using 2:4 with points pt 8 ps 1 lc rgb "black" title "all pairs of steps"
unset key
set title "megabytes"
set yrange [0.3:1e3]
set format y "%g"
plot for [i=1:3] rows(word(tolerances, i)) using 2:5 with linespoints ls 1 lc rgb colour[i], \
    pairs using 2:5 with points pt 8 ps 1 lc rgb "black"
unset multiplot
