/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data sets: what a case may say of them, what they become, and what is refused. */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "core/rng.h"
#include "nndmft/solvers/quadratic.h"
#include "scratch.h"
#include "support.h"

static nnd_data data;

static void setup(void) {
    scratch_setup();
    memset(&data, 0, sizeof data);
}

static void teardown(void) {
    nnd_params_clear(&nnd_data_table, &data);
    scratch_teardown();
}

/* Reads the key `data` from YAML, with its file if it names one in the scratch folder. */
static void read_data(const char *yaml) {
    nnd_value *map = NULL;
    nnd_params_clear(&nnd_data_table, &data);
    assert_ok(nnd_yaml_read_text(ctx, "data.yaml", yaml, &map));
    assert_ok(nnd_params_read(ctx, &nnd_data_table, map, "params.data", &data));
    nnd_value_free(map);
}

static nnd_status load(const char *name) {
    nnd_frame *arrays = NULL;
    assert_ok(nnd_data_file_read(ctx, scratch_path(name), &arrays));
    nnd_status status = nnd_data_load(ctx, &data, scratch_path(name), arrays);
    nnd_frame_free(arrays);
    return status;
}

static void ck_refused(const char *yaml, const char *key, const char *text) {
    nnd_objection o = {"", ""};
    read_data(yaml);
    ck_assert_msg(!nnd_data_check(&data, &o), "accepted: %s", yaml);
    ck_assert_str_eq(o.key, key);
    ck_assert_msg(strstr(o.text, text) != NULL, "\"%s\" lacks \"%s\"", o.text, text);
}

static void make(const char *yaml, nnd_dataset *set) {
    nnd_objection o = {"", ""};
    read_data(yaml);
    ck_assert_msg(nnd_data_check(&data, &o), "%s: %s", o.key, o.text);
    assert_ok(nnd_dataset_make(ctx, &data, set));
}

/* The Gram matrix of the inputs is that of the set. */
static void ck_gram_of_inputs(const nnd_dataset *set) {
    size_t n = set->samples + set->tests;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0.0;
            for (size_t k = 0; k < set->dim; k++)
                sum += set->inputs[i * set->dim + k] * set->inputs[j * set->dim + k];
            ck_assert_double_eq_tol(sum / (double)set->dim, set->gram[i * n + j], 1e-13);
        }
}

START_TEST(inputs_reproduce_a_given_gram_matrix) {
    nnd_dataset set;
    make("{gram: [[1, 0.4], [0.4, 0.8]], targets: [1, -0.5], test_gram: [[0.5, -0.1]], "
         "test_self: [1]}",
         &set);
    ck_assert_uint_eq(set.samples, 2);
    ck_assert_uint_eq(set.tests, 1);
    ck_assert_double_eq(set.gram[6], 0.5);
    ck_assert_double_eq(set.gram[5], -0.1);
    ck_assert_double_eq(set.gram[8], 1.0);
    assert_status(nnd_dataset_reproduce(ctx, &set, 2), NND_E_INPUT);
    assert_message("rank");
    assert_ok(nnd_dataset_reproduce(ctx, &set, 7));
    ck_assert_uint_eq(set.dim, 7);
    ck_gram_of_inputs(&set);
    nnd_dataset_clear(&set);
}
END_TEST

START_TEST(tests_without_a_block_are_independent_given_the_training_samples) {
    nnd_dataset set;
    make("{gram: [[1, 0.4], [0.4, 0.8]], targets: [1, -0.5], test_gram: [[0.5, -0.1], [0.3, 0.2]], "
         "test_self: [1, 2]}",
         &set);
    /* k_1^T K^-1 k_2 with K^-1 = ((0.8, -0.4), (-0.4, 1))/0.64. */
    double want = (0.5 * (0.8 * 0.3 - 0.4 * 0.2) - 0.1 * (-0.4 * 0.3 + 0.2)) / 0.64;
    ck_assert_double_eq_tol(set.gram[2 * 4 + 3], want, 1e-14);
    ck_assert_double_eq_tol(set.gram[3 * 4 + 2], want, 1e-14);
    assert_ok(nnd_dataset_reproduce(ctx, &set, 0));
    ck_gram_of_inputs(&set);
    nnd_dataset_clear(&set);
}
END_TEST

START_TEST(a_singular_gram_matrix_is_fine) {
    nnd_dataset set;
    make("{gram: [[1, 1], [1, 1]], targets: [1, 1]}", &set);
    assert_ok(nnd_dataset_reproduce(ctx, &set, 1));
    ck_gram_of_inputs(&set);
    nnd_dataset_clear(&set);
}
END_TEST

START_TEST(inputs_in_the_case_have_their_gram_matrix) {
    nnd_dataset set;
    make("{inputs: [[1, 2], [3, -1], [0, 1]], targets: [1, 2, 3], test_inputs: [[1, 1]], "
         "test_targets: 4}",
         &set);
    ck_assert_uint_eq(set.dim, 2);
    ck_assert_double_eq(set.gram[1], 0.5);
    ck_assert_double_eq(set.gram[3], 1.5);
    ck_assert_double_eq(set.test_targets[0], 4.0);
    ck_gram_of_inputs(&set);
    nnd_dataset_clear(&set);
}
END_TEST

START_TEST(whitened_inputs_are_orthonormal_and_sphere_inputs_have_length_sqrt_d) {
    nnd_dataset set;
    make("{generate: whitened, samples: 5, dim: 9, test_samples: 2}", &set);
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 5; j++)
            ck_assert_double_eq_tol(set.gram[i * 7 + j], i == j, 1e-14);
    ck_gram_of_inputs(&set);
    nnd_dataset_clear(&set);
    make("{generate: sphere, samples: 5, dim: 9}", &set);
    for (size_t i = 0; i < 5; i++)
        ck_assert_double_eq_tol(set.gram[i * 5 + i], 1.0, 1e-14);
    nnd_dataset_clear(&set);
}
END_TEST

