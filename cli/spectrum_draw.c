/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The picture of a matrix: its singular values in boxes over the law of its bulk, drawn as the
 * model `spectrum` draws a law beside a network. */
#include <string.h>

#include "spectrum.h"

/* Takes an array over `s` of the last checkpoint from a frame of cli_spectrum_frame. */
static nnd_status take_density(const nnd_frame *from, const char *name, const char *matrix,
                               nnd_frame *to) {
    const nnd_array *array = nnd_frame_find(from, name);
    const nnd_dim *s = nnd_frame_find_dim(from, "s");
    double *x = NULL;
    nnd_status status = nnd_frame_add_text_dim(to, "matrix", 1, &matrix);
    if (status == NND_OK)
        status = nnd_frame_copy_dim(to, s);
    if (status == NND_OK)
        status = nnd_frame_add(to, "density_sv", "matrix,s", &x);
    if (status == NND_OK)
        memcpy(x, array->data + array->count - s->length, s->length * sizeof *x);
    return status;
}

/* In units of the bulk: with outliers that are further out nothing would be seen of it. */
static const double FARTHEST = 10.0;

/* How many outliers are too far out; the largest come first. */
static size_t far_out(const nnd_spectrum *spectrum) {
    size_t k = 0;
    while (k < spectrum->outliers && spectrum->singular[k] > FARTHEST * spectrum->bulk.upper)
        k++;
    return k;
}

static nnd_status add_marks(const nnd_spectrum *spectrum, nnd_frame *theory) {
    double *outlier = NULL;
    size_t first = far_out(spectrum), count = spectrum->outliers - first;
    size_t room = count > 0 ? count : 1; /* NaN: there is none */
    nnd_status status = nnd_frame_add_scalar(theory, "bulk_upper", spectrum->bulk.upper);
    if (status == NND_OK)
        status = nnd_frame_add_range(theory, "spike", room, 1.0);
    if (status == NND_OK)
        status = nnd_frame_add(theory, "outlier_sv", "spike", &outlier);
    for (size_t k = 0; status == NND_OK && k < count; k++)
        outlier[k] = spectrum->singular[first + k];
    return status;
}

static nnd_status fill(const cli_series *series, const nnd_frame *frame, nnd_result *picture) {
    const nnd_spectrum *last = &series->at[series->count - 1].spectrum;
    nnd_status status = take_density(frame, "density_sv", series->name, picture->theory);
    if (status == NND_OK)
        status = add_marks(last, picture->theory);
    if (status == NND_OK)
        status = take_density(frame, "histogram_sv", series->name, picture->mc);
    const nnd_model *model = nnd_model_find(picture->model);
    if (status == NND_OK)
        status = nnd_result_annotate(picture->theory, model);
    return status == NND_OK ? nnd_result_annotate(picture->mc, model) : status;
}

nnd_status cli_spectrum_draw(nnd_context *ctx, const cli_series *series, const nnd_frame *frame,
                             const char *path) {
    char model[] = "spectrum", view[] = "spectrum";
    nnd_result picture = {.model = model};
    if (series->at[series->count - 1].zero || nnd_frame_find(frame, "density_sv") == NULL) {
        nnd_log(ctx, NND_LOG_NOTE, "%s: not drawn: it has no bulk", series->name);
        return NND_OK;
    }
    nnd_status status = nnd_frame_new(ctx, &picture.theory);
    if (status == NND_OK)
        status = nnd_frame_new(ctx, &picture.mc);
    if (status == NND_OK)
        status = fill(series, frame, &picture);
    if (status == NND_OK)
        status = nnd_plot(ctx, &picture, &(nnd_plot_options){.view = view}, path);
    size_t beyond = far_out(&series->at[series->count - 1].spectrum);
    if (status == NND_OK && beyond > 0)
        nnd_log(ctx, NND_LOG_NOTE, "%s: not drawn: %zu outlier%s beyond %.0f times the bulk",
                series->name, beyond, beyond > 1 ? "s" : "", FARTHEST);
    nnd_frame_free(picture.theory);
    nnd_frame_free(picture.mc);
    return status;
}
