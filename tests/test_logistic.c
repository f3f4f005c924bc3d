/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Averages of the logistic function against 30-digit quadrature, limits and samples. */
#include <math.h>
#include <stdio.h>

#include "core/rng.h"
#include "nndmft/solvers/logistic.h"
#include "support.h"
#include "with_context.h"

static nnd_logistic *make(nnd_logistic_law law) {
    nnd_logistic *l = NULL;
    nnd_status status = nnd_logistic_new(ctx, &law, &l);
    ck_assert_msg(status == NND_OK, "%s", nnd_context_message(ctx));
    return l;
}

/* Dimension of the sphere (0: Gaussian), omega, h, delta, e, noise: computed by mpmath with 30
 * digits from the definitions. */
static const double REFERENCE[][6] = {
    {0, 0.001, 0.00024999993750003125, 0.39869228046393265, 0.69274836327952825,
     0.24980059139301321},
    {0, 0.03, 0.0074983132588912953, 0.39144396714254138, 0.68129139949544739, 0.2440729877947661},
    {0, 0.3, 0.073383958048958191, 0.32555832235247449, 0.5845915602882606, 0.19641241780368317},
    {0, 1.0, 0.20662096414190704, 0.19232131625952564, 0.40711690294600711, 0.11852221059111706},
    {0, 3.0, 0.34451371432173163, 0.05442856607970105, 0.1972512019543016, 0.049247862591072584},
    {0, 3.7, 0.35998338807121907, 0.038958892330213611, 0.16498993282057898, 0.04048427374376641},
    {0, 3.8, 0.36166779758143749, 0.037274482819995186, 0.16117914670216574, 0.039474450791830609},
    {0, 10.0, 0.39259560109364077, 0.0063466793077919088, 0.064890227156821885,
     0.015348414315688944},
    {0, 30.0, 0.3982159143418534, 0.00072636605957927306, 0.021846568765619364,
     0.0051346374585395435},
    {0, 100.0, 0.39887667968355803, 6.5600717874647827e-5, 0.0065615820902987639,
     0.0015410284460824994},
    {0, 1000.0, 0.3989416241699518, 6.5623148088160972e-7, 0.00065623299211791998,
     0.00015410909023820831},
    {0, 9999.0, 0.39894227383778276, 6.5636499149986478e-9, 6.5629937011770596e-5,
     1.5412456515684083e-5},
    {0, 100000.0, 0.3989422803358093, 6.5623374751174729e-11, 6.5623374766287187e-6,
     1.5410915332507437e-6},
    {2, 0.001, 0.00024999996875000521, 0.44990815810980303, 0.69269714740185894,
     0.24984997854063879},
    {2, 0.3, 0.074168707796995071, 0.37598945028155796, 0.56928707723274072, 0.20802250827119169},
    {2, 3.8, 0.42053996329202843, 0.029618194786524605, 0.10257411557747408, 0.045086590960703421},
    {2, 30.0, 0.44974598357124077, 0.00041217450731226075, 0.012349277881144035,
     0.0057951328465840149},
    {2, 9999.0, 0.45015815437540993, 3.7031431040146566e-9, 3.7027727470600037e-5,
     1.7391094881670638e-5},
    {3, 0.001, 0.00024999996250000804, 0.43276270192971932, 0.69271429285804372,
     0.24983765775031403},
    {3, 0.3, 0.074006620917855811, 0.35900608097436351, 0.57441839354448044, 0.20495783623426544},
    {3, 3.8, 0.40054793291718019, 0.032464768975039138, 0.12475052639048441, 0.04318653750907114},
    {3, 30.0, 0.43248508904427821, 0.00052761284794111633, 0.01582838543823349,
     0.0055739879328336644},
    {3, 9999.0, 0.43301269714275385, 4.7494654770708064e-9, 4.7489905305230993e-5,
     1.6728709328694644e-5},
    {5, 0.001, 0.00024999995535715526, 0.41901274582585341, 0.69272804281415294,
     0.24982535185029974},
    {5, 0.03, 0.0074987949441091362, 0.41176395083710143, 0.68068178914783679, 0.24479987544254243},
    {5, 0.3, 0.073823930255318686, 0.34543881552589188, 0.5785294297957359, 0.20199506522088934},
    {5, 1.0, 0.21478949650370766, 0.20447324927750291, 0.38939879561184895, 0.12579290684877747},
    {5, 3.0, 0.3670959117857909, 0.052166833995419665, 0.17459104160941288, 0.052104721871783944},
    {5, 3.7, 0.38299373269009005, 0.036269013091120517, 0.14411132774688376, 0.042754545871180537},
    {5, 3.8, 0.38468411881541535, 0.034578626965795214, 0.14056990519959205, 0.041679518251850956},
    {5, 10.0, 0.41382170386248134, 0.0054410419187292312, 0.054918650306844765,
     0.016143039843703437},
    {5, 30.0, 0.41865065621800701, 0.00061208956320355634, 0.018381510271961622,
     0.0053966639983150194},
    {5, 100.0, 0.41920758063879812, 5.5165142412446016e-5, 0.0055170224723926848,
     0.0016195353016941302},
    {5, 1000.0, 0.41926219405431412, 5.5172689644995051e-7, 0.00055172740468109859,
     0.00016195878147738948},
    {5, 9999.0, 0.41926274026283044, 5.5183801325595155e-9, 5.5178283453846243e-5,
     1.6197503149551175e-5},
    {5, 100000.0, 0.4192627457260378, 5.5172765872043796e-11, 5.5172765877126108e-6,
     1.619588345176193e-6},
    {144, 0.001, 0.00024999993835619437, 0.39938548458296157, 0.69274767007540858,
     0.24980162198733817},
    {144, 0.3, 0.073404346976751753, 0.32623113754456601, 0.58438519250044596, 0.19663274233189614},
    {144, 3.8, 0.36244414301233238, 0.037191341508985382, 0.16052209316609816, 0.03954931411789846},
    {144, 30.0, 0.39891285216805361, 0.00072263235326415385, 0.02173312833276012,
     0.005143575618214732},
    {144, 9999.0, 0.39963547799192292, 6.5293948471243522e-9, 6.5287420548876733e-5,
     1.5439237278351361e-5},
    {145, 0.001, 0.00024999993835037013, 0.39938069981856198, 0.69274767486017298,
     0.24980161493044227},
    {145, 0.3, 0.073404207990621223, 0.32622649176629113, 0.58438661707471006, 0.19663122970507146},
    {145, 3.8, 0.36243878232486237, 0.037191917432049978, 0.16052663813327527, 0.03954879730608777},
    {145, 30.0, 0.39890804159925564, 0.00072265815765671173, 0.021733912286249478,
     0.0051435139234604144},
    {145, 9999.0, 0.39963069322728078, 6.5296315653091122e-9, 6.5289787494275604e-5,
     1.5439052427113052e-5},
};