START_TEST(generated_targets_have_their_law) {
    enum { SAMPLES = 20000 };
    static const struct {
        const char *kind;
        double mean, variance;
    } laws[] = {
        {"linear", 0.0, 4.0}, {"sign", 0.0, 4.0}, {"quadratic", 0.0, 4.0}, {"random", 0.0, 4.0}};
    for (size_t k = 0; k < 4; k++) {
        char yaml[200];
        nnd_dataset set;
        snprintf(yaml, sizeof yaml,
                 "{generate: gaussian, samples: 20, test_samples: 4, dim: 3, seed: 7, noise: 0.5, "
                 "target: {kind: %s, scale: 2}}",
                 laws[k].kind);
        make(yaml, &set);
        nnd_dataset_clear(&set);
        /* Moments over many seeds: 5 standard errors at a fourth moment below 60 * 16. */
        double sum = 0.0, square = 0.0;
        for (int64_t seed = 0; seed < SAMPLES / 100; seed++) {
            data.seed = seed;
            data.samples = 100;
            assert_ok(nnd_dataset_make(ctx, &data, &set));
            for (size_t i = 0; i < 100; i++) {
                sum += set.targets[i] / SAMPLES;
                square += set.targets[i] * set.targets[i] / SAMPLES;
            }
            nnd_dataset_clear(&set);
        }
        /* A whole set shares its teacher: only the quadratic law feels it, through its samples. */
        ck_assert_double_eq_tol(sum, laws[k].mean, 0.1);
        ck_assert_double_eq_tol(square, laws[k].variance + 0.25, 0.6);
    }
}
END_TEST

static void ck_close(const char *what, size_t n, const double *got, const double *want) {
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(fabs(got[i] - want[i]) < 1e-14, "%s[%zu]: want %.17g got %.17g", what, i,
                      want[i], got[i]);
}

/* Inputs from stream 1 of the key (seed, 0, 0), one index each; the teacher from stream 2, noise
 * from 3, random targets from 4. The numbers come from a program of a few lines that draws these
 * streams and applies the definitions in nndmft/dataset.h. */
START_TEST(drawn_data_never_changes) {
    static const double inputs[3][9] = {
        {0.4516789254181134, -0.25639842248969946, 1.4229548029465204, 0.25834964795266857,
         -1.1011241392039504, -1.1176209859820119, -0.32678208203229364, -0.3983116877358441,
         0.3473572719884412},
        {0.5164654551327467, -0.29317490924306583, 1.6270562086925098, 0.2814197538420827,
         -1.1994523184375414, -1.21742230057703, -0.9109012999182159, -1.1102892541560574,
         0.9682544055737056},
        {0.5164654551327467, -0.29317490924306583, 1.6270562086925098, 0.6177160458721412,
         -1.5469255732361185, -0.4748138135524205, -0.32678208203229364, -0.3983116877358441,
         0.3473572719884412}};
    static const struct {
        const char *generate, *kind;
        size_t inputs;    /* row above */
        double target[3]; /* two of training, one of test */
    } law[] = {
        {"gaussian", "linear", 0, {0.12745750131023403, 0.91282132873612976, 1.0803842895910749}},
        {"gaussian", "sign", 0, {-1.8350616595142231, 1.9244692950777926, 2.0}},
        {"gaussian",
         "quadratic",
         0,
         {-1.2487785453800775, -1.1443792642905926, -1.0015353628950181}},
        {"gaussian", "random", 0, {-0.33232728291779023, -0.37312456794980653, 2.3783790321565195}},
        {"regression", "linear", 0, {0.17866295679590863, 1.2795430315349527, 1.5144236288169726}},
        {"sphere", "random", 1, {-0.33232728291779023, -0.37312456794980653, 2.3783790321565195}},
        {"whitened", "random", 2, {-0.33232728291779023, -0.37312456794980653, 2.3783790321565195}},
    };
    for (size_t k = 0; k < sizeof law / sizeof *law; k++) {
        char yaml[200];
        nnd_dataset set;
        snprintf(yaml, sizeof yaml,
                 "{generate: %s, samples: 2, test_samples: 1, dim: 3, seed: 5, noise: 0.25, "
                 "target: {kind: %s, scale: 2}}",
                 law[k].generate, law[k].kind);
        make(yaml, &set);
        ck_close(yaml, 9, set.inputs, inputs[law[k].inputs]);
        ck_close(yaml, 2, set.targets, law[k].target);
        ck_close(yaml, 1, set.test_targets, law[k].target + 2);
        nnd_dataset_clear(&set);
    }
}
END_TEST

/* The quadratic of the drawn samples has a minimiser of norm 1, with more and with fewer samples.
 */
START_TEST(regression_data_has_a_minimiser_of_norm_1) {
    static const char *const cases[] = {
        "{generate: regression, samples: 50, dim: 5, noise: 1, seed: 3}",
        "{generate: regression, samples: 15, dim: 20, noise: 0.5, test_samples: 2}"};
    for (int k = 0; k < 2; k++) {
        nnd_dataset set;
        nnd_quadratic q;
        double norm2 = 0.0;
        make(cases[k], &set);
        assert_ok(nnd_quadratic_fit(ctx, set.samples, set.dim, set.inputs, set.targets, &q));
        for (size_t i = 0; i < set.dim; i++)
            norm2 += q.minimizer[i] * q.minimizer[i];
        test_close("|w*|^2", norm2, 1.0, 1e-12);
        ck_assert(q.floor > (k == 0 ? 0.1 : -1.0) && q.floor < 2.0);
        nnd_quadratic_clear(&q);
        nnd_dataset_clear(&set);
    }
}
END_TEST

