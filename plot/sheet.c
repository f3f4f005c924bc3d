/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plot/sheet.h"

#include <ctype.h>
#include <string.h>

static const double PIXELS_PER_CM = 96.0 / 2.54, SCREEN_LETTER = 12.0;

/* On a screen. Room for axes, and what is said at them, grows with the letters. */
static nnd_sheet of_letters(double letter) {
    double s = letter / SCREEN_LETTER;
    return (nnd_sheet){
        .letter = letter,
        .sides = 120.0 * s,
        .gap = 0.6 * letter,
        .line = 1.2 * letter,
        .bar = letter,
        .top = 32.0 * s,
        .bottom = 54.0 * s,
        .right = 14.0 * s,
        .row = 17.5 * s,
        .stroke = 1.0,
        .cell_width = 340.0,
        .cell_height = 245.0,
    };
}

static nnd_sheet of_style(nnd_plot_style style) {
    if (style == NND_STYLE_WEB) {
        nnd_sheet screen = of_letters(SCREEN_LETTER);
        screen.head = 34.0;
        return screen;
    }
    /* Letters of 8 points in a column of 8.6 cm, of 16 on a slide of 25.4. */
    bool paper = style == NND_STYLE_PAPER;
    nnd_sheet sheet = of_letters(paper ? 10.667 : 21.333);
    sheet.below = true;
    sheet.width = (paper ? 8.6 : 25.4) * PIXELS_PER_CM;
    sheet.stroke = paper ? 0.7 : 1.8;
    return sheet;
}

static bool is_family(const char *font) {
    for (const char *c = font; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && *c != ' ' && *c != '-')
            return false;
    return *font != '\0' && strlen(font) < 64;
}

nnd_status nnd_sheet_make(nnd_context *ctx, const nnd_plot_options *options, nnd_sheet *sheet) {
    *sheet = of_style(options->style);
    if (options->width != 0.0 && !(options->width >= 4.0 && options->width <= 100.0))
        return nnd_fail(ctx, NND_E_INPUT, "--width %g: a picture is 4 to 100 cm wide",
                        options->width);
    if (options->font != NULL && !is_family(options->font))
        return nnd_fail(ctx, NND_E_INPUT,
                        "--font %.64s: the name of a family has letters, digits, spaces and "
                        "hyphens, fewer than 64",
                        options->font);
    if (options->width != 0.0)
        sheet->width = options->width * PIXELS_PER_CM;
    /* Cells of a given width are as wide as it lets them be. */
    if (sheet->width > 0.0)
        sheet->cell_width = 11.5 * sheet->letter;
    sheet->font = options->font != NULL ? options->font : "sans";
    return NND_OK;
}