START_TEST(fourteen_digits_from_small_to_large_scales) {
    const double rtol = 1e-14;
    for (size_t i = 0; i < sizeof REFERENCE / sizeof *REFERENCE; i++) {
        const double *r = REFERENCE[i];
        nnd_logistic *l = make((nnd_logistic_law){.sphere = (size_t)r[0]});
        nnd_logistic_averages a = nnd_logistic_at(l, r[1]);
        test_close("h", a.h, r[2], rtol);
        test_close("delta", a.delta, r[3], rtol);
        test_close("e", a.e, r[4], rtol);
        test_close("noise", a.noise, r[5], r[1] > 1e4 ? 1e-10 : rtol);
        test_close("slope", a.slope, r[2] / r[1], rtol);
        nnd_logistic_free(l);
    }
}
END_TEST

/* directional.md#s8 */
START_TEST(table_of_the_note) {
    const double table[][4] = {
        {0.3, .073383958, .32555832, .70427424},   {1, .20662096, .19232132, .80605918},
        {3, .34451371, .054428566, 1.394078},      {10, .3925956, .0063466793, 4.054313},
        {100, .39887668, 6.5600718e-05, 39.90079},
    };
    nnd_logistic *gauss = make((nnd_logistic_law){0});
    nnd_logistic_constants c = nnd_logistic_constants_of(gauss);
    test_close("c0", c.c0, .39894228, 5e-8);
    test_close("A", c.a, .65623375, 5e-8);
    test_close("B", c.b, -2.2668686, 5e-8);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        nnd_logistic_averages a = nnd_logistic_at(gauss, table[i][0]);
        test_close("h", a.h, table[i][1], 5e-8);
        test_close("delta", a.delta, table[i][2], 5e-8);
        test_close("H", c.c0 * table[i][0] + a.e, table[i][3], 4e-7); /* seven digits */
    }
    nnd_logistic_free(gauss);
    nnd_logistic *sphere = make((nnd_logistic_law){.sphere = 5});
    c = nnd_logistic_constants_of(sphere);
    test_close("c0", c.c0, .41926275, 5e-8);
    test_close("p(0)", c.p0, .3354102, 5e-8);
    test_close("A", c.a, .55172766, 5e-8);
    test_close("B", c.b, -.76234672, 5e-8);
    nnd_logistic_free(sphere);
}
END_TEST

