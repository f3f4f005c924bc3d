/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tables of the model `alignment` cannot say, and what follows from its parameters. */
#include <math.h>

#include "core/timegrid.h"
#include "models/alignment_impl.h"

/* ---- what follows ---- */

bool nnd_alignment_has_data(const nnd_alignment *p) {
    return nnd_data_given(&p->data);
}

size_t nnd_alignment_dim(const nnd_alignment *p) {
    if (nnd_alignment_has_data(p))
        return p->data.inputs.cols;
    if (p->covariance.kind == NND_COVARIANCE_LIST)
        return p->covariance.eigenvalues.count;
    if (p->covariance.kind == NND_COVARIANCE_POWER_LAW)
        return (size_t)p->covariance.dim;
    return p->teacher.coefficients2.count > 0 ? p->teacher.coefficients2.count : (size_t)p->dim;
}

size_t nnd_alignment_tests(const nnd_alignment *p) {
    return p->data.test_inputs.rows > 0 ? p->data.test_inputs.rows : (size_t)p->test_points;
}

bool nnd_alignment_is_timed(const nnd_alignment *p) {
    return p->training == NND_ALIGN_FLOW || p->training == NND_ALIGN_GD ||
           p->training == NND_ALIGN_RICH || p->training == NND_ALIGN_WHITE;
}

nnd_alignment_student nnd_alignment_student_of(const nnd_alignment *p, size_t b) {
    const nnd_alignment_second *s = &p->second;
    nnd_alignment_student x = {p->activation, (size_t)p->depth, p->width,
                               p->init_scale, p->descent_rate,  p->batch};
    if (b == 0)
        return x;
    if (s->activation > 0)
        x.activation = (nnd_activation){.name = s->activation - 1, .gain = 1.0, .scale = 1.0};
    if (s->depth > 0)
        x.depth = (size_t)s->depth;
    x.width = isnan(s->width) ? x.width : s->width;
    x.init_scale = isnan(s->init_scale) ? x.init_scale : s->init_scale;
    x.descent_rate = isnan(s->descent_rate) ? x.descent_rate : s->descent_rate;
    x.batch = s->batch < 0 ? x.batch : s->batch;
    return x;
}

size_t nnd_alignment_layers(const nnd_alignment *p) {
    size_t a = nnd_alignment_student_of(p, 0).depth, b = nnd_alignment_student_of(p, 1).depth;
    return (a < b ? a : b) - 1;
}

static bool has_second(const nnd_alignment_second *s) {
    return s->activation > 0 || s->depth > 0 || s->batch >= 0 || !isnan(s->width) ||
           !isnan(s->init_scale) || !isnan(s->descent_rate);
}

size_t nnd_alignment_classes(const nnd_alignment *p) {
    if (p->task == NND_TASK_REGRESSION)
        return 0;
    return p->outputs > 1 ? (size_t)p->outputs : 2;
}

bool nnd_alignment_is_linear(const nnd_alignment *p) {
    return p->task == NND_TASK_REGRESSION && p->activation.name == NND_LINEAR && p->batch == 0 &&
           !has_second(&p->second);
}

void nnd_alignment_modes(const nnd_alignment *p, size_t dim, double *eigenvalue, double *teacher2) {
    double norm2 = 0.0, power = 0.0;
    for (size_t i = 0; i < dim; i++) {
        double rank = (double)i + 1.0;
        eigenvalue[i] = 1.0;
        if (p->covariance.kind == NND_COVARIANCE_POWER_LAW)
            eigenvalue[i] = pow(rank, -p->covariance.power_law);
        if (p->covariance.kind == NND_COVARIANCE_LIST)
            eigenvalue[i] = p->covariance.eigenvalues.value[i];
        teacher2[i] = p->teacher.coefficients2.count > 0 ? p->teacher.coefficients2.value[i]
                                                         : pow(rank, -p->teacher.power_law);
        norm2 += teacher2[i];
        power += eigenvalue[i] * teacher2[i];
    }
    double scale = 1.0;
    if (!isnan(p->teacher.power))
        scale = p->teacher.power / power;
    else if (!isnan(p->teacher.norm2))
        scale = p->teacher.norm2 / norm2;
    else if (p->teacher.coefficients2.count == 0)
        scale = 1.0 / norm2;
    for (size_t i = 0; i < dim; i++)
        teacher2[i] *= scale;
}