START_TEST(the_same_seed_gives_the_same_data) {
    nnd_dataset a, b;
    make("{generate: gaussian, samples: 4, dim: 3, seed: 5}", &a);
    make("{generate: gaussian, samples: 4, dim: 3, seed: 5}", &b);
    ck_assert_mem_eq(a.inputs, b.inputs, 12 * sizeof(double));
    ck_assert_mem_eq(a.targets, b.targets, 4 * sizeof(double));
    nnd_dataset_clear(&b);
    make("{generate: gaussian, samples: 4, dim: 3, seed: 6}", &b);
    ck_assert_double_ne(a.inputs[0], b.inputs[0]);
    nnd_dataset_clear(&a);
    nnd_dataset_clear(&b);
}
END_TEST

START_TEST(a_table_is_read_by_columns) {
    /* A byte order mark, as spreadsheets write it, is no part of a name. */
    static const char csv[] = "\xEF\xBB\xBFx0,x1,label\n1,2,1\n3,4,-1\n5,\"6\",1\n7,8,-1\n";
    nnd_dataset set;
    nnd_objection o = {"", ""};
    scratch_write(scratch_path("t.csv"), csv, strlen(csv));
    read_data("{file: t.csv, inputs: x, targets: label, rows: [2, 0], test_rows: [3]}");
    assert_ok(load("t.csv"));
    ck_assert(nnd_data_check(&data, &o));
    assert_ok(nnd_dataset_make(ctx, &data, &set));
    ck_assert_uint_eq(set.samples, 2);
    ck_assert_double_eq(set.inputs[0], 5.0);
    ck_assert_double_eq(set.inputs[3], 2.0);
    ck_assert_double_eq(set.inputs[5], 8.0);
    ck_assert_double_eq(set.targets[1], 1.0);
    ck_assert_double_eq(set.test_targets[0], -1.0);
    nnd_dataset_clear(&set);
    /* The test samples go by the names of the arrays whose rows they are, so that data written back
     * to a case stands for the same. */
    ck_assert_str_eq(data.test_inputs.name, "x");
    ck_assert_str_eq(data.test_targets.name, "label");
}
END_TEST

/* Loads `data` of a table and returns the first row of the inputs as text. */
static const char *first_inputs(const char *csv, const char *yaml) {
    static char text[200];
    scratch_write(scratch_path("t.csv"), csv, strlen(csv));
    read_data(yaml);
    assert_ok(load("t.csv"));
    text[0] = '\0';
    for (size_t j = 0; j < data.inputs.cols; j++)
        snprintf(text + strlen(text), sizeof text - strlen(text), " %g", data.inputs.value[j]);
    return text;
}

START_TEST(columns_are_named_one_by_one) {
    static const char csv[] = "x0,y,x2,w,x1\n1,2,3,4,5\n6,7,8,9,10\n";
    ck_assert_str_eq(first_inputs(csv, "{file: t.csv, inputs: [x2, w, x0], targets: y}"), " 3 4 1");
    ck_assert_str_eq(first_inputs(csv, "{file: t.csv, inputs: [w], targets: y}"), " 4");
    ck_assert_str_eq(first_inputs(csv, "{file: t.csv, inputs: x, targets: y}"), " 1 5 3");
    /* Written back, the list stands for the same; so does that of test samples of the same file. */
    first_inputs(csv, "{file: t.csv, inputs: [x1, w], targets: y, rows: [0], test_rows: [1]}");
    nnd_value *names = nnd_dense_value(&data.test_inputs);
    ck_assert_uint_eq(names->count, 2);
    ck_assert_str_eq(names->item[0]->text, "x1");
    ck_assert_str_eq(names->item[1]->text, "w");
    ck_assert_double_eq(data.test_inputs.value[1], 9.0);
    nnd_value_free(names);
}
END_TEST

static void load_refused(const char *csv, const char *yaml, const char *message) {
    scratch_write(scratch_path("t.csv"), csv, strlen(csv));
    read_data(yaml);
    assert_status(load("t.csv"), NND_E_INPUT);
    assert_message(message);
}

START_TEST(a_name_that_may_be_several_columns_is_refused_with_these) {
    load_refused("x0,x2,y\n1,2,3\n", "{file: t.csv, inputs: x, targets: y}",
                 "\"x\" may be several columns: x0, x2");
    load_refused("x1,x2,y\n1,2,3\n", "{file: t.csv, inputs: x, targets: y}",
                 "\"x\" may be several columns: x1, x2");
    load_refused("x00,x01,y\n1,2,3\n", "{file: t.csv, inputs: x, targets: y}",
                 "\"x\" may be several columns: x00, x01");
    load_refused("x0,y\n1,2\n", "{file: t.csv, inputs: [x0, z], targets: y}", "no array \"z\"");
    load_refused("width,y\n1,2\n", "{file: t.csv, inputs: widht, targets: y}",
                 "did you mean width?");
}
END_TEST

