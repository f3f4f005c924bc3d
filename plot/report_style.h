/* SPDX-License-Identifier: GPL-3.0-or-later */
/** How a report looks: on a screen of any width, in a dark theme, on paper. */
#ifndef NNDMFT_PLOT_REPORT_STYLE_H
#define NNDMFT_PLOT_REPORT_STYLE_H

/* Nothing may be fetched, and no script runs, even if a text of a file slipped through. */
#define NND_REPORT_HEAD                                                                            \
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"                          \
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "                  \
    "style-src 'unsafe-inline'\">\n"                                                               \
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"                   \
    "<title>nndmft report</title>\n<style>\n"                                                      \
    ":root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #57606a;\n"          \
    "  --line: #d0d7de; --good: #116329; --bad: #a40e26; --open: #7d4e00; --link: #0550ae }\n"     \
    "@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #12161c;\n"            \
    "  --soft: #9da7b3; --line: #3d444d; --good: #56d364; --bad: #ff8f8f; --open: #e3b341;\n"      \
    "  --link: #79c0ff } }\n"                                                                      \
    "body { margin: 0; background: var(--paper); color: var(--ink);\n"                             \
    "  font: 16px/1.55 system-ui, sans-serif }\n"                                                  \
    "main { max-width: 62rem; margin: auto; padding: 1rem }\n"                                     \
    "h1 { font-size: 1.3rem } h2 { font-size: 1.6rem; margin-bottom: .3rem }\n"                    \
    "h3 { margin: 2rem 0 .6rem; border-bottom: 1px solid var(--line) }\n"                          \
    "a { color: var(--link) } code, pre { font: .88em/1.45 ui-monospace, monospace }\n"            \
    "th code { color: var(--soft); font-weight: normal }\n"                                        \
    ".note, .model { color: var(--soft) }\n"                                                       \
    ".good { color: var(--good) } .bad { color: var(--bad) } .open { color: var(--open) }\n"       \
    "td.good, td.bad, td.open { font-weight: 600 }\n"                                              \
    ".wide { overflow-x: auto } table { border-collapse: collapse; width: 100% }\n"                \
    "caption { text-align: left; color: var(--soft); padding: .3rem 0 }\n"                         \
    "th, td { text-align: left; padding: .35rem .6rem .35rem 0; vertical-align: top;\n"            \
    "  border-bottom: 1px solid var(--line) } .n { text-align: right; white-space: nowrap;\n"      \
    "  font-variant-numeric: tabular-nums }\n"                                                     \
    "figure { margin: 1rem 0; overflow-x: auto } figure svg { background: #fff; width: 100%;\n"    \
    "  min-width: 34rem; height: auto; border-radius: 4px }\n"                                     \
    "figcaption { color: var(--soft) } pre { overflow-x: auto; padding: .8rem;\n"                  \
    "  border: 1px solid var(--line); border-radius: 4px }\n"                                      \
    "dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem }\n"              \
    "dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }\n"                        \
    "footer { color: var(--soft); margin: 3rem 0 1rem }\n"                                         \
    "@media print { body { font-size: 10pt } h3, figure, tr { break-inside: avoid }\n"             \
    "  h3 { break-after: avoid } figure svg { min-width: 0 } .wide { overflow: visible }\n"        \
    "  details > pre { display: block; white-space: pre-wrap } }\n"                                \
    "</style></head><body><main>\n<h1>nndmft report</h1>\n"

#endif