static double node_error(size_t sphere, size_t nodes, double omega) {
    nnd_logistic *l = make((nnd_logistic_law){.sphere = sphere, .nodes = nodes});
    nnd_logistic *fine = make((nnd_logistic_law){.sphere = sphere, .nodes = 256});
    nnd_logistic_averages a = nnd_logistic_at(l, omega), b = nnd_logistic_at(fine, omega);
    double error = fmax(fabs(a.h / b.h - 1.0), fabs(a.delta / b.delta - 1.0));
    nnd_logistic_free(l);
    nnd_logistic_free(fine);
    return error;
}

/* Gauss-Legendre converges geometrically on analytic integrands: twice the nodes, almost twice the
 * digits, until rounding. */
START_TEST(quadrature_converges_geometrically) {
    const size_t sphere[] = {0, 2, 5, 200};
    const double omega[] = {0.01, 1.0, 3.7, 20.0, 1000.0};
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 5; j++) {
            double before = node_error(sphere[i], 8, omega[j]);
            for (size_t nodes = 16; nodes <= 64; nodes *= 2) {
                double error = node_error(sphere[i], nodes, omega[j]);
                ck_assert_msg(error < pow(before, 1.5) || error < 4e-15,
                              "D %zu, omega %g, %zu nodes: %g after %g", sphere[i], omega[j], nodes,
                              error, before);
                before = error;
            }
            ck_assert_double_lt(before, 1e-12);
        }
}
END_TEST

START_TEST(series_continues_the_quadrature) {
    const size_t sphere[] = {0, 2, 3, 5, 1000000};
    for (size_t i = 0; i < 5; i++) {
        nnd_logistic *l = make((nnd_logistic_law){.sphere = sphere[i]});
        nnd_logistic_averages below = nnd_logistic_at(l, 1e4);
        nnd_logistic_averages above = nnd_logistic_at(l, nextafter(1e4, INFINITY));
        test_close("delta", above.delta, below.delta, 1e-14);
        test_close("e", above.e, below.e, 1e-14);
        test_close("noise", above.noise, below.noise, 1e-7);
        test_close("rise", above.noise_rise, below.noise_rise, 1e-7);
        nnd_logistic_averages far = nnd_logistic_at(l, 1e100);
        nnd_logistic_constants c = nnd_logistic_constants_of(l);
        test_close("A", far.delta * 1e200, c.a, 1e-14);
        test_close("A", far.e * 1e100, c.a, 1e-14);
        nnd_logistic_free(l);
    }
}
END_TEST

START_TEST(limits_of_small_scale) {
    const size_t sphere[] = {0, 2, 7};
    const double moment4[] = {3.0, 1.5, 3.0 * 7.0 / 9.0};
    for (size_t i = 0; i < 3; i++) {
        nnd_logistic *l = make((nnd_logistic_law){.sphere = sphere[i]});
        double w = 1e-3;
        nnd_logistic_averages a = nnd_logistic_at(l, w), zero = nnd_logistic_at(l, 0.0);
        test_close("h", a.h, w / 4.0 - w * w * w / 48.0 * moment4[i], 1e-12);
        test_close("slope", zero.slope, 0.25, 1e-15);
        test_close("slope", nnd_logistic_at(l, 1e-300).slope, 0.25, 1e-14);
        test_close("e", zero.e, M_LN2, 1e-14);
        test_close("delta", zero.delta, nnd_logistic_constants_of(l).c0, 1e-14);
        test_close("noise", zero.noise, 0.25, 1e-14);
        /* E[x_i^2 x_j^2] is a third of E[x_i^4]. */
        test_close("rise", zero.noise_rise, moment4[i] / 24.0, 1e-14);
        nnd_logistic_free(l);
    }
}
END_TEST

/* A sphere of many dimensions is Gaussian up to 1/D. */
START_TEST(large_spheres_are_gaussian) {
    nnd_logistic *gauss = make((nnd_logistic_law){0});
    for (size_t dim = 1000; dim <= 1000000000; dim *= 1000) {
        nnd_logistic *l = make((nnd_logistic_law){.sphere = dim});
        for (double w = 0.01; w < 1e6; w *= 10.0)
            test_close("delta", nnd_logistic_at(l, w).delta, nnd_logistic_at(gauss, w).delta,
                       1.0 / (double)dim + 1e-14);
        nnd_logistic_free(l);
    }
    nnd_logistic_free(gauss);
}
END_TEST

