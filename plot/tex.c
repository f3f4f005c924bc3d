/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plot/tex.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Signs beyond ASCII, each before its command. */
static const char SIGNS[] =
    " α alpha β beta γ gamma δ delta ε epsilon ζ zeta η eta θ theta κ kappa λ lambda μ mu ν nu ξ "
    "xi "
    "π pi ρ rho σ sigma τ tau φ phi χ chi ψ psi ω omega Γ Gamma Δ Delta Θ Theta Λ Lambda Σ Sigma "
    "Φ Phi Ψ Psi Ω Omega ∞ infty ⟨ langle ⟩ rangle ± pm × times − mathord{-} ℓ ell √ surd "
    "₀ !_0 ₁ !_1 ₂ !_2 ₃ !_3 ² !^2 ³ !^3 ∑ sum ∂ partial ";

static size_t bytes_of(const char *text) {
    size_t n = 1;
    while (((unsigned char)text[n] & 0xC0) == 0x80)
        n++;
    return n;
}

/* A sign as a formula; what TeX may not know stays itself. */
static void write_sign(const char *sign, size_t bytes, FILE *out) {
    char key[16];
    snprintf(key, sizeof key, " %.*s ", (int)bytes, sign);
    const char *found = strstr(SIGNS, key);
    if (found == NULL) {
        fprintf(out, "%.*s", (int)bytes, sign);
        return;
    }
    found += strlen(key);
    /* Scripts have no name of their own. */
    bool script = *found == '!';
    fprintf(out, "\\ensuremath{%s%.*s}", script ? "{}" : "\\", (int)strcspn(found + script, " "),
            found + script);
}

static void write_text(const char *text, size_t length, FILE *out) {
    for (size_t i = 0; i < length; i += bytes_of(text + i)) {
        char c = text[i];
        if (((unsigned char)c & 0x80) != 0)
            write_sign(text + i, bytes_of(text + i), out);
        else if (strchr("_%&#${}", c) != NULL)
            fprintf(out, "\\%c", c);
        else if (c == '^' || c == '~' || c == '\\')
            fprintf(out, "\\char`\\%c{}", c);
        else if (c == '<' || c == '>' || c == '|')
            fprintf(out, "\\ensuremath{%c}", c);
        else
            fputc(c, out);
    }
}

/* A number of a tic: 1.5\times10^{-3} between dollars, or a bare power of ten. */
static bool write_number(const char *text, size_t length, FILE *out) {
    static const char power[] = "10^{";
    size_t head = strlen(power);
    bool whole = length >= 2 && text[0] == '$' && text[length - 1] == '$' &&
                 strspn(text + 1, "-+.0123456789\\times^{}") == length - 2;
    bool bare = length > head && strncmp(text, power, head) == 0 &&
                strspn(text + head, "-0123456789") == length - head - 1;
    if (whole || bare)
        fprintf(out, "%s%.*s%s", bare ? "$" : "", (int)length, text, bare ? "$" : "");
    return whole || bare;
}

/* The line of a text, "\node[...] at (x,y) {TEXT};", of which TEXT may hold any sign. */
static bool write_node(const char *line, FILE *out) {
    const char *begin = strncmp(line, "\\node[", 6) == 0 ? strstr(line, ") {") : NULL;
    const char *end = begin != NULL ? strrchr(line, '}') : NULL;
    if (end == NULL || strcmp(end, "};\n") != 0)
        return false;
    begin += 3;
    size_t length = (size_t)(end - begin);
    fprintf(out, "%.*s", (int)(begin - line), line);
    if (!write_number(begin, length, out))
        write_text(begin, length, out);
    fputs(end, out);
    return true;
}

void nnd_tex_copy(FILE *tikz, FILE *out) {
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, tikz) >= 0)
        if (!write_node(line, out))
            fputs(line, out);
    free(line);
}
