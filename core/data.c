/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The key `data` of a case: its table, and what makes data sound. */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/dataset.h"

#include "core/rows.h"

enum { TEXT_SIZE = 64 };

#define FIELD(type, name) NND_FIELD(type, nnd_data, name)
#define COUNT(least)                                                                               \
    { .min = (least), .max = 1e7 }

static const char *const GENERATES[] = {"none",     "gaussian",   "sphere",
                                        "whitened", "regression", NULL};
static const char *const TARGETS[] = {"linear", "sign", "quadratic", "random", "classes", NULL};

static const nnd_param TARGET_PARAMS[] = {
    {"kind", NND_FIELD(CHOICE, nnd_target, kind), "linear", NND_ANY,
     "what targets are of the projection of an input on a random direction (one for each output)",
     .choices = TARGETS},
    {"scale", NND_FIELD(REAL, nnd_target, scale), "1", NND_ANY, "factor of the targets"},
};
static const nnd_param_table TARGET_TABLE = NND_TABLE(TARGET_PARAMS, nnd_target);

static const nnd_param PARAMS[] = {
    {"gram", FIELD(DENSE, gram), "null", NND_ANY,
     "P x P, inner products of the training inputs over their dimension"},
    {"targets", FIELD(DENSE, targets), "null", NND_ANY,
     "P training targets; P x C with several outputs"},
    {"test_gram", FIELD(DENSE, test_gram), "null", NND_ANY,
     "test x P, the same between test and training inputs"},
    {"test_self", FIELD(DENSE, test_self), "null", NND_ANY,
     "the same of each test input with itself"},
    {"test_block", FIELD(DENSE, test_block), "null", NND_ANY, "test x test, instead of test_self"},
    {"test_targets", FIELD(DENSE, test_targets), "null", NND_ANY, "targets of the test samples"},
    {"labels", FIELD(DENSE, labels), "null", NND_ANY,
     "instead of targets: P classes 0, 1, ... of the training samples"},
    {"test_labels", FIELD(DENSE, test_labels), "null", NND_ANY, "classes of the test samples"},
    {"inputs", FIELD(DENSE, inputs), "null", NND_ANY, "P x D training inputs"},
    {"test_inputs", FIELD(DENSE, test_inputs), "null", NND_ANY, "test x D test inputs"},
    {"covariance", FIELD(DENSE, covariance), "null", NND_ANY,
     "d x d covariance of the inputs of population regression"},
    {"minimizer", FIELD(DENSE, minimizer), "null", NND_ANY,
     "d numbers, the best predictor of population regression"},
    {"file", FIELD(TEXT, file), "null", NND_ANY,
     "HDF5, CSV, NumPy or IDX file, relative to the case, in which named arrays stand"},
    {"rows", FIELD(INTEGERS, rows), "null", NND_BETWEEN(0, 1e12),
     "rows of the file to train on, from 0; all if absent"},
    {"test_rows", FIELD(INTEGERS, test_rows), "null", NND_BETWEEN(0, 1e12),
     "rows of the file to test on; of test_inputs if there are any, else of inputs"},
    {"positive", FIELD(INTEGERS, positive), "null", NND_BETWEEN(0, 1e12),
     "labels of the file that become class 1, all others class 0; absent: labels are the classes"},
    {"standardize", FIELD(BOOL, standardize), "false", NND_ANY,
     "shift and scale each input to mean 0 and variance 1 over the training samples"},
    {"checksum", FIELD(TEXT, checksum), "null", NND_ANY,
     "of the numbers taken from the file; another one is refused"},
    {"generate", FIELD(CHOICE, generate), "none", NND_ANY, "draw the inputs", .choices = GENERATES},
    {"samples", FIELD(INTEGER, samples), "8", COUNT(1), "generate: training samples P"},
    {"test_samples", FIELD(INTEGER, test_samples), "0", COUNT(0), "generate: test samples"},
    {"dim", FIELD(INTEGER, dim), "16", COUNT(1), "generate: dimension D of the inputs"},
    {"target", FIELD(GROUP, target), "linear", NND_ANY, "generate: what the targets are",
     .group = &TARGET_TABLE, .shorthand = "kind"},
    {"noise", FIELD(REAL, noise), "0", NND_NON_NEGATIVE,
     "generate: standard deviation of the noise on training targets"},
    {"seed", FIELD(INTEGER, seed), "1", NND_SEED_KEYS, "generate: key of the random numbers"},
};