double nnd_alignment_output(const nnd_dense *m, size_t i, size_t j) {
    if (m->rows == 0)
        return i == j ? 1.0 : 0.0;
    if (m->cols == 1)
        return i == j ? m->value[i] : 0.0;
    return m->value[i * m->cols + j];
}

nnd_status nnd_alignment_times(nnd_context *ctx, const nnd_alignment *p, nnd_reals *times) {
    bool flow = p->training != NND_ALIGN_GD;
    return nnd_record_axis(ctx, flow, flow ? p->time : (double)p->steps, &p->record,
                           (size_t)p->record_every, times);
}

nnd_status nnd_alignment_add_directions(nnd_frame *frame) {
    static const char *const names[] = {"ab", "ba"};
    return nnd_frame_add_text_dim(frame, "direction", 2, names);
}

/* ---- checks ---- */

static double total(const nnd_reals *x) {
    double sum = 0.0;
    for (size_t i = 0; i < x->count; i++)
        sum += x->value[i];
    return sum;
}

static bool check_covariance(nnd_alignment *p, nnd_objection *o) {
    nnd_alignment_covariance *c = &p->covariance;
    bool listed = c->eigenvalues.value != NULL, law = !isnan(c->power_law);
    if (listed && total(&c->eigenvalues) == 0.0)
        return nnd_object(o, "covariance.eigenvalues", "all are 0; allowed: one or more > 0");
    if (listed && law)
        return nnd_object(o, "covariance", "both power_law and eigenvalues; allowed: one of them");
    if (listed || law)
        c->kind = law ? NND_COVARIANCE_POWER_LAW : NND_COVARIANCE_LIST;
    if (c->kind == NND_COVARIANCE_LIST && !listed)
        return nnd_object(o, "covariance.eigenvalues", "missing; allowed: numbers >= 0");
    if (c->kind == NND_COVARIANCE_POWER_LAW && !law)
        return nnd_object(o, "covariance.power_law", "missing; allowed: a number >= 0");
    if (c->kind == NND_COVARIANCE_POWER_LAW && c->dim == 0)
        c->dim = p->dim;
    if (c->kind == NND_COVARIANCE_POWER_LAW && c->dim == 0)
        return nnd_object(o, "covariance.dim", "missing; allowed: integers >= 1");
    return true;
}

static bool check_teacher(nnd_alignment *p, nnd_objection *o) {
    const nnd_alignment_teacher *t = &p->teacher;
    const nnd_reals *c = &t->coefficients2;
    size_t dim = nnd_alignment_dim(p);
    if (!isnan(t->norm2) && !isnan(t->power))
        return nnd_object(o, "teacher", "both norm2 and power; allowed: one of them");
    if (c->count > 0 && c->count != dim)
        return nnd_object(o, "teacher.coefficients2", "a list of %zu; allowed: %zu, as eigenvalues",
                          c->count, dim);
    if (c->count > 0 && t->power_law != 0.0)
        return nnd_object(o, "teacher", "both power_law and coefficients2; allowed: one of them");
    if (p->covariance.kind == NND_COVARIANCE_ISOTROPIC && t->power_law != 0.0)
        return nnd_object(o, "teacher.power_law", "%g means nothing where all directions are alike",
                          t->power_law);
    double seen = 0.0;
    for (size_t i = 0; i < c->count; i++)
        seen +=
            c->value[i] *
            (p->covariance.kind == NND_COVARIANCE_LIST ? p->covariance.eigenvalues.value[i] : 1.0);
    if (c->count > 0 && seen == 0.0)
        return nnd_object(o, "teacher.coefficients2",
                          "the teacher has no part along the inputs; allowed: one or more > 0");
    return true;
}

/* ---- data ---- */

/* What is measured of data cannot be said. */
static bool check_measured(const nnd_alignment *p, nnd_objection *o) {
    const nnd_alignment_covariance *c = &p->covariance;
    const nnd_alignment_teacher *t = &p->teacher;
    const struct {
        const char *key;
        bool given;
    } all[] = {
        {"covariance", c->kind != NND_COVARIANCE_ISOTROPIC || c->eigenvalues.value != NULL ||
                           !isnan(c->power_law) || c->dim > 0},
        {"teacher", !isnan(t->norm2) || !isnan(t->power) || t->power_law != 0.0 ||
                        t->coefficients2.value != NULL},
        {"dim", p->dim > 0 && (size_t)p->dim != nnd_alignment_dim(p)},
        {"outputs", p->outputs > 1 && p->task == NND_TASK_REGRESSION},
        {"output_gram", p->output_gram.rows > 0},
        {"output_noise", p->output_noise.rows > 0},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].given)
            return nnd_object(o, all[i].key, "means nothing beside data, which say what it is");
    return true;
}