START_TEST(a_cell_is_a_number_where_a_case_would_take_it_for_one) {
    ck_assert_str_eq(first_inputs("a,y\n1e-1,1\n", "{file: t.csv, inputs: a, targets: y}"), " 0.1");
    static const char *const bad[] = {"0x10", "0x1p3", "infinity", "1_0", "1e999", "NAN(2)"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char csv[64], message[64];
        nnd_frame *arrays = NULL;
        snprintf(csv, sizeof csv, "a,y\n%s,1\n", bad[i]);
        snprintf(message, sizeof message, "line 2, column 1: \"%s\" is not a number", bad[i]);
        scratch_write(scratch_path("t.csv"), csv, strlen(csv));
        assert_status(nnd_data_file_read(ctx, scratch_path("t.csv"), &arrays), NND_E_INPUT);
        assert_message(message);
    }
}
END_TEST

/* Opening a pipe that nobody writes to would wait for ever. */
START_TEST(a_table_that_is_no_regular_file_is_refused) {
    nnd_frame *arrays = NULL;
    ck_assert_int_eq(mkfifo(scratch_path("pipe.csv"), 0600), 0);
    ck_assert_int_eq(symlink("/dev/zero", scratch_path("device.csv")), 0);
    ck_assert_int_eq(mkdir(scratch_path("folder.csv"), 0700), 0);
    static const char *const names[] = {"pipe.csv", "device.csv", "folder.csv"};
    for (size_t i = 0; i < 3; i++) {
        assert_status(nnd_data_file_read(ctx, scratch_path(names[i]), &arrays), NND_E_INPUT);
        assert_message("is not a regular file");
    }
}
END_TEST

/* The name of a link may be a stranger's, who must not learn what it leads to. */
START_TEST(no_message_quotes_a_linked_table) {
    static const char *const secrets[] = {
        "hush:1\nhush:2\n", "hush,b\n1,2\n",     "hush,hush\n1,2\n",       "hush0,hush2\n1,2\n",
        "a,b\nhush,1\n",    "hush\n1\n1,hush\n", "hus0,hus2,hush\n1,2,3\n"};
    ck_assert_int_eq(symlink("secrets", scratch_path("l.csv")), 0);
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        nnd_frame *arrays = NULL;
        scratch_write(scratch_path("secrets"), secrets[i], strlen(secrets[i]));
        read_data("{file: l.csv, inputs: hus, targets: y}");
        nnd_status status = nnd_data_file_read(ctx, scratch_path("l.csv"), &arrays);
        if (status == NND_OK)
            status = nnd_data_load(ctx, &data, scratch_path("l.csv"), arrays);
        nnd_frame_free(arrays);
        ck_assert_int_eq(status, NND_E_INPUT);
        ck_assert_msg(strstr(nnd_context_message(ctx), "hush") == NULL, "%s",
                      nnd_context_message(ctx));
    }
    scratch_write(scratch_path("secrets"), "x0,y\n1,2\n3,4\n", 13);
    read_data("{file: l.csv, inputs: x, targets: y}");
    assert_ok(load("l.csv"));
}
END_TEST

START_TEST(rows_to_test_on_are_those_of_the_test_arrays_if_there_are_any) {
    static const char csv[] = "x0,y,z0,w\n1,10,5,50\n2,20,6,60\n3,30,7,70\n";
    nnd_dataset set;
    scratch_write(scratch_path("t.csv"), csv, strlen(csv));
    read_data("{file: t.csv, inputs: x, targets: y, test_inputs: z, test_targets: w, "
              "test_rows: [2, 0]}");
    assert_ok(load("t.csv"));
    assert_ok(nnd_dataset_make(ctx, &data, &set));
    const double inputs[] = {1.0, 2.0, 3.0, 7.0, 5.0};
    ck_assert_uint_eq(set.samples, 3);
    ck_assert_uint_eq(set.tests, 2);
    ck_close("inputs", 5, set.inputs, inputs);
    ck_assert_double_eq(set.test_targets[0], 70.0);
    ck_assert_double_eq(set.test_targets[1], 50.0);
    nnd_dataset_clear(&set);
}
END_TEST

START_TEST(data_beyond_the_memory_limit_is_refused) {
    nnd_context *small = nnd_context_new(&(nnd_context_options){.memory_limit = 1000000});
    nnd_dataset set;
    read_data("{generate: gaussian, samples: 100, dim: 2000}");
    assert_status(nnd_dataset_make(small, &data, &set), NND_E_LIMIT);
    nnd_dataset_clear(&set);
    nnd_context_free(small);
}
END_TEST

START_TEST(inputs_alone_are_those_of_the_whole_and_need_no_square_of_their_number) {
    nnd_context *small = nnd_context_new(&(nnd_context_options){.memory_limit = 1000000});
    nnd_dataset set, whole;
    read_data("{generate: gaussian, samples: 400, test_samples: 100, dim: 20}");
    assert_status(nnd_dataset_make(small, &data, &set), NND_E_LIMIT);
    assert_ok(nnd_dataset_make_inputs(small, &data, 1, false, &set));
    assert_ok(nnd_dataset_make(ctx, &data, &whole));
    ck_assert_ptr_null(set.gram);
    ck_assert_mem_eq(set.inputs, whole.inputs, 500 * 20 * sizeof(double));
    ck_assert_mem_eq(set.targets, whole.targets, 400 * sizeof(double));
    nnd_dataset_clear(&set);
    nnd_dataset_clear(&whole);
    read_data("{gram: [[1, 0.5], [0.5, 1]], targets: [1, -1]}");
    assert_ok(nnd_dataset_make_inputs(ctx, &data, 1, false, &set));
    ck_assert_double_eq(set.gram[1], 0.5);
    nnd_dataset_clear(&set);
    nnd_context_free(small);
}
END_TEST