const nnd_param_table nnd_data_table = NND_TABLE(PARAMS, nnd_data);

/* ---- checks ---- */

/* Deviations from symmetry and negative eigenvalues that are rounding. */
static const double SYMMETRY = 1e-12, DEFINITENESS = 1e-10;

static bool all_finite(const char *key, const nnd_dense *d, nnd_objection *o) {
    for (size_t i = 0; i < d->rows * d->cols; i++)
        if (!isfinite(d->value[i]))
            return nnd_object(o, key, "row %zu, column %zu is %g; allowed: finite numbers",
                              i / d->cols, i % d->cols, d->value[i]);
    return true;
}

static bool shaped(const char *key, const nnd_dense *d, size_t rows, size_t cols,
                   nnd_objection *o) {
    if (d->rows != rows || d->cols != cols)
        return nnd_object(o, key, "%zu x %zu numbers; allowed: %zu x %zu", d->rows, d->cols, rows,
                          cols);
    return all_finite(key, d, o);
}

static bool symmetric(const char *key, const nnd_dense *d, nnd_objection *o) {
    size_t n = d->rows;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            double a = d->value[i * n + j], b = d->value[j * n + i];
            if (fabs(a - b) > SYMMETRY * fmax(fabs(a), fabs(b)))
                return nnd_object(o, key, "is not symmetric: entries (%zu, %zu) are %g and %g", i,
                                  j, a, b);
        }
    return true;
}

/* Destroys a (n x n, lower triangle). */
static bool semidefinite(const char *key, size_t n, double *a, nnd_objection *o) {
    double *value = calloc(n, sizeof *value);
    if (value == NULL)
        return nnd_object(o, key, "out of memory");
    bool done =
        LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'N', 'L', (lapack_int)n, a, (lapack_int)n, value) == 0 &&
        value[0] >= -DEFINITENESS * fmax(value[n - 1], 0.0);
    if (!done)
        (void)nnd_object(o, key, "is no Gram matrix: its smallest eigenvalue is %g, the largest %g",
                         value[0], value[n - 1]);
    free(value);
    return done;
}

static bool check_gram(const char *key, const nnd_dense *d, nnd_objection *o) {
    double *copy = NULL;
    if (!shaped(key, d, d->rows, d->rows, o) || !symmetric(key, d, o))
        return false;
    copy = malloc(d->rows * d->rows * sizeof *copy);
    if (copy == NULL)
        return nnd_object(o, key, "out of memory");
    memcpy(copy, d->value, d->rows * d->rows * sizeof *copy);
    bool done = semidefinite(key, d->rows, copy, o);
    free(copy);
    return done;
}

/* Whether [[gram, rows^T], [rows, block]] has no negative eigenvalue: `count` test samples from
 * `first` on, with their products among each other, `ld` apart. */
static bool check_bordered(const nnd_data *d, size_t first, size_t count, const double *block,
                           size_t ld, nnd_objection *o) {
    size_t p = d->gram.rows, n = p + count;
    double *a = calloc(n * n, sizeof *a);
    if (a == NULL)
        return nnd_object(o, "data.test_gram", "out of memory");
    for (size_t i = 0; i < p; i++)
        memcpy(a + i * n, d->gram.value + i * p, p * sizeof *a);
    for (size_t i = 0; i < count; i++) {
        memcpy(a + (p + i) * n, d->test_gram.value + (first + i) * p, p * sizeof *a);
        memcpy(a + (p + i) * n + p, block + i * ld, (i + 1) * sizeof *a);
    }
    bool done = semidefinite("data.test_gram", n, a, o);
    free(a);
    return done;
}