static bool check_tests(const nnd_alignment *p, nnd_objection *o) {
    const nnd_data *d = &p->data;
    if (nnd_alignment_is_linear(p))
        return nnd_object(o, "data.test_inputs",
                          "means nothing here: linear networks are measured on the rows that "
                          "samples are drawn from");
    if (d->test_inputs.rows < 2)
        return nnd_object(o, "data.test_inputs", "one row; allowed: 2 or more");
    if (d->test_labels.rows == 0 && d->test_targets.rows == 0)
        return nnd_object(o, d->labels.rows > 0 ? "data.test_labels" : "data.test_targets",
                          "missing beside test_inputs; allowed: %zu numbers", d->test_inputs.rows);
    if ((d->labels.rows > 0) != (d->test_labels.rows > 0))
        return nnd_object(o, d->labels.rows > 0 ? "data.test_targets" : "data.test_labels",
                          "of another kind than those to learn");
    return true;
}

static bool check_data(const nnd_alignment *p, nnd_objection *o) {
    const nnd_data *d = &p->data;
    if (!nnd_alignment_has_data(p))
        return p->tails == NND_TAILS_GAUSSIAN || nnd_object(o, "tails", "measured of data alone");
    bool classes = p->outputs > 1 && p->task == NND_TASK_CLASSIFICATION;
    if (!nnd_data_check_outputs(d, classes ? (size_t)p->outputs : 1, o))
        return false;
    if (d->inputs.rows == 0)
        return nnd_object(o, "data", "holds no rows to draw; allowed: inputs with targets");
    if (classes && d->labels.rows == 0)
        return nnd_object(o, "data.labels", "missing; allowed: classes 0..%lld",
                          (long long)p->outputs - 1);
    if (d->inputs.rows < 2)
        return nnd_object(o, "data.inputs", "one row has no covariance; allowed: 2 or more");
    if (d->test_inputs.rows > 0 && !check_tests(p, o))
        return false;
    if (p->samples == 0)
        return nnd_object(o, "samples", "missing beside data; allowed: integers >= 1");
    if (p->tails == NND_TAILS_MEASURED && (p->training != NND_ALIGN_RIDGE || p->input_noise > 0.0))
        return nnd_object(o, "tails", "measured: of training: ridge without input_noise alone");
    return check_measured(p, o);
}

/* How many samples there are, and how noisy they are. */
static bool settle_counts(nnd_alignment *p, nnd_objection *o) {
    size_t dim = nnd_alignment_dim(p);
    if (p->samples > 0 && dim == 0)
        return nnd_object(o, "samples", "needs data or dim, which say what D is");
    double alpha = p->samples > 0 ? (double)p->samples / (double)dim : 2.0;
    if (p->samples > 0 && !isnan(p->alpha) && p->alpha != alpha)
        return nnd_object(o, "samples", "beside alpha; allowed: one of them");
    if (isnan(p->alpha))
        p->alpha = alpha;
    if (!isnan(p->label_noise) && !isnan(p->snr))
        return nnd_object(o, "label_noise", "beside snr; allowed: one of them");
    if (!isnan(p->label_noise) && p->task == NND_TASK_CLASSIFICATION)
        return nnd_object(o, "label_noise", "%g: labels of classes are flipped; allowed: snr",
                          p->label_noise);
    if (isnan(p->label_noise) && isnan(p->snr))
        p->snr = 2.0;
    return true;
}

static bool check_dim(nnd_alignment *p, nnd_objection *o) {
    size_t dim = nnd_alignment_dim(p);
    if (p->dim > 0 && (size_t)p->dim != dim)
        return nnd_object(o, "dim", "%lld, but covariance and teacher have %zu dimensions",
                          (long long)p->dim, dim);
    bool needed = p->training == NND_ALIGN_WHITE || p->training == NND_ALIGN_GAUSSIAN;
    if (needed && dim == 0)
        return nnd_object(o, "dim",
                          "missing: CKA of initial features depends on it; allowed: "
                          "integers >= 1");
    return true;
}

static bool belongs(nnd_objection *o, const char *key, double value, bool wrong,
                    const char *where) {
    return !wrong || nnd_object(o, key, "%g belongs to training: %s", value, where);
}