START_TEST(standardized_inputs_have_mean_0_and_variance_1_on_training_samples) {
    static const char csv[] = "x0,x1,y\n1,5,0\n3,5,0\n5,5,0\n";
    scratch_write(scratch_path("t.csv"), csv, strlen(csv));
    read_data("{file: t.csv, inputs: x, targets: y, rows: [0, 1], test_rows: [2], "
              "standardize: true}");
    assert_ok(load("t.csv"));
    ck_assert_double_eq(data.inputs.value[0], -1.0);
    ck_assert_double_eq(data.inputs.value[2], 1.0);
    ck_assert_double_eq(data.inputs.value[1], 0.0); /* constant */
    ck_assert_double_eq(data.test_inputs.value[0], 3.0);
}
END_TEST

/* Ten tenths of 0.1 add up to less than 0.1: rounding is no variance. */
START_TEST(a_constant_input_is_standardized_to_zero_whatever_its_mean_rounds_to) {
    char csv[200] = "x0,y\n";
    for (int i = 0; i < 10; i++)
        strcat(csv, "0.1,0\n");
    scratch_write(scratch_path("t.csv"), csv, strlen(csv));
    read_data("{file: t.csv, inputs: x, targets: y, standardize: true}");
    assert_ok(load("t.csv"));
    for (int i = 0; i < 10; i++)
        ck_assert_double_eq(data.inputs.value[i], 0.0);
}
END_TEST

/* ---- several outputs, classes ---- */

static void make_outputs(const char *yaml, size_t outputs, bool centred, nnd_dataset *set) {
    nnd_objection o = {"", ""};
    read_data(yaml);
    ck_assert_msg(nnd_data_check_outputs(&data, outputs, &o), "%s: %s", o.key, o.text);
    assert_ok(nnd_dataset_make_outputs(ctx, &data, outputs, centred, set));
}

static void ck_classes_refused(const char *yaml, size_t outputs, const char *key,
                               const char *text) {
    nnd_objection o = {"", ""};
    read_data(yaml);
    ck_assert_msg(!nnd_data_check_classes(&data, outputs, &o), "accepted: %s", yaml);
    ck_assert_str_eq(o.key, key);
    ck_assert_msg(strstr(o.text, text) != NULL, "\"%s\" lacks \"%s\"", o.text, text);
}

START_TEST(classes_stand_for_the_targets_of_the_documented_table) {
    const char *three = "{gram: [[1, 0], [0, 1]], labels: [2, 0], test_gram: [[0, 0]], "
                        "test_self: [1], test_labels: [1]}";
    const double one_hot[] = {0, 0, 1, 1, 0, 0, 0, 1, 0};
    nnd_dataset set;
    make_outputs(three, 3, false, &set);
    ck_assert_uint_eq(set.outputs, 3);
    ck_close("targets", 6, set.targets, one_hot);
    ck_close("test targets", 3, set.test_targets, one_hot + 6);
    nnd_dataset_clear(&set);
    make_outputs(three, 3, true, &set);
    for (size_t i = 0; i < 6; i++)
        ck_assert_double_eq_tol(set.targets[i], one_hot[i] - 1.0 / 3.0, 1e-16);
    nnd_dataset_clear(&set);
    const double signs[] = {1, -1};
    make_outputs("{gram: [[1, 0], [0, 1]], labels: [1, 0]}", 1, true, &set);
    ck_close("signs", 2, set.targets, signs);
    nnd_dataset_clear(&set);
}
END_TEST

START_TEST(the_class_of_values_is_their_largest_and_of_one_its_sign) {
    ck_assert_uint_eq(nnd_class_of(3, (double[]){-1.0, 4.0, 2.0}), 1);
    ck_assert_uint_eq(nnd_class_of(3, (double[]){2.0, 1.0, 2.0}), 0);
    ck_assert_uint_eq(nnd_class_of(1, (double[]){0.1}), 1);
    ck_assert_uint_eq(nnd_class_of(1, (double[]){0.0}), 0);
}
END_TEST

START_TEST(targets_of_several_outputs_are_rows_of_as_many_numbers) {
    const double targets[] = {1, 2, 3, 4};
    nnd_dataset set;
    make_outputs("{gram: [[1, 0], [0, 1]], targets: [[1, 2], [3, 4]]}", 2, true, &set);
    ck_close("targets", 4, set.targets, targets);
    nnd_dataset_clear(&set);
    ck_classes_refused("{gram: [[1, 0], [0, 1]], targets: [[1, 2], [3, 4]]}", 3, "data.targets",
                       "2 x 2 numbers; allowed: 2 x 3");
    ck_refused("{gram: [[1, 0], [0, 1]], targets: [[1, 2], [3, 4]]}", "data.targets",
               "allowed: 2 x 1");
}
END_TEST

