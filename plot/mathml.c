/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plot/mathml.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "plot/html.h"

enum { TOKEN_SIZE = 128, DEPTH = 16 };

/* Names that stand for one sign, each before it. */
static const char SIGNS[] =
    " alpha α beta β gamma γ delta δ epsilon ε zeta ζ eta η theta θ kappa κ lambda λ mu μ nu ν xi "
    "ξ "
    "pi π rho ρ sigma σ tau τ phi φ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Sigma Σ "
    "Phi Φ Psi Ψ Omega Ω inf ∞ ";

/* Names that are written upright, as functions are. */
static const char *const FUNCTIONS[] = {"log", "cosh", "sin",  "cos", "exp", "det", "tr",
                                        "min", "max",  "prod", "Var", "Cov", "Im",  "Re"};

typedef struct {
    const char *at;
    FILE *out;
    int depth; /* of rows in rows */
    int means; /* how many <x> are open */
} reader;

/* The sign of a name, up to the next space; NULL: it has none. */
static const char *sign_of(const char *name, size_t length) {
    char key[TOKEN_SIZE];
    snprintf(key, sizeof key, " %.*s ", (int)length, name);
    const char *found = strstr(SIGNS, key);
    return found != NULL ? found + strlen(key) : NULL;
}

static bool is_function(const char *name, size_t length) {
    for (size_t i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++)
        if (strlen(FUNCTIONS[i]) == length && strncmp(FUNCTIONS[i], name, length) == 0)
            return true;
    return false;
}

static void element(FILE *out, const char *tag, const char *text, size_t length) {
    char piece[TOKEN_SIZE];
    snprintf(piece, sizeof piece, "%.*s", (int)length, text);
    fprintf(out, "<%s>", tag);
    nnd_html_text(out, piece);
    fprintf(out, "</%s>", tag);
}

static size_t length_while(const char *text, int (*is)(int)) {
    size_t n = 0;
    while (text[n] != '\0' && is((unsigned char)text[n]))
        n++;
    return n;
}

static int is_digit(int c) {
    return isdigit(c) || c == '.';
}

static int is_of_identifier(int c) {
    return islower(c) || isdigit(c) || c == '_';
}

/* The length of a name of a variable of a file (weight_decay) at the beginning of a text; 0: what
 * is there is a symbol, maybe with an index (Lambda_k, lambda_max). */
static size_t identifier_length(const char *text) {
    size_t word = length_while(text, islower);
    if (word <= 2 || text[word] != '_' || !islower((unsigned char)text[word + 1]) ||
        sign_of(text, word) != NULL)
        return 0;
    return length_while(text, is_of_identifier);
}

/* True for the article: a word follows. */
static bool is_article(const char *text) {
    size_t word = text[0] == 'a' && text[1] == ' ' ? length_while(text + 2, isalpha) : 0;
    return word > 2 && sign_of(text + 2, word) == NULL && !is_function(text + 2, word);
}

/* An identifier, a letter, a Greek one with digits behind it (gamma0), a function, or a word. */
static void write_name(reader *r) {
    size_t letters = length_while(r->at, isalpha), identifier = identifier_length(r->at);
    if (identifier > 0 || is_article(r->at)) {
        letters = identifier > 0 ? identifier : letters;
        element(r->out, "mtext", r->at, letters);
        r->at += letters;
        return;
    }
    const char *sign = sign_of(r->at, letters), *name = r->at;
    size_t digits = length_while(name + letters, isdigit);
    r->at += letters + digits;
    if (digits > 0)
        fputs("<msub>", r->out);
    if (sign != NULL)
        fprintf(r->out, "<mi>%.*s</mi>", (int)strcspn(sign, " "), sign);
    else if (letters <= 2 || is_function(name, letters))
        element(r->out, "mi", name, letters);
    else
        element(r->out, "mtext", name, letters);
    if (digits > 0) {
        element(r->out, "mn", name + letters, digits);
        fputs("</msub>", r->out);
    }
}

static void write_row(reader *r, char end);

/* Behind _ or ^: what is in braces or parentheses, or one sign with its sign. */
static void write_script(reader *r);

/* What a sign stands for; NULL: itself. Nothing here is higher than a line, so that brackets need
 * not grow. */
static const char *operator_of(char c) {
    static const char *const signs[] = {
        "-", "<mo>−</mo>",
        ".", "<mo>⋅</mo>",
        "|", "<mo stretchy=\"false\" lspace=\"0\" rspace=\"0\">|</mo>",
        "(", "<mo stretchy=\"false\">(</mo>",
        ")", "<mo stretchy=\"false\">)</mo>",
    };
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i += 2)
        if (c == *signs[i])
            return signs[i + 1];
    return NULL;
}