static bool check_times(nnd_alignment *p, nnd_objection *o) {
    bool gd = p->training == NND_ALIGN_GD, timed = nnd_alignment_is_timed(p);
    bool flows = timed && !gd;
    bool descends = !nnd_alignment_is_linear(p) && p->training == NND_ALIGN_GAUSSIAN;
    if (!belongs(o, "lr", p->lr, !isnan(p->lr) && !gd, "gd (flows have time)") ||
        !belongs(o, "time", p->time, !isnan(p->time) && !flows && !descends,
                 "flow, rich or white-init"))
        return false;
    if (gd && isnan(p->lr))
        p->lr = 0.1;
    if ((flows || descends) && isnan(p->time))
        p->time = 10.0;
    if (!timed && p->record.count > 0)
        return nnd_object(o, "record", "this training has no times");
    return !timed || nnd_record_check(&p->record, flows, gd ? (double)p->steps : p->time, o);
}

static bool check_training(nnd_alignment *p, nnd_objection *o) {
    bool starts = p->training == NND_ALIGN_RICH || p->training == NND_ALIGN_WHITE ||
                  p->training == NND_ALIGN_GAUSSIAN;
    bool decay = p->training == NND_ALIGN_WEIGHT_DECAY;
    if (!belongs(o, "ridge", p->ridge, p->ridge > 0.0 && p->training != NND_ALIGN_RIDGE, "ridge") ||
        !belongs(o, "weight_decay", p->weight_decay, !isnan(p->weight_decay) && !decay,
                 "weight-decay") ||
        !belongs(o, "init_scale", p->init_scale, !isnan(p->init_scale) && !starts,
                 "rich, white-init or gaussian-init") ||
        !belongs(o, "depth", (double)p->depth,
                 p->depth != 2 && p->training != NND_ALIGN_RICH && nnd_alignment_is_linear(p),
                 "rich"))
        return false;
    if (decay && isnan(p->weight_decay))
        return nnd_object(o, "weight_decay", "missing; allowed: a number >= 0");
    if (starts && isnan(p->init_scale))
        p->init_scale = p->training == NND_ALIGN_RICH    ? 1e-3
                        : p->training == NND_ALIGN_WHITE ? 1.0
                                                         : 0.1;
    if (p->training == NND_ALIGN_WHITE && p->width < 1.0)
        return nnd_object(o, "width", "%g: white features need at least 1", p->width);
    if (p->training == NND_ALIGN_GAUSSIAN &&
        (p->covariance.kind != NND_COVARIANCE_ISOTROPIC || nnd_alignment_has_data(p)))
        return nnd_object(o, "covariance", "gaussian-init is for isotropic inputs");
    if (p->minimum && p->training != NND_ALIGN_RIDGE && !decay)
        return nnd_object(o, "minimum",
                          "belongs to training: ridge or weight-decay; elsewhere "
                          "`nndmft find --param alpha=... --min cosine`");
    return true;
}

static bool check_matrix(const nnd_alignment *p, const char *key, const nnd_dense *m,
                         nnd_objection *o) {
    size_t c = (size_t)p->outputs;
    if (m->name != NULL)
        return nnd_object(o, key, "%.100s is not rows of numbers", m->name);
    if (m->rows == 0)
        return true;
    if (m->rows != c || (m->cols != 1 && m->cols != c))
        return nnd_object(o, key, "%zu x %zu; allowed: %zu numbers or %zu x %zu", m->rows, m->cols,
                          c, c, c);
    for (size_t i = 0; i < c; i++) {
        if (!(nnd_alignment_output(m, i, i) > 0.0))
            return nnd_object(o, key, "the diagonal has %g; allowed: numbers > 0",
                              nnd_alignment_output(m, i, i));
        for (size_t j = 0; j < i; j++) {
            double a = nnd_alignment_output(m, i, j), b = nnd_alignment_output(m, j, i);
            double bound = sqrt(nnd_alignment_output(m, i, i) * nnd_alignment_output(m, j, j));
            if (!(a == b && fabs(a) <= bound))
                return nnd_object(o, key, "not symmetric and positive semi-definite");
        }
    }
    return true;
}