START_TEST(labels_and_targets_that_are_no_classes_are_refused) {
    const char *gram = "{gram: [[1, 0], [0, 1]], ";
    const struct {
        const char *rest;
        size_t outputs;
        const char *key, *text;
    } all[] = {
        {"labels: [0, 3]}", 3, "data.labels", "row 1 is 3; allowed: classes 0..2"},
        {"labels: [0, 0.5]}", 3, "data.labels", "row 1 is 0.5"},
        {"labels: [0, 2]}", 1, "data.labels", "allowed: classes 0..1"},
        {"labels: [0, 1], targets: [1, 2]}", 2, "data.targets", "allowed: one of them"},
        {"targets: [1, -1], test_labels: [0]}", 1, "data.test_labels", "it goes with labels"},
        {"labels: [0, 1], test_labels: [0]}", 1, "data.test_labels", "there are no test samples"},
        {"targets: [1, 0]}", 1, "data.targets", "row 1 is 0; allowed: -1 and 1"},
        {"targets: [[0.5, 0.5], [0.5, 0.6]]}", 2, "data.targets", "row 1 has the sum 1.1"},
        {"targets: [[2, -1], [1, 0]]}", 2, "data.targets", "the least number -1"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml, "%s%s", gram, all[i].rest);
        ck_classes_refused(yaml, all[i].outputs, all[i].key, all[i].text);
    }
    ck_refused("{gram: [[1, 0], [0, 1]], labels: [0, 1]}", "data.labels", "no targets of this");
    ck_refused("{generate: gaussian, target: classes}", "data.target", "no targets of this");
    ck_classes_refused("{generate: gaussian, target: linear}", 2, "data.target", "classes");
    ck_classes_refused("{generate: gaussian, target: classes, noise: 1}", 2, "data.noise",
                       "means nothing");
}
END_TEST

/* Each output has a teacher of its own, that of one output is the first. */
START_TEST(generated_outputs_are_linear_in_the_inputs_and_classes_their_largest) {
    enum { P = 40, D = 5, C = 3 };
    nnd_dataset one, all, classes;
    make("{generate: gaussian, samples: 40, dim: 5}", &one);
    make_outputs("{generate: gaussian, samples: 40, dim: 5}", C, false, &all);
    make_outputs("{generate: gaussian, samples: 40, dim: 5, target: classes}", C, true, &classes);
    double x[P * D], y[P * C], singular[D];
    lapack_int rank;
    for (size_t i = 0; i < P; i++) {
        ck_assert_double_eq(one.targets[i], all.targets[i * C]);
        size_t class = nnd_class_of(C, all.targets + i * C);
        for (size_t c = 0; c < C; c++)
            ck_assert_double_eq_tol(classes.targets[i * C + c], (c == class ? 2.0 : -1.0) / 3.0,
                                    1e-15);
    }
    memcpy(x, all.inputs, sizeof x);
    memcpy(y, all.targets, sizeof y);
    ck_assert_int_eq(LAPACKE_dgelsd(LAPACK_ROW_MAJOR, P, D, C, x, D, y, C, singular, -1.0, &rank),
                     0);
    for (size_t c = 0; c < C; c++) {
        double norm2 = 0.0;
        for (size_t j = 0; j < D; j++)
            norm2 += y[j * C + c] * y[j * C + c];
        ck_assert_double_eq_tol(norm2, 1.0, 1e-12);
        ck_assert(c == 0 || fabs(y[c] - y[0]) > 1e-3);
    }
    nnd_dataset_clear(&one);
    nnd_dataset_clear(&all);
    nnd_dataset_clear(&classes);
}
END_TEST

START_TEST(labels_of_a_file_are_taken_by_rows_and_count_in_its_checksum) {
    static const char csv[] = "x,k\n1,0\n2,1\n3,2\n4,1\n";
    nnd_dataset set;
    scratch_write(scratch_path("t.csv"), csv, strlen(csv));
    read_data("{file: t.csv, inputs: x, labels: k, rows: [2, 0], test_rows: [3]}");
    assert_ok(load("t.csv"));
    ck_assert(nnd_data_has_classes(&data));
    assert_ok(nnd_dataset_make_outputs(ctx, &data, 3, false, &set));
    const double targets[] = {0, 0, 1, 1, 0, 0}, test[] = {0, 1, 0};
    ck_close("targets", 6, set.targets, targets);
    ck_close("test targets", 3, set.test_targets, test);
    nnd_dataset_clear(&set);
    char yaml[128];
    snprintf(yaml, sizeof yaml,
             "{file: t.csv, inputs: x, labels: x, rows: [2, 0], test_rows: [3], "
             "checksum: \"%s\"}",
             data.checksum);
    read_data(yaml);
    assert_status(load("t.csv"), NND_E_INPUT);
    assert_message("checksum");
}
END_TEST

/* Classes 3 and 0 against the others; what is no class is left to be refused. */
START_TEST(labels_of_a_file_become_two_classes) {
    static const char csv[] = "x,k\n1,0\n2,1\n3,2\n4,3\n5,0.5\n";
    scratch_write(scratch_path("t.csv"), csv, strlen(csv));
    read_data("{file: t.csv, inputs: x, labels: k, positive: [3, 0], rows: [0, 1, 2, 3]}");
    assert_ok(load("t.csv"));
    const double classes[] = {1, 0, 0, 1};
    ck_close("classes", 4, data.labels.value, classes);
    nnd_objection o = {"", ""};
    ck_assert(nnd_data_check_outputs(&data, 1, &o));
    read_data("{file: t.csv, inputs: x, labels: k, positive: [3, 0]}");
    assert_ok(load("t.csv"));
    ck_assert(!nnd_data_check_outputs(&data, 1, &o));
    ck_assert_str_eq(o.key, "data.labels");
    ck_refused("{inputs: [[1], [2]], targets: [0, 1], positive: [1]}", "data.positive",
               "it goes with labels of a file");
}
END_TEST

START_TEST(a_changed_file_is_refused_by_its_checksum) {
    static const char before[] = "x0,y\n1,0\n3,0\n", after[] = "x0,y\n1,0\n3,1\n";
    char yaml[200];
    scratch_write(scratch_path("t.csv"), before, strlen(before));
    read_data("{file: t.csv, inputs: x, targets: y}");
    assert_ok(load("t.csv"));
    snprintf(yaml, sizeof yaml, "{file: t.csv, inputs: x, targets: y, checksum: \"%s\"}",
             data.checksum);
    read_data(yaml);
    assert_ok(load("t.csv"));
    scratch_write(scratch_path("t.csv"), after, strlen(after));
    read_data(yaml);
    assert_status(load("t.csv"), NND_E_INPUT);
    assert_message("checksum");
}
END_TEST