/*
 * Whether K = U diag(lambda) U^T with one more sample, k = U z and s = k(x, x), certainly has no
 * eigenvalue below -t: K + t is positive, and so is what it leaves of s,
 *     s + t - sum_i z_i^2/(lambda_i + t) >= 0.
 * t is what `semidefinite` takes for rounding, or less: no entry on the diagonal nor lambda_i is
 * larger than the largest eigenvalue of both together.
 */
static bool surely_fits(size_t p, const double *lambda, const double *z, double s) {
    double t = DEFINITENESS * fmax(lambda[p - 1], s), rest = s + t;
    if (!(lambda[0] + t > 0.0))
        return false;
    for (size_t i = 0; i < p; i++)
        rest -= z[i] * z[i] / (lambda[i] + t);
    return rest >= 0.0;
}

/* Each test sample on its own, over one eigenvalue problem for all; what that does not settle has
 * one of its own. */
static bool check_each(const nnd_data *d, nnd_objection *o) {
    size_t p = d->gram.rows, tests = d->test_gram.rows;
    int n = (int)p;
    double *u = malloc(p * p * sizeof *u), *lambda = malloc(p * sizeof *lambda);
    double *z = malloc(tests * p * sizeof *z);
    bool done = u != NULL && lambda != NULL && z != NULL;
    if (!done)
        (void)nnd_object(o, "data.test_gram", "out of memory");
    if (done) {
        memcpy(u, d->gram.value, p * p * sizeof *u);
        done = LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'L', n, u, n, lambda) == 0 ||
               nnd_object(o, "data.gram", "has no eigenvalues");
    }
    if (done)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)tests, n, n, 1.0,
                    d->test_gram.value, n, u, n, 0.0, z, n);
    for (size_t i = 0; done && i < tests; i++)
        done = surely_fits(p, lambda, z + i * p, d->test_self.value[i]) ||
               check_bordered(d, i, 1, &d->test_self.value[i], 1, o);
    free(u);
    free(lambda);
    free(z);
    return done;
}

/* Training and test samples together have a Gram matrix. With the diagonal alone each test sample
 * is checked on its own. */
static bool check_joint(const nnd_data *d, nnd_objection *o) {
    size_t tests = d->test_gram.rows;
    return d->test_block.rows > 0 ? check_bordered(d, 0, tests, d->test_block.value, tests, o)
                                  : check_each(d, o);
}

static bool check_test_gram(const nnd_data *d, nnd_objection *o) {
    size_t p = d->gram.rows, tests = d->test_gram.rows;
    if (tests == 0) {
        if (d->test_self.rows + d->test_block.rows > 0)
            return nnd_object(o, "data.test_gram", "missing beside test_self or test_block");
        return true;
    }
    if (!shaped("data.test_gram", &d->test_gram, tests, p, o))
        return false;
    if ((d->test_self.rows > 0) == (d->test_block.rows > 0))
        return nnd_object(o, "data.test_self", "test_gram needs one of test_self and test_block");
    if (d->test_self.rows > 0 && !shaped("data.test_self", &d->test_self, tests, 1, o))
        return false;
    if (d->test_block.rows > 0 && (!shaped("data.test_block", &d->test_block, tests, tests, o) ||
                                   !symmetric("data.test_block", &d->test_block, o)))
        return false;
    return check_joint(d, o);
}

/* Matrices that are named but were never read. */
static bool check_names(const nnd_data *d, nnd_objection *o) {
    for (size_t i = 0; i < nnd_data_table.count; i++) {
        const nnd_param *row = &nnd_data_table.param[i];
        const nnd_dense *matrix = (const nnd_dense *)((const char *)d + row->offset);
        if (row->type == NND_DENSE && matrix->name != NULL && matrix->rows == 0) {
            char key[TEXT_SIZE];
            snprintf(key, sizeof key, "data.%s", row->name);
            return nnd_object(o, key, "\"%s\" is a name, but there is no `file`", matrix->name);
        }
    }
    if (d->file == NULL && d->rows.count + d->test_rows.count > 0)
        return nnd_object(o, d->rows.count > 0 ? "data.rows" : "data.test_rows",
                          "selects rows of a file, but there is no `file`");
    if (d->file != NULL && d->inputs.name == NULL && d->gram.name == NULL)
        return nnd_object(o, "data.inputs", "missing: the name of the inputs in the file");
    return true;
}

