/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The command `spectrum`: matrices of files, grouped by name, and what is found about them. */
#ifndef NNDMFT_CLI_SPECTRUM_H
#define NNDMFT_CLI_SPECTRUM_H

#include "cli.h"
#include "nndmft/solvers/spectrum.h"

/** A matrix at one checkpoint. */
typedef struct {
    const char *path; /**< of the file */
    const nnd_matrices *file;
    size_t entry; /**< in the file */
    double step;
    bool zero;                  /**< it is 0 throughout: there is no spectrum */
    nnd_spectrum spectrum;      /**< empty (count 0) until analysed */
    bool compared;              /**< `change` is there */
    nnd_spectrum_change change; /**< since the checkpoint before all others */
} cli_checkpoint;

/** A matrix by its name, at the checkpoints that have it. */
typedef struct {
    const char *name;
    const nnd_matrix_info *info; /**< of the first checkpoint */
    size_t count;
    cli_checkpoint *at;
    cli_checkpoint init;    /**< of --init; file NULL: there is none */
    nnd_spectrum_null null; /**< of the first series of each shape; draws 0: of an earlier one */
} cli_series;

/** All that a command looks at. */
typedef struct {
    size_t file_count;
    nnd_matrices **file;
    nnd_matrices *init_file;
    size_t left_out; /**< arrays that are no matrices */
    bool steps;      /**< files, or their matrices, are checkpoints */
    size_t count;
    cli_series *series;
} cli_spectra;

/** Opens the files of the arguments and of --init, and groups the matrices that --dataset names
 *  (all). Free with cli_spectra_clear, which takes half-made ones. */
NND_MUST_USE nnd_status cli_spectra_open(nnd_context *ctx, const cli_options *options,
                                         cli_spectra *spectra);
void cli_spectra_clear(cli_spectra *spectra);
/** The checkpoint that others of a series are held against; NULL: there are no others. */
cli_checkpoint *cli_series_before(cli_series *series);

/** What is found about a series: one frame, owned by the caller. */
NND_MUST_USE nnd_status cli_spectrum_frame(nnd_context *ctx, const cli_spectra *spectra,
                                           const cli_series *series, nnd_frame **frame);
/** Draws the last checkpoint of a series, of which this is the frame: its singular values over the
 *  fitted bulk. NND_OK without a picture if there is no bulk. */
NND_MUST_USE nnd_status cli_spectrum_draw(nnd_context *ctx, const cli_series *series,
                                          const nnd_frame *frame, const char *path);
/** Tables for people. */
void cli_spectrum_report(const cli_spectra *spectra, FILE *out);

#endif