/* 64-bit FNV-1a over the little-endian doubles 0, 2 (targets), 1, 3 (inputs), as Python has it. */
START_TEST(checksums_of_earlier_versions_are_still_accepted) {
    static const char csv[] = "x0,y\n1,0\n3,2\n", after[] = "x0,y\n1,0\n3,4\n";
    const char *yaml = "{file: t.csv, inputs: x, targets: y, checksum: \"6929dbc43edeacb0\"}";
    scratch_write(scratch_path("t.csv"), csv, strlen(csv));
    read_data(yaml);
    assert_ok(load("t.csv"));
    ck_assert_str_eq(data.checksum, "6929dbc43edeacb0");
    scratch_write(scratch_path("t.csv"), after, strlen(after));
    read_data(yaml);
    assert_status(load("t.csv"), NND_E_INPUT);
}
END_TEST

START_TEST(damaged_tables_are_refused_with_their_line) {
    static const struct {
        const char *csv, *text;
    } bad[] = {{"x0,y\n1,a\n", "line 2, column 2: \"a\" is not a number"},
               {"x0,y\n1,2,3\n", "line 2: more columns"},
               {"x0,y\n1\n", "line 2 has 1 columns"},
               {"x0,y\n", "no rows"},
               {"", "no rows"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        nnd_frame *arrays = NULL;
        scratch_write(scratch_path("t.csv"), bad[i].csv, strlen(bad[i].csv));
        ck_assert_int_lt(nnd_data_file_read(ctx, scratch_path("t.csv"), &arrays), 0);
        assert_message(bad[i].text);
        assert_message("t.csv");
    }
    nnd_frame *arrays = NULL;
    assert_status(nnd_data_file_read(ctx, scratch_path("none.csv"), &arrays), NND_E_IO);
    assert_message("none.csv");
}
END_TEST

START_TEST(names_rows_and_shapes_of_a_file_are_checked) {
    static const char csv[] = "x0,x1,y\n1,2,\n3,4,1\n";
    nnd_objection o = {"", ""};
    scratch_write(scratch_path("t.csv"), csv, strlen(csv));
    read_data("{file: t.csv, inputs: z, targets: y}");
    assert_status(load("t.csv"), NND_E_INPUT);
    assert_message("no array \"z\"; it has: x0, x1, y");
    read_data("{file: t.csv, inputs: x, targets: y, rows: [2]}");
    assert_status(load("t.csv"), NND_E_INPUT);
    assert_message("row 2 is beyond the 2 rows");
    read_data("{file: t.csv, inputs: x, targets: [1, 2], rows: [1]}");
    assert_status(load("t.csv"), NND_E_INPUT);
    assert_message("`targets` stands in the case");
    read_data("{file: t.csv, inputs: x, targets: y}");
    assert_ok(load("t.csv"));
    ck_assert(!nnd_data_check(&data, &o));
    ck_assert_str_eq(o.key, "data.targets");
    ck_assert_msg(strstr(o.text, "row 0, column 0 is nan") != NULL, "%s", o.text);
}
END_TEST

START_TEST(unsound_data_is_refused_with_its_key) {
    ck_refused("{targets: [1]}", "data", "no data");
    ck_refused("{gram: [[1]], inputs: [[1]], targets: [1]}", "data", "more than one kind");
    ck_refused("{gram: [[1, 2]], targets: [1]}", "data.gram", "1 x 2");
    ck_refused("{gram: [[1, 0.5], [0.4, 1]], targets: [1, 1]}", "data.gram", "symmetric");
    ck_refused("{gram: [[1, 2], [2, 1]], targets: [1, 1]}", "data.gram", "smallest eigenvalue");
    ck_refused("{gram: [[1, 0], [0, 1]], targets: [1]}", "data.targets", "1 x 1");
    ck_refused("{gram: [[1]]}", "data.targets", "missing");
    ck_refused("{gram: [[1]], targets: [1], test_gram: [[2]], test_self: [1]}", "data.test_gram",
               "smallest eigenvalue");
    ck_refused("{gram: [[1]], targets: [1], test_gram: [[0.5]]}", "data.test_self", "needs one of");
    ck_refused("{gram: [[1]], targets: [1], test_targets: [1]}", "data.test_targets", "no test");
    ck_refused("{inputs: x, targets: [1]}", "data.inputs", "no `file`");
    ck_refused("{inputs: [[1]], targets: [1], rows: [0]}", "data.rows", "no `file`");
    ck_refused("{generate: whitened, samples: 9, dim: 8}", "data.samples", "9 whitened");
    ck_refused("{generate: gaussian, targets: [1]}", "data.targets", "draws its targets");
    ck_refused("{minimizer: [1]}", "data.covariance", "missing");
    ck_refused("{inputs: [[1]], targets: [1], test_gram: [[1]]}", "data.test_gram",
               "goes with gram");
    ck_refused("{generate: gaussian, test_targets: [1]}", "data.test_targets", "means nothing");
    ck_refused("{covariance: [[1]], minimizer: [1], targets: [1]}", "data.targets",
               "means nothing");
    ck_refused("{inputs: [[1]], targets: [1], seed: 2}", "data.seed", "goes with generate");
}
END_TEST

/* The smallest and the largest eigenvalue of K with one more sample, by LAPACK. */
static void joint_eigenvalues(const double *gram, size_t p, const double *row, double self,
                              double ends[2]) {
    double a[64], value[8];
    size_t n = p + 1;
    for (size_t i = 0; i < p; i++) {
        memcpy(a + i * n, gram + i * p, p * sizeof *a);
        a[p * n + i] = row[i];
    }
    a[p * n + p] = self;
    ck_assert_int_eq(LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'N', 'L', (int)n, a, (int)n, value), 0);
    ends[0] = value[0];
    ends[1] = value[p];
}

