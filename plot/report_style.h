/* SPDX-License-Identifier: GPL-3.0-or-later */
/** How a report looks: on a screen of any width, in a dark theme, on paper. */
#ifndef NNDMFT_PLOT_REPORT_STYLE_H
#define NNDMFT_PLOT_REPORT_STYLE_H

/* Up to the title. Nothing may be fetched, and no script runs, even if a text of a file slipped
 * through. */
#define NND_REPORT_HEAD                                                                            \
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"                          \
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "                  \
    "style-src 'unsafe-inline'\">\n"                                                               \
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"                   \
    "<title>nndmft: "

/* From there to the first result. A dark theme turns the lightness of pictures, not their hues. */
#define NND_REPORT_STYLE                                                                           \
    "</title>\n<style>\n"                                                                          \
    ":root { --ink: #1b1f24; --paper: #fff; --soft: #57606a; --line: #d0d7de;\n"                   \
    "  --good: #116329; --bad: #a40e26; --open: #7d4e00; --link: #0550ae }\n"                      \
    "@media screen and (prefers-color-scheme: dark) { :root { color-scheme: dark;\n"               \
    "  --ink: #e6edf3; --paper: #141414; --soft: #a3adb8; --line: #3d444d; --good: #56d364;\n"     \
    "  --bad: #ff8f8f; --open: #e3b341; --link: #79c0ff }\n"                                       \
    "  figure svg { filter: invert(.92) hue-rotate(180deg) } }\n"                                  \
    "body { margin: 0; background: var(--paper); color: var(--ink);\n"                             \
    "  font: 16px/1.55 system-ui, sans-serif; overflow-wrap: break-word }\n"                       \
    "main { max-width: 62rem; margin: auto; padding: 1rem }\n"                                     \
    "h1 { font-size: 1rem; color: var(--soft); margin: 0 } h2 { margin: 1rem 0 .3rem }\n"          \
    "h3 { margin: 2rem 0 .6rem; border-bottom: 1px solid var(--line) }\n"                          \
    "section + section { margin-top: 4rem }\n"                                                     \
    "a { color: var(--link) } code, pre { font: .88em/1.45 ui-monospace, monospace }\n"            \
    "math { font-family: \"STIX Two Math\", \"Latin Modern Math\", \"Cambria Math\",\n"            \
    "  \"DejaVu Math TeX Gyre\", math; font-size: 1.05em; white-space: nowrap }\n"                 \
    "th code, figcaption code { color: var(--soft); font-weight: normal;\n"                        \
    "  overflow-wrap: anywhere }\n"                                                                \
    ".note, .model, caption, dt, footer { color: var(--soft) }\n"                                  \
    ".good { color: var(--good) } .bad { color: var(--bad) } .open { color: var(--open) }\n"       \
    "td.good, td.bad, td.open { font-weight: 600 }\n"                                              \
    ".wide { overflow-x: auto } table { border-collapse: collapse; width: 100% }\n"                \
    "caption { text-align: left; padding: .3rem 0 }\n"                                             \
    "th, td { text-align: left; padding: .35rem .8rem .35rem 0; vertical-align: top;\n"            \
    "  border-bottom: 1px solid var(--line) } th[scope=row] { min-width: 9rem; font-weight: 600 "  \
    "}\n"                                                                                          \
    ".n { text-align: right; font-variant-numeric: tabular-nums }\n"                               \
    ".n:last-child { padding-right: 0 } .place, td.n { white-space: nowrap }\n"                    \
    ".pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(21rem, 1fr));\n"   \
    "  gap: 1rem 1.5rem } figure { margin: 0; overflow-x: auto; max-width: 30rem }\n"              \
    "figure.broad { grid-column: 1 / -1; max-width: none }\n"                                      \
    "figure svg { background: #fff; width: 100%; height: auto } .v { fill: #000; opacity: 0 }\n"   \
    "figure.broad svg { min-width: 34rem; max-width: 52rem }\n"                                    \
    "figcaption { font-size: .9em } pre { white-space: pre-wrap; overflow-wrap: anywhere;\n"       \
    "  padding: .8rem; border: 1px solid var(--line); border-radius: 4px }\n"                      \
    "dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem }\n"              \
    "dd { margin: 0; overflow-wrap: anywhere } footer { margin: 3rem 0 1rem }\n"                   \
    "@media (max-width: 40rem) { table { font-size: .85rem } h2 { font-size: 1.3rem } }\n"         \
    "@media print { body { font-size: 10pt } main { padding: 0; max-width: none }\n"               \
    "  h3, figure, tr, dl { break-inside: avoid } h2, h3, h3 + p, caption, thead { break-after: "  \
    "avoid }\n"                                                                                    \
    "  .pictures { display: block; orphans: 1; widows: 1 } figure { margin-bottom: .8rem; "        \
    "display: inline-block; width: 49%;\n"                                                         \
    "  vertical-align: top; overflow: visible } figure.broad { width: 100% }\n"                    \
    "  figure.broad svg { min-width: 0; max-height: 24cm } .wide { overflow: visible }\n"          \
    "  details::details-content { content-visibility: visible; block-size: auto }\n"               \
    "  pre { border: 0; padding: 0 } section + section { break-before: page; margin: 0 } }\n"      \
    "</style></head><body><main>\n<h1>nndmft report</h1>\n"

#endif
