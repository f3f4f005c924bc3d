/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Text of unknown origin in a page. */
#ifndef NNDMFT_PLOT_HTML_H
#define NNDMFT_PLOT_HTML_H

#include <stdio.h>

/** Writes text so that it is text, in an element or between the quotes of an attribute. What has no
 *  place in a page, as control characters and bytes that are not UTF-8, is spelled out. */
void nnd_html_text(FILE *out, const char *text);

#endif