/* One eigenvalue problem for all test samples says of each what its own would: of random samples in
 * the span of the training inputs, a little inside and outside of what a Gram matrix allows, and
 * out of the span. */
START_TEST(each_test_sample_is_judged_by_the_eigenvalues_of_both) {
    enum { P = 6, D = 4, TRIES = 60 };
    double x[P * D], y[D], gram[P * P], row[P], target[P] = {0.0}, ends[2];
    int accepted = 0;
    for (uint64_t k = 0; k < TRIES; k++) {
        nnd_rng_key key = {7, k, 0};
        nnd_objection o = {"", ""};
        double self = 0.0, factor[] = {1.0 + 1e-6, 1.0, 1.0 - 1e-6};
        nnd_rng_normals(key, 1, 0, P * D, x);
        nnd_rng_normals(key, 2, 0, D, y);
        for (int i = 0; i < P; i++) {
            row[i] = cblas_ddot(D, x + i * D, 1, y, 1) + (k % 4 == 3 ? 1e-3 * i : 0.0);
            for (int j = 0; j < P; j++)
                gram[i * P + j] = cblas_ddot(D, x + i * D, 1, x + j * D, 1);
        }
        self = cblas_ddot(D, y, 1, y, 1) * factor[k % 3];
        const nnd_data d = {.gram = {.rows = P, .cols = P, .value = gram},
                            .targets = {.rows = P, .cols = 1, .value = target},
                            .test_gram = {.rows = 1, .cols = P, .value = row},
                            .test_self = {.rows = 1, .cols = 1, .value = &self},
                            .samples = 8,
                            .dim = 16,
                            .seed = 1,
                            .target.scale = 1.0};
        joint_eigenvalues(gram, P, row, self, ends);
        bool wanted = ends[0] >= -1e-10 * ends[1], got = nnd_data_check(&d, &o);
        ck_assert_msg(got == wanted, "sample %d: %s %s, eigenvalues %g to %g", (int)k, o.key,
                      o.text, ends[0], ends[1]);
        ck_assert(got || strcmp(o.key, "data.test_gram") == 0);
        accepted += got;
    }
    ck_assert_msg(accepted == 30, "%d accepted", accepted);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("dataset");
    TCase *tests = tcase_create("dataset");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, inputs_reproduce_a_given_gram_matrix);
    tcase_add_test(tests, tests_without_a_block_are_independent_given_the_training_samples);
    tcase_add_test(tests, a_singular_gram_matrix_is_fine);
    tcase_add_test(tests, inputs_in_the_case_have_their_gram_matrix);
    tcase_add_test(tests, whitened_inputs_are_orthonormal_and_sphere_inputs_have_length_sqrt_d);
    tcase_add_test(tests, generated_targets_have_their_law);
    tcase_add_test(tests, drawn_data_never_changes);
    tcase_add_test(tests, regression_data_has_a_minimiser_of_norm_1);
    tcase_add_test(tests, the_same_seed_gives_the_same_data);
    tcase_add_test(tests, a_table_is_read_by_columns);
    tcase_add_test(tests, columns_are_named_one_by_one);
    tcase_add_test(tests, a_name_that_may_be_several_columns_is_refused_with_these);
    tcase_add_test(tests, a_cell_is_a_number_where_a_case_would_take_it_for_one);
    tcase_add_test(tests, a_table_that_is_no_regular_file_is_refused);
    tcase_add_test(tests, no_message_quotes_a_linked_table);
    tcase_add_test(tests, rows_to_test_on_are_those_of_the_test_arrays_if_there_are_any);
    tcase_add_test(tests, data_beyond_the_memory_limit_is_refused);
    tcase_add_test(tests, inputs_alone_are_those_of_the_whole_and_need_no_square_of_their_number);
    tcase_add_test(tests, standardized_inputs_have_mean_0_and_variance_1_on_training_samples);
    tcase_add_test(tests, a_constant_input_is_standardized_to_zero_whatever_its_mean_rounds_to);
    tcase_add_test(tests, classes_stand_for_the_targets_of_the_documented_table);
    tcase_add_test(tests, the_class_of_values_is_their_largest_and_of_one_its_sign);
    tcase_add_test(tests, targets_of_several_outputs_are_rows_of_as_many_numbers);
    tcase_add_test(tests, labels_and_targets_that_are_no_classes_are_refused);
    tcase_add_test(tests, generated_outputs_are_linear_in_the_inputs_and_classes_their_largest);
    tcase_add_test(tests, labels_of_a_file_become_two_classes);
    tcase_add_test(tests, labels_of_a_file_are_taken_by_rows_and_count_in_its_checksum);
    tcase_add_test(tests, a_changed_file_is_refused_by_its_checksum);
    tcase_add_test(tests, checksums_of_earlier_versions_are_still_accepted);
    tcase_add_test(tests, damaged_tables_are_refused_with_their_line);
    tcase_add_test(tests, names_rows_and_shapes_of_a_file_are_checked);
    tcase_add_test(tests, unsound_data_is_refused_with_its_key);
    tcase_add_test(tests, each_test_sample_is_judged_by_the_eigenvalues_of_both);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
