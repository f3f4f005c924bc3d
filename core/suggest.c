/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/suggest.h"

#include <stdio.h>
#include <string.h>

/* Longer words are names of nothing here. */
enum { LONGEST = 64 };

static size_t min(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Optimal string alignment: d_ij = min(d_(i-1)j + 1, d_i(j-1) + 1, d_(i-1)(j-1) + [a_i != b_j]),
 * and d_(i-2)(j-2) + 1 where two neighbours are exchanged. */
static size_t distance(const char *a, size_t m, const char *b, size_t n) {
    size_t d[LONGEST + 1][LONGEST + 1];
    for (size_t i = 0; i <= m; i++)
        for (size_t j = 0; j <= n; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            d[i][j] =
                min(min(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[m][n];
}

void nnd_suggest(nnd_suggestion *s, const char *prefix, const char *name) {
    size_t m = strlen(s->word), n = strlen(name);
    if (m > LONGEST || n > LONGEST)
        return;
    /* One slip in three letters is a misspelling, more is another word. */
    size_t slips = distance(s->word, m, name, n);
    if (slips > (m + 1) / 3 || (s->text[0] != '\0' && slips >= s->distance))
        return;
    s->distance = slips;
    snprintf(s->text, sizeof s->text, "did you mean %s%s? ", prefix, name);
}
