/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Files: cases (YAML), results (HDF5), tables (CSV, JSON), pictures (gnuplot). */
#ifndef NNDMFT_IO_H
#define NNDMFT_IO_H

#include <stdio.h>

#include "nndmft/api.h"
#include "nndmft/case.h"
#include "nndmft/compare.h"
#include "nndmft/frame.h"
#include "nndmft/store.h"

NND_API_BEGIN

/* ---- case files ---- */

/**
 * Reads a YAML file of at most 2 MiB into a tree whose nodes know their file:line:column; "-" is
 * the standard input. An interrupt of the context ends it.
 */
NND_MUST_USE nnd_status nnd_yaml_read_file(nnd_context *ctx, const char *path, nnd_value **tree);
/**
 * The comment that a case file begins with, without its marks and without lines of licences, as
 * text of several lines; NULL where there is none, for "-", and when the file cannot be read. Owned
 * by the caller (free).
 */
char *nnd_yaml_comment(const char *path);
/** Reads YAML text of at most 8 MiB; `name` stands for the file in messages. */
NND_MUST_USE nnd_status nnd_yaml_read_text(nnd_context *ctx, const char *name, const char *text,
                                           nnd_value **tree);
/** Applies an override such as "params.gamma0=2" to a tree; null as value removes the key. */
NND_MUST_USE nnd_status nnd_yaml_override(nnd_context *ctx, nnd_value *tree,
                                          const char *assignment);
/**
 * Writes a tree as YAML text, which reads back as an equal tree whatever its texts hold; NULL when
 * out of memory. Owned by the caller (free).
 */
char *nnd_yaml_text(const nnd_value *tree);

/**
 * Reads a data file that a case names: every array of an HDF5 file (at its root, or in /mc), or of
 * a CSV table (ending in .csv, names in the first line) every column, of .npy, .npz and
 * .safetensors every array of one or two dimensions. An nnd_data_reader.
 */
NND_MUST_USE nnd_status nnd_data_file_read(nnd_context *ctx, const char *path, nnd_frame **arrays);

/* ---- result files ---- */

/** Major version of the file layout; files of a newer one are refused. */
enum { NND_FILE_SCHEMA = 1 };

/** What a result file holds; absent groups are NULL. */
typedef struct {
    nnd_frame *theory, *mc, *compare;
    nnd_frame *seeds;     /**< group /mc/seeds: every seed */
    nnd_frame *influence; /**< group /mc/influence: what groups of seeds contribute */
    nnd_frame *weights;   /**< group /mc/weights: matrices of seed 0 */
    nnd_frame *answers;   /**< group /answers: what nnd_transfer found */
    char *case_text;      /**< the resolved case as YAML */
    char *model;          /**< name of the model */
    char *version;        /**< of the nndmft that wrote it */
    char *created;        /**< ISO 8601, UTC */
    char *history;        /**< the command line */
    char *question;       /**< what the case file says before its first key; NULL: nothing */
} nnd_result;

/** Frees what a result holds and zeroes it. */
void nnd_result_clear(nnd_result *result);
/** Writes a result file: temporary name, fsync, rename; an old file stays whole until then. */
NND_MUST_USE nnd_status nnd_result_write(nnd_context *ctx, const char *path,
                                         const nnd_result *result);
/**
 * Reads a result file. A file without nndmft's attributes is read as a user's own simulation: the
 * arrays at its root, or in its group /mc, become `mc`.
 */
NND_MUST_USE nnd_status nnd_result_read(nnd_context *ctx, const char *path, nnd_result *result);
/** Sets the attributes long_name, units and equation of a model's variables on a frame. */
NND_MUST_USE nnd_status nnd_result_annotate(nnd_frame *frame, const nnd_model *model);

/**
 * A store of frames as HDF5 files in a folder, which is made if it is not there. Every file carries
 * the digest; one that carries another is refused with NND_E_INPUT, or, with `force`, counts as
 * missing. NND_E_IO if another process has the store open.
 */
NND_MUST_USE nnd_status nnd_folder_store_open(nnd_context *ctx, const char *folder,
                                              const char *digest, bool force, nnd_store **store);
/** Closes a store; NULL is allowed. The files stay. */
void nnd_folder_store_close(nnd_store *store);

typedef struct nnd_output nnd_output;
/**
 * Opens a file for writing under a temporary name beside `path`, or beside the file that a link
 * leads to, whether that is there or not. Temporaries of `path` whose writers were killed go.
 */
NND_MUST_USE nnd_status nnd_output_open(nnd_context *ctx, const char *path, nnd_output **output);
/** The temporary name. */
const char *nnd_output_path(const nnd_output *output);
/** fsync and rename to the final name (keep), or removal (!keep); frees the output. */
NND_MUST_USE nnd_status nnd_output_close(nnd_context *ctx, nnd_output *output, bool keep);