static bool check_outputs(const nnd_alignment *p, nnd_objection *o) {
    bool many = p->training == NND_ALIGN_RIDGE || p->training == NND_ALIGN_FLOW ||
                p->training == NND_ALIGN_GD;
    if (p->outputs > 1 && p->task == NND_TASK_CLASSIFICATION)
        return check_matrix(p, "output_gram", &p->output_gram, o) &&
               (p->output_noise.rows == 0 ||
                nnd_object(o, "output_noise", "labels of classes are replaced; allowed: snr"));
    if (p->outputs > 1 && !many)
        return nnd_object(o, "outputs", "%lld: more than one with training: ridge, flow or gd",
                          (long long)p->outputs);
    if (p->outputs > 1 && p->probe.points > 0)
        return nnd_object(o, "probe", "cka_probe is for one output");
    return check_matrix(p, "output_gram", &p->output_gram, o) &&
           check_matrix(p, "output_noise", &p->output_noise, o);
}

static bool check_simulation(const nnd_alignment *p, nnd_objection *o) {
    bool decides = p->training == NND_ALIGN_RIDGE || p->training == NND_ALIGN_WEIGHT_DECAY;
    if (p->route == NND_ROUTE_NETWORK && !decides)
        return nnd_object(o, "route",
                          "network belongs to training: ridge or weight-decay; the "
                          "others train networks anyway");
    if (p->route == NND_ROUTE_NETWORK && p->outputs > 1 && p->ridge > 0.0)
        return nnd_object(o, "route", "network has several outputs only without ridge");
    if (nnd_alignment_is_linear(p))
        return true;
    const char *key = p->task == NND_TASK_CLASSIFICATION ? "task"
                      : p->activation.name != NND_LINEAR ? "activation"
                      : p->batch > 0                     ? "batch"
                                                         : "second";
    bool starts = p->training == NND_ALIGN_RICH || p->training == NND_ALIGN_WHITE ||
                  p->training == NND_ALIGN_GAUSSIAN;
    if (!starts)
        return nnd_object(o, key,
                          "needs a hidden layer: training: rich, white-init or gaussian-init");
    if (p->depth > 4)
        return nnd_object(o, "depth", "%lld; allowed with nonlinear networks: 2 to 4",
                          (long long)p->depth);
    if (p->second.depth == 1)
        return nnd_object(o, "second", "depth 1; allowed: 2 to 4");
    if (p->outputs > 1 && p->task == NND_TASK_REGRESSION)
        return nnd_object(o, "outputs",
                          "%lld; allowed with nonlinear networks: 1, or task: classification",
                          (long long)p->outputs);
    if (p->metric != NND_METRIC_SIGMA)
        return nnd_object(o, key, "outputs are compared on probes: metric: sigma");
    return true;
}

enum { FEWEST_COMPARED = 12 }; /* 10 neighbours, and one more */

static bool check_probes(const nnd_alignment *p, nnd_objection *o) {
    if (p->probe.points == 1 || (p->probe.points > 0 && p->probe.points < 4 && p->probe.centred))
        return nnd_object(o, "probe.points", "%lld; allowed: 0, or at least 2 (centred: 4)",
                          (long long)p->probe.points);
    if (p->probe.on == NND_PROBE_TRAIN && p->probe.points == 0)
        return nnd_object(o, "probe.on", "train: without points there are no probes");
    size_t tests = p->data.test_inputs.rows, points = (size_t)p->probe.points;
    if (p->probe.on == NND_PROBE_TEST && (tests == 0 || points == 0 || points > tests))
        return nnd_object(o, "probe.on", "test: %zu points of %zu data.test_inputs", points, tests);
    if (p->probe.on == NND_PROBE_FRESH && tests > 0 && points > 0)
        return nnd_object(o, "probe.on", "fresh beside data.test_inputs; allowed: test, train");
    if (p->probe.on == NND_PROBE_FRESH && !nnd_alignment_is_linear(p) &&
        points > nnd_alignment_tests(p))
        return nnd_object(o, "probe.points", "%zu; allowed: at most test_points, %zu", points,
                          nnd_alignment_tests(p));
    if (p->probe.similarity && p->probe.points < FEWEST_COMPARED)
        return nnd_object(o, "probe.points", "%lld; allowed: at least %d with similarity",
                          (long long)p->probe.points, FEWEST_COMPARED);
    return true;
}

bool nnd_alignment_check(void *params, nnd_objection *o) {
    nnd_alignment *p = params;
    if (p->noise_correlation > 0.0 && p->task == NND_TASK_CLASSIFICATION)
        return nnd_object(o, "noise_correlation", "%g: flips are independent",
                          p->noise_correlation);
    return check_probes(p, o) && check_data(p, o) && check_covariance(p, o) &&
           check_teacher(p, o) && check_dim(p, o) && settle_counts(p, o) && check_training(p, o) &&
           check_times(p, o) && check_outputs(p, o) && check_simulation(p, o);
}