START_TEST(mixtures_are_averages_of_their_parts) {
    const double weight[] = {1.0, 3.0}, scale[] = {0.02, 5.0}, one[] = {1.0};
    nnd_logistic *l = make((nnd_logistic_law){.components = 2, .weight = weight, .scale = scale});
    nnd_logistic *a = make((nnd_logistic_law){.components = 1, .weight = one, .scale = &scale[0]});
    nnd_logistic *b = make((nnd_logistic_law){.components = 1, .weight = one, .scale = &scale[1]});
    nnd_logistic *unit = make((nnd_logistic_law){0});
    for (double w = 1e-3; w < 1e6; w *= 7.0) {
        nnd_logistic_averages m = nnd_logistic_at(l, w), x = nnd_logistic_at(a, w);
        nnd_logistic_averages y = nnd_logistic_at(b, w);
        test_close("delta", m.delta, 0.25 * x.delta + 0.75 * y.delta, 1e-14);
        test_close("h", m.h, 0.25 * x.h + 0.75 * y.h, 1e-14);
        test_close("e", m.e, 0.25 * x.e + 0.75 * y.e, 1e-14);
        test_close("scaling", y.delta, 5.0 * nnd_logistic_at(unit, 5.0 * w).delta, 1e-14);
        test_close("noise", y.noise, 25.0 * nnd_logistic_at(unit, 5.0 * w).noise, 1e-14);
        test_close("rise", y.noise_rise, 625.0 * nnd_logistic_at(unit, 5.0 * w).noise_rise, 1e-14);
    }
    nnd_logistic_constants c = nnd_logistic_constants_of(l);
    test_close("c0", c.c0, (0.25 * 0.02 + 0.75 * 5.0) / sqrt(2.0 * M_PI), 1e-14);
    test_close("p0", c.p0, (0.25 / 0.02 + 0.75 / 5.0) / sqrt(2.0 * M_PI), 1e-14);
    test_close("p2", c.p2, -(0.25 / 8e-6 + 0.75 / 125.0) / sqrt(2.0 * M_PI), 1e-14);
    nnd_logistic_free(l);
    nnd_logistic_free(a);
    nnd_logistic_free(b);
    nnd_logistic_free(unit);
}
END_TEST

/* A sphere of another radius is the usual one at another scale. */
START_TEST(spheres_have_any_radius) {
    const double one[] = {1.0}, scale[] = {0.7};
    nnd_logistic *unit = make((nnd_logistic_law){.sphere = 3});
    nnd_logistic *l =
        make((nnd_logistic_law){.sphere = 3, .components = 1, .weight = one, .scale = scale});
    test_close("c0", nnd_logistic_constants_of(l).c0, 0.7 * nnd_logistic_constants_of(unit).c0,
               1e-14);
    /* In three dimensions s is uniform. */
    test_close("c0", nnd_logistic_constants_of(l).c0, 0.25 * 0.7 * sqrt(3.0), 1e-14);
    for (double w = 1e-3; w < 1e6; w *= 7.0)
        test_close("h", nnd_logistic_at(l, w).h, 0.7 * nnd_logistic_at(unit, 0.7 * w).h, 1e-14);
    nnd_logistic_free(unit);
    nnd_logistic_free(l);
}
END_TEST

enum { SAMPLES = 100000 };
static double normals[SAMPLES * 6];

/* One sample of x in R^5: Gaussian, on the sphere of radius sqrt(5), or of two scales. */
static void draw(int law, const double *z, double *x) {
    double norm = 0.0;
    for (int i = 0; i < 5; i++)
        norm += z[i] * z[i];
    double factor = law == 0 ? 1.0 : law == 1 ? sqrt(5.0 / norm) : z[5] > 0.0 ? 0.5 : 2.0;
    for (int i = 0; i < 5; i++)
        x[i] = factor * z[i];
}