/* Brackets of a mean, <x>, of which the first stands close to what is in them; "k-th"; a sign. */
static void write_operator(reader *r) {
    const char *sign = operator_of(*r->at);
    if (*r->at == '<' && r->at[1] != ' ' && r->at[1] != '\0') {
        r->means++;
        sign = "<mo stretchy=\"false\">⟨</mo>";
    } else if (*r->at == '>' && r->means > 0) {
        r->means--;
        sign = "<mo stretchy=\"false\">⟩</mo>";
    } else if (strncmp(r->at, "-th ", 4) == 0)
        sign = "<mtext>-</mtext>";
    /* A character of several bytes, a letter, stays whole. */
    size_t n = 1;
    while (((unsigned char)r->at[n] & 0xc0) == 0x80)
        n++;
    if (sign != NULL)
        fputs(sign, r->out);
    else
        element(r->out, n > 1 ? "mi" : "mo", r->at, n);
    r->at += n;
}

/* sqrt(...), a name, a number, what is in braces, or a sign. */
static void write_atom(reader *r) {
    unsigned char c = (unsigned char)*r->at;
    bool opens = r->depth < DEPTH;
    if (opens && strncmp(r->at, "sqrt(", 5) == 0) {
        r->at += 5;
        fputs("<msqrt>", r->out);
        write_row(r, ')');
        fputs("</msqrt>", r->out);
    } else if (strncmp(r->at, "sum", 3) == 0 && !isalpha((unsigned char)r->at[3])) {
        r->at += 3;
        fputs("<mo>∑</mo>", r->out);
    } else if (opens && c == '{') {
        r->at++;
        write_row(r, '}');
    } else if (isalpha(c)) {
        write_name(r);
    } else if (isdigit(c)) {
        size_t n = length_while(r->at, is_digit);
        element(r->out, "mn", r->at, n);
        r->at += n;
    } else
        write_operator(r);
}

static void write_script(reader *r) {
    fputs("<mrow>", r->out);
    if (*r->at == '(' && r->depth < DEPTH) {
        r->at++;
        write_row(r, ')');
    } else if (*r->at != '\0') {
        if (*r->at == '-' || *r->at == '+') {
            fprintf(r->out, "<mo>%s</mo>", *r->at == '-' ? "−" : "+");
            r->at++;
        }
        if (isalnum((unsigned char)*r->at) || *r->at == '{' || (unsigned char)*r->at >= 0x80)
            write_atom(r);
    }
    fputs("</mrow>", r->out);
}

/* True for a star that belongs to the name before it (beta*), not between two factors. */
static bool is_star(const char *at) {
    return *at == '*' && isalnum((unsigned char)at[-1]);
}

/* The element that the mark behind an atom makes of it; NULL: there is no mark. */
static const char *script_at(const char *at) {
    if (*at == '_')
        return "msub";
    return *at == '^' || *at == '\'' || is_star(at) ? "msup" : NULL;
}

static void write_mark(reader *r) {
    char mark = *r->at++;
    if (mark == '*' || mark == '\'')
        fprintf(r->out, "<mo>%s</mo>", mark == '*' ? "*" : "′");
    else
        write_script(r);
}

/* What a function writes, to be freed; NULL: out of memory. */
static char *captured(reader *r, void (*write)(reader *r)) {
    char *text = NULL;
    size_t size;
    FILE *out = r->out;
    r->out = open_memstream(&text, &size);
    if (r->out != NULL) {
        write(r);
        fclose(r->out);
    }
    r->out = out;
    return text;
}

/* An atom and its marks, each of which wraps what stands before it. */
static void write_scripted(reader *r) {
    char *text = captured(r, write_atom);
    for (const char *tag; text != NULL && (tag = script_at(r->at)) != NULL;) {
        char *script = captured(r, write_mark), *whole = NULL;
        if (script == NULL || asprintf(&whole, "<%s>%s%s</%s>", tag, text, script, tag) < 0)
            whole = NULL;
        free(script);
        free(text);
        text = whole;
    }
    if (text != NULL)
        fputs(text, r->out);
    else
        r->at += strlen(r->at);
    free(text);
}

/* Up to the closing `end`, or the end of the text. */
static void write_row(reader *r, char end) {
    fputs("<mrow>", r->out);
    r->depth++;
    while (*r->at != '\0' && *r->at != end) {
        if (*r->at == ' ') {
            r->at++;
            fputs("<mspace width=\"0.28em\"/>", r->out);
        } else if (*r->at == '(' && end != '\0' && r->depth < DEPTH) {
            write_operator(r);
            write_row(r, ')');
            fputs(operator_of(')'), r->out);
        } else
            write_scripted(r);
    }
    r->at += *r->at == end && end != '\0';
    r->depth--;
    fputs("</mrow>", r->out);
}

void nnd_mathml_write(const char *formula, FILE *out) {
    reader r = {.at = formula, .out = out};
    fputs("<math>", out);
    write_row(&r, '\0');
    fputs("</math>", out);
}
