/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

nnd_case *test_case(nnd_context *ctx, const char *yaml) {
    /* Some OpenMP runtimes forget the number of threads in a forked child, and every test is one.
     */
    openblas_set_num_threads(1);
    nnd_value *tree = NULL;
    nnd_case *c = NULL;
    nnd_status status = nnd_yaml_read_text(ctx, "test", yaml, &tree);
    if (status == NND_OK)
        status = nnd_case_resolve(ctx, tree, &(nnd_case_source){.stem = "test"}, &c);
    nnd_value_free(tree);
    if (status != NND_OK)
        ck_abort_msg("%s", nnd_context_message(ctx));
    return c;
}

nnd_frame *test_theory(nnd_context *ctx, const char *yaml) {
    nnd_case *c = test_case(ctx, yaml);
    nnd_frame *frame = NULL;
    nnd_status status = nnd_theory_run(ctx, c, NULL, &frame);
    nnd_case_free(c);
    if (status < NND_OK)
        ck_abort_msg("%s", nnd_context_message(ctx));
    return frame;
}

nnd_frame *test_solve(nnd_context *ctx, const char *model, const char *params) {
    size_t room = strlen(model) + strlen(params) + sizeof "{model: , params: {}}";
    char *yaml = malloc(room);
    snprintf(yaml, room, "{model: %s, params: {%s}}", model, params);
    nnd_frame *frame = test_theory(ctx, yaml);
    free(yaml);
    return frame;
}

/* Index of "name=value" along a dimension. */
static size_t coordinate(const nnd_dim *dim, const char *coordinates) {
    size_t length = strlen(dim->name);
    for (const char *at = coordinates; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, dim->name, length) != 0 || at[length] != '=')
            continue;
        char wanted[64], text[64];
        snprintf(wanted, sizeof wanted, "%.*s", (int)strcspn(at + length + 1, ","),
                 at + length + 1);
        for (size_t i = 0; i < dim->length; i++) {
            nnd_coord_text(dim, i, sizeof text, text);
            if (strcmp(text, wanted) == 0)
                return i;
        }
        if (dim->kind != NND_COORD_TEXT)
            for (size_t i = 0; i < dim->length; i++)
                if (fabs(dim->value[i] - atof(wanted)) < 1e-12)
                    return i;
    }
    ck_abort_msg("no coordinate of %s in %s", dim->name, coordinates);
    return 0;
}

double test_value(const nnd_frame *frame, const char *name, const char *coordinates) {
    const nnd_array *array = nnd_frame_find(frame, name);
    ck_assert_msg(array != NULL, "no array %s", name);
    size_t at = 0;
    for (size_t k = 0; k < array->ndims; k++)
        at = at * array->shape[k] + coordinate(nnd_frame_dim(frame, array->dim[k]), coordinates);
    return array->data[at];
}

double test_se(const nnd_frame *frame, const char *name, const char *coordinates) {
    char se[64];
    snprintf(se, sizeof se, "%s_se", name);
    return nnd_frame_find(frame, se) != NULL ? test_value(frame, se, coordinates) : 0.0;
}

static bool same_dims(const nnd_frame *a, const nnd_frame *b) {
    if (nnd_frame_dim_count(a) != nnd_frame_dim_count(b))
        return false;
    for (size_t i = 0; i < nnd_frame_dim_count(a); i++) {
        const nnd_dim *x = nnd_frame_dim(a, i), *y = nnd_frame_find_dim(b, x->name);
        if (y == NULL || x->length != y->length)
            return false;
        for (size_t j = 0; j < x->length; j++)
            if (!nnd_coord_equal(x, j, y, j))
                return false;
    }
    return true;
}

bool test_frames_identical(const nnd_frame *a, const nnd_frame *b) {
    if (!same_dims(a, b) || nnd_frame_array_count(a) != nnd_frame_array_count(b))
        return false;
    for (size_t i = 0; i < nnd_frame_array_count(a); i++) {
        const nnd_array *x = nnd_frame_array(a, i), *y = nnd_frame_find(b, x->name);
        if (y == NULL || x->count != y->count)
            return false;
        for (size_t j = 0; j < x->count; j++)
            if (memcmp(&x->data[j], &y->data[j], sizeof(double)) != 0 &&
                !(isnan(x->data[j]) && isnan(y->data[j])))
                return false;
    }
    return true;
}

int test_main(Suite *suite) {
    openblas_set_num_threads(1);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

void test_close(const char *what, double got, double want, double rtol) {
    double error = fabs(got - want) / (want != 0.0 ? fabs(want) : 1.0);
    ck_assert_msg(error <= rtol, "%s: want %.10g, got %.10g, error %.2g > %.2g", what, want, got,
                  error, rtol);
}