/* Whether a number is what the table has as default. */
static bool is_default(const char *key, double value) {
    return value == nnd_number_parse(nnd_param_find(&nnd_data_table, key)->fallback, NULL);
}

/* What is given beside a kind of data to which it means nothing. */
static bool check_strays(const nnd_data *d, nnd_objection *o) {
    bool gram = d->gram.rows > 0, inputs = d->inputs.rows > 0, file = d->file != NULL,
         generate = d->generate != NND_GENERATE_NONE;
    bool plain_target = d->target.kind == NND_TARGET_LINEAR && d->target.scale == 1.0;
    const struct {
        const char *key;
        bool given, fits;
        const char *beside;
    } all[] = {
        {"data.targets", d->targets.rows > 0, gram || inputs || generate, "gram or inputs"},
        {"data.test_targets", d->test_targets.rows > 0, gram || inputs, "gram or inputs"},
        {"data.labels", d->labels.rows > 0, gram || inputs, "gram or inputs"},
        {"data.test_labels", d->test_labels.rows > 0, d->labels.rows > 0, "labels"},
        {"data.test_gram", d->test_gram.rows > 0, gram, "gram"},
        {"data.test_self", d->test_self.rows > 0, gram, "gram"},
        {"data.test_block", d->test_block.rows > 0, gram, "gram"},
        {"data.test_inputs", d->test_inputs.rows > 0, inputs, "inputs"},
        {"data.standardize", d->standardize, file && inputs, "inputs from a file"},
        {"data.positive", d->positive.count > 0, file && d->labels.rows > 0, "labels of a file"},
        {"data.checksum", d->checksum != NULL, file, "file"},
        {"data.samples", !is_default("samples", (double)d->samples), generate, "generate"},
        {"data.test_samples", !is_default("test_samples", (double)d->test_samples), generate,
         "generate"},
        {"data.dim", !is_default("dim", (double)d->dim), generate, "generate"},
        {"data.target", !plain_target, generate, "generate"},
        {"data.noise", !is_default("noise", d->noise), generate, "generate"},
        {"data.seed", !is_default("seed", (double)d->seed), generate, "generate"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].given && !all[i].fits)
            return nnd_object(o, all[i].key, "means nothing here; it goes with %s", all[i].beside);
    return true;
}

/* What a model takes: targets of so many outputs, or classes. */
typedef struct {
    size_t outputs;
    bool classes;
} demand;

static bool check_generated(const nnd_data *d, demand of, nnd_objection *o) {
    bool classes = d->target.kind == NND_TARGET_CLASSES;
    if (d->targets.rows > 0)
        return nnd_object(o, "data.targets", "generated data draws its targets (`target`)");
    if (d->generate == NND_GENERATE_WHITENED && d->samples > d->dim)
        return nnd_object(o, "data.samples", "%lld whitened samples do not fit into dimension %lld",
                          (long long)d->samples, (long long)d->dim);
    if (classes && !of.classes)
        return nnd_object(o, "data.target", "classes are no targets of this model");
    if (classes && (d->noise != 0.0 || d->target.scale != 1.0))
        return nnd_object(o, d->noise != 0.0 ? "data.noise" : "data.target.scale",
                          "means nothing beside target: classes");
    if (d->generate == NND_GENERATE_REGRESSION && (of.outputs > 1 || classes))
        return nnd_object(o, "data.generate", "regression has one output, a number");
    return true;
}