typedef struct nnd_output_lock nnd_output_lock;
/**
 * Waits until no other process holds the lock of the file `path`, and takes it; NND_E_INTERRUPTED
 * if the context is interrupted meanwhile. Who changes a part of a file reads it, and writes it
 * again, under this lock. To be given to nnd_output_unlock in any case, also after a failure.
 */
NND_MUST_USE nnd_status nnd_output_lock_wait(nnd_context *ctx, const char *path,
                                             nnd_output_lock **lock);
/** Gives the lock back; NULL is allowed. */
void nnd_output_unlock(nnd_output_lock *lock);

/* ---- tables and pictures ---- */

/** Which arrays of a frame; count 0: all. */
typedef nnd_texts nnd_selection;

/** One row per point of arrays that share their dimensions; see docs/files.md. */
NND_MUST_USE nnd_status nnd_csv_write(nnd_context *ctx, const nnd_frame *frame,
                                      const nnd_selection *vars, FILE *out);
/** The shape of xarray's Dataset.to_dict(); NaN and infinity are null. */
NND_MUST_USE nnd_status nnd_json_write(nnd_context *ctx, const nnd_frame *frame,
                                       const nnd_selection *vars, FILE *out);
/** Several frames, each with a name; borrowed. */
typedef struct {
    size_t count;
    const char **name;
    nnd_frame **frame;
} nnd_named_frames;
/** All of them as one JSON object: by its name each as nnd_json_write has it. */
NND_MUST_USE nnd_status nnd_json_write_all(nnd_context *ctx, const nnd_named_frames *frames,
                                           FILE *out);
/**
 * All of them as an HDF5 file, each in a group of its own, with the attributes of provenance. A
 * group is called as its frame; '/' in a name is '.' there, and what would be a second group of one
 * name gets a number. `history`: the command line, or NULL.
 */
NND_MUST_USE nnd_status nnd_frames_write(nnd_context *ctx, const char *path, const char *history,
                                         const nnd_named_frames *frames);
/**
 * Writes text of unknown origin (names, attributes, coordinates of foreign files) for people's
 * eyes: what could move the cursor, begin a line or turn the direction of writing, and bytes that
 * are not UTF-8, are spelled out as \x1B or \u202E. Returns the number of characters written.
 */
size_t nnd_print_visible(FILE *out, const char *text);
/** The same, followed by spaces up to `width` characters. */
void nnd_print_padded(FILE *out, const char *text, size_t width);
/** Table of a comparison for people. */
void nnd_report_comparison(const nnd_comparison *comparison, FILE *out);
/** What it would take to notice an error; `change` names it, as "params.sigma = 1.03 times". */
void nnd_report_detection(const nnd_comparison *comparison, const nnd_detection *detection,
                          const char *change, FILE *out);

/** What a picture is for: a screen, a column of a paper, whose caption says what it shows, or a
 *  slide. */
typedef enum { NND_STYLE_WEB, NND_STYLE_PAPER, NND_STYLE_TALK } nnd_plot_style;

/** How a picture is made. */
typedef struct {
    nnd_selection vars; /**< empty: those of the view */
    const char *view;   /**< NULL: chosen from what the file holds */
    bool log_x, log_y;
    bool hover; /**< of SVG: points tell their values (hypertext of gnuplot) */
    nnd_plot_style style;
    double width;     /**< of the picture, in cm, from 4 to 100; 0: that of the style */
    const char *font; /**< a family, of letters, digits, spaces and hyphens; NULL: sans */
} nnd_plot_options;

/** Draws theory as lines and simulation as points with error bars; the ending of `path` (svg, pdf,
 *  png, eps, or tex for LaTeX with gnuplot-lua-tikz; large letters too) chooses the format. */
NND_MUST_USE nnd_status nnd_plot(nnd_context *ctx, const nnd_result *result,
                                 const nnd_plot_options *options, const char *path);
/** Lists the views and variables that a file can be plotted with. */
void nnd_plot_list(const nnd_result *result, FILE *out);
/** The i-th view that a file can be plotted with; NULL past the last. */
const char *nnd_plot_view(const nnd_result *result, size_t i);

/** What a report is about; borrowed. */
typedef struct {
    size_t count; /**< at least 1 */
    const nnd_result *result;
    const char *const *path; /**< of the file of each; NULL: it is in no file */
    const char *documents;   /**< address of the folder that has theory/PAGE.md; NULL: no links */
} nnd_report;
/**
 * Writes one page of HTML that needs nothing else, neither files nor network nor scripts: of each
 * result the question, the verdicts and what they mean, a picture of each variable of each view,
 * equations, numerical errors, the case and where it comes from. Texts of the files are text,
 * whatever they hold. The width of the page may be that of a phone; it prints, and follows a dark
 * theme.
 */
NND_MUST_USE nnd_status nnd_report_write(nnd_context *ctx, const nnd_report *report, FILE *out);

NND_API_END

#endif