/* directional.md#eq1: the mean of y x/(1 + exp(y w.x)) over samples is c0 v - h w/|w|. */
static void check_gradient(int law, const nnd_logistic *l, double omega) {
    const double angle = 1.1;
    nnd_logistic_averages a = nnd_logistic_at(l, omega);
    double c0 = nnd_logistic_constants_of(l).c0, sum[3] = {0.0}, square[3] = {0.0};
    for (size_t m = 0; m < SAMPLES; m++) {
        double x[5];
        draw(law, normals + 6 * m, x);
        double y = x[0] > 0.0 ? 1.0 : -1.0;
        double field = omega * (cos(angle) * x[0] + sin(angle) * x[1]);
        for (int i = 0; i < 3; i++) {
            double pull = y * x[i] / (1.0 + exp(y * field));
            sum[i] += pull;
            square[i] += pull * pull;
        }
    }
    const double want[3] = {c0 - a.h * cos(angle), -a.h * sin(angle), 0.0};
    for (int i = 0; i < 3; i++)
        ck_assert_msg(fabs(sum[i] / SAMPLES - want[i]) < 4.0 * sqrt(square[i]) / SAMPLES,
                      "law %d, omega %g, component %d: %g, want %g, s.e. %g", law, omega, i,
                      sum[i] / SAMPLES, want[i], sqrt(square[i]) / SAMPLES);
}

/* Its components perpendicular to w and v have variance noise/n when w = omega v. */
static void check_noise(int law, const nnd_logistic *l, double omega) {
    double second = 0.0, fourth = 0.0;
    for (size_t m = 0; m < SAMPLES; m++) {
        double x[5];
        draw(law, normals + 6 * m, x);
        double pull = x[2] / (1.0 + exp(omega * fabs(x[0])));
        second += pull * pull;
        fourth += pull * pull * pull * pull;
    }
    ck_assert_double_eq_tol(second / SAMPLES, nnd_logistic_at(l, omega).noise,
                            4.0 * sqrt(fourth) / SAMPLES);
}

/* The second derivative of (1 + exp(u))^-2. */
static double bend(double u) {
    double h = 1e-3, f[3];
    for (int k = 0; k < 3; k++)
        f[k] = pow(1.0 + exp(u + (k - 1) * h), -2.0);
    return (f[0] - 2.0 * f[1] + f[2]) / (h * h);
}

/* A difference of three values is exact to h^2 = 1e-6. */
static void check_rise(int law, const nnd_logistic *l, double omega) {
    double sum = 0.0, square = 0.0;
    for (size_t m = 0; m < SAMPLES; m++) {
        double x[5];
        draw(law, normals + 6 * m, x);
        double rise = x[2] * x[2] * x[3] * x[3] * bend(omega * fabs(x[0]));
        sum += rise;
        square += rise * rise;
    }
    ck_assert_double_eq_tol(sum / SAMPLES, nnd_logistic_at(l, omega).noise_rise,
                            4.0 * sqrt(square) / SAMPLES + 1e-6);
}

START_TEST(averages_are_those_of_samples) {
    const double two[] = {1.0, 1.0}, scales[] = {0.5, 2.0};
    const nnd_logistic_law laws[] = {
        {0}, {.sphere = 5}, {.components = 2, .weight = two, .scale = scales}};
    nnd_rng_normals((nnd_rng_key){1, 2, 3}, 0, 0, SAMPLES * 6, normals);
    for (int law = 0; law < 3; law++) {
        nnd_logistic *l = make(laws[law]);
        for (double omega = 0.3; omega < 50.0; omega *= 10.0) {
            check_gradient(law, l, omega);
            check_noise(law, l, omega);
            check_rise(law, l, omega);
        }
        nnd_logistic_free(l);
    }
}
END_TEST

START_TEST(senseless_laws_are_refused) {
    const double bad[] = {1.0, -1.0}, good[] = {1.0, 1.0};
    const nnd_logistic_law laws[] = {
        {.sphere = 1},
        {.components = 2, .weight = bad, .scale = good},
        {.components = 2, .weight = good, .scale = bad},
    };
    nnd_logistic *l = NULL;
    for (size_t i = 0; i < sizeof laws / sizeof *laws; i++)
        ck_assert_int_eq(nnd_logistic_new(ctx, &laws[i], &l), NND_E_INPUT);
    nnd_logistic_free(NULL);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("logistic");
    TCase *tests = tcase_create("logistic");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, fourteen_digits_from_small_to_large_scales);
    tcase_add_test(tests, table_of_the_note);
    tcase_add_test(tests, quadrature_converges_geometrically);
    tcase_add_test(tests, series_continues_the_quadrature);
    tcase_add_test(tests, limits_of_small_scale);
    tcase_add_test(tests, large_spheres_are_gaussian);
    tcase_add_test(tests, mixtures_are_averages_of_their_parts);
    tcase_add_test(tests, spheres_have_any_radius);
    tcase_add_test(tests, averages_are_those_of_samples);
    tcase_add_test(tests, senseless_laws_are_refused);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