static bool check_labels(const char *key, const nnd_dense *labels, size_t rows, size_t outputs,
                         nnd_objection *o) {
    double last = outputs > 1 ? (double)outputs - 1.0 : 1.0;
    if (!shaped(key, labels, rows, 1, o))
        return false;
    for (size_t i = 0; i < rows; i++) {
        double label = labels->value[i];
        if (!(label >= 0.0 && label <= last && label == floor(label)))
            return nnd_object(o, key, "row %zu is %g; allowed: classes 0..%g", i, label, last);
    }
    return true;
}

static bool check_classes_given(const nnd_data *d, demand of, nnd_objection *o) {
    if (!of.classes)
        return nnd_object(o, "data.labels", "classes are no targets of this model");
    if (d->targets.rows > 0 || d->test_targets.rows > 0)
        return nnd_object(o, d->targets.rows > 0 ? "data.targets" : "data.test_targets",
                          "beside labels; allowed: one of them");
    if (!check_labels("data.labels", &d->labels, nnd_data_samples(d), of.outputs, o))
        return false;
    return d->test_labels.rows == 0 ||
           check_labels("data.test_labels", &d->test_labels, nnd_data_tests(d), of.outputs, o);
}

static bool check_targets(const nnd_data *d, demand of, nnd_objection *o) {
    size_t samples = nnd_data_samples(d), tests = nnd_data_tests(d);
    if ((d->test_targets.rows > 0 || d->test_labels.rows > 0) && tests == 0)
        return nnd_object(o, d->test_targets.rows > 0 ? "data.test_targets" : "data.test_labels",
                          "there are no test samples");
    if (d->labels.rows > 0)
        return check_classes_given(d, of, o);
    if (d->targets.rows == 0 && of.outputs > 1)
        return nnd_object(o, "data.targets", "missing; allowed: %zu x %zu numbers, or labels",
                          samples, of.outputs);
    if (d->targets.rows == 0)
        return nnd_object(o, "data.targets", "missing; allowed: %zu numbers", samples);
    if (!shaped("data.targets", &d->targets, samples, of.outputs, o))
        return false;
    return d->test_targets.rows == 0 ||
           shaped("data.test_targets", &d->test_targets, tests, of.outputs, o);
}

static bool check_inputs(const nnd_data *d, nnd_objection *o) {
    if (!all_finite("data.inputs", &d->inputs, o))
        return false;
    return d->test_inputs.rows == 0 ||
           shaped("data.test_inputs", &d->test_inputs, d->test_inputs.rows, d->inputs.cols, o);
}

static bool check_population(const nnd_data *d, nnd_objection *o) {
    if (d->covariance.rows == 0)
        return nnd_object(o, "data.covariance", "missing beside minimizer");
    return check_gram("data.covariance", &d->covariance, o) &&
           shaped("data.minimizer", &d->minimizer, d->covariance.rows, 1, o);
}

static bool check_data(const nnd_data *d, demand of, nnd_objection *o) {
    bool population = d->covariance.rows + d->minimizer.rows > 0;
    int kinds =
        (d->gram.rows > 0) + (d->inputs.rows > 0) + (d->generate != NND_GENERATE_NONE) + population;
    if (!check_names(d, o))
        return false;
    if (kinds != 1)
        return nnd_object(
            o, "data", "%s; allowed: one of gram, inputs, generate, and covariance with minimizer",
            kinds == 0 ? "holds no data" : "holds more than one kind of data");
    if (!check_strays(d, o))
        return false;
    if (population)
        return check_population(d, o);
    if (d->generate != NND_GENERATE_NONE)
        return check_generated(d, of, o);
    if (d->gram.rows > 0 ? !check_gram("data.gram", &d->gram, o) || !check_test_gram(d, o)
                         : !check_inputs(d, o))
        return false;
    return check_targets(d, of, o);
}

bool nnd_data_check(const nnd_data *d, nnd_objection *o) {
    return check_data(d, (demand){.outputs = 1}, o);
}

bool nnd_data_given(const nnd_data *d) {
    for (size_t i = 0; i < nnd_data_table.count; i++) {
        const nnd_param *row = &nnd_data_table.param[i];
        const nnd_dense *matrix = (const nnd_dense *)((const char *)d + row->offset);
        if (row->type == NND_DENSE && (matrix->rows > 0 || matrix->name != NULL))
            return true;
    }
    return d->file != NULL || d->generate != NND_GENERATE_NONE || d->standardize ||
           d->rows.count > 0 || d->test_rows.count > 0 || d->checksum != NULL;
}

static bool check_samples(const nnd_data *d, demand of, nnd_objection *o) {
    if (!check_data(d, of, o))
        return false;
    if (nnd_data_samples(d) == 0)
        return nnd_object(o, "data.covariance",
                          "of a population, but this model trains on samples; allowed: one of "
                          "gram, inputs, generate");
    return true;
}

bool nnd_data_check_samples(const nnd_data *d, nnd_objection *o) {
    return check_samples(d, (demand){.outputs = 1}, o);
}

bool nnd_data_check_outputs(const nnd_data *d, size_t outputs, nnd_objection *o) {
    return check_samples(d, (demand){.outputs = outputs, .classes = true}, o);
}

bool nnd_data_has_classes(const nnd_data *d) {
    return d->labels.rows > 0 ||
           (d->generate != NND_GENERATE_NONE && d->target.kind == NND_TARGET_CLASSES);
}

/* Rows of numbers >= 0 with the sum 1. */
static bool check_probabilities(const char *key, const nnd_dense *d, nnd_objection *o) {
    const double rounding = 1e-9;
    for (size_t i = 0; i < d->rows; i++) {
        double sum = 0.0, least = 0.0;
        for (size_t c = 0; c < d->cols; c++) {
            sum += d->value[i * d->cols + c];
            least = fmin(least, d->value[i * d->cols + c]);
        }
        if (least < 0.0 || fabs(sum - 1.0) > rounding)
            return nnd_object(o, key,
                              "row %zu has the sum %.10g and the least number %g; allowed: "
                              "probabilities, which are >= 0 and sum up to 1",
                              i, sum, least);
    }
    return true;
}

static bool check_signs(const char *key, const nnd_dense *d, nnd_objection *o) {
    for (size_t i = 0; i < d->rows; i++)
        if (fabs(d->value[i]) != 1.0)
            return nnd_object(o, key, "row %zu is %g; allowed: -1 and 1", i, d->value[i]);
    return true;
}

bool nnd_data_check_classes(const nnd_data *d, size_t outputs, nnd_objection *o) {
    bool sign = d->target.kind == NND_TARGET_SIGN && outputs == 1 && d->target.scale == 1.0 &&
                d->noise == 0.0;
    if (!nnd_data_check_outputs(d, outputs, o))
        return false;
    if (d->generate != NND_GENERATE_NONE)
        return sign || nnd_data_has_classes(d) ||
               nnd_object(o, "data.target", "allowed beside a loss of classes: classes%s",
                          outputs == 1 ? ", or sign without scale and noise" : "");
    bool (*fits)(const char *, const nnd_dense *, nnd_objection *) =
        outputs > 1 ? check_probabilities : check_signs;
    return fits("data.targets", &d->targets, o) && fits("data.test_targets", &d->test_targets, o);
}

size_t nnd_data_samples(const nnd_data *d) {
    if (d->generate != NND_GENERATE_NONE)
        return (size_t)d->samples;
    return d->gram.rows > 0 ? d->gram.rows : d->inputs.rows;
}

size_t nnd_data_tests(const nnd_data *d) {
    if (d->generate != NND_GENERATE_NONE)
        return (size_t)d->test_samples;
    return d->gram.rows > 0 ? d->test_gram.rows : d->test_inputs.rows;
}

size_t nnd_data_dim(const nnd_data *d) {
    if (d->inputs.rows > 0)
        return d->inputs.cols;
    return d->generate != NND_GENERATE_NONE ? (size_t)d->dim
                                            : nnd_data_samples(d) + nnd_data_tests(d);
}
