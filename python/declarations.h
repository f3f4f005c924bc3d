/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the Python package uses of the public headers. The compiler checks it against them; "..."
 * is what it fills in. */

typedef struct nnd_context nnd_context;
typedef struct nnd_frame nnd_frame;
typedef int... nnd_status;
typedef int... nnd_log_level;

#define NND_OK ...
#define NND_DIVERGED ...
#define NND_NOT_CONVERGED ...
#define NND_E_MEMORY ...
#define NND_E_INPUT ...
#define NND_E_LIMIT ...
#define NND_E_IO ...
#define NND_E_FORMAT ...
#define NND_E_INTERRUPTED ...
#define NND_E_UNSOLVED ...
#define NND_LOG_WARNING ...
#define NND_LOG_NOTE ...

const char *nnd_version(void);
const char *nnd_git_describe(void);

/* context.h */
typedef struct {
    int threads;
    size_t memory_limit;
    void (*log)(void *user, nnd_log_level level, const char *line);
    void (*progress)(void *user, const char *what, double done, size_t total);
    void *user;
    ...;
} nnd_context_options;
nnd_context *nnd_context_new(const nnd_context_options *options);
void nnd_context_free(nnd_context *ctx);
const char *nnd_context_message(const nnd_context *ctx);
void nnd_context_interrupt(nnd_context *ctx);
nnd_status nnd_fail(nnd_context *ctx, nnd_status status, const char *format, ...);

/* frame.h */
typedef int... nnd_coord_kind;
#define NND_COORD_INTEGER ...
#define NND_COORD_REAL ...
#define NND_COORD_TEXT ...
typedef struct {
    char *name;
    nnd_coord_kind kind;
    size_t length;
    double *value;
    char **text;
    ...;
} nnd_dim;
typedef struct {
    char *name;
    size_t ndims;
    size_t dim[...];
    size_t shape[...];
    size_t count;
    double *data;
    ...;
} nnd_array;
typedef struct {
    char *array, *key, *text;
    double number;
    ...;
} nnd_attribute;
nnd_status nnd_frame_new(nnd_context *ctx, nnd_frame **frame);
void nnd_frame_free(nnd_frame *frame);
nnd_status nnd_frame_add_dim(nnd_frame *frame, const char *name, nnd_coord_kind kind, size_t length,
                             const double *value);
nnd_status nnd_frame_add_range(nnd_frame *frame, const char *name, size_t length, double first);
nnd_status nnd_frame_add_text_dim(nnd_frame *frame, const char *name, size_t length,
                                  const char *const *text);
nnd_status nnd_frame_add(nnd_frame *frame, const char *name, const char *dims, double **data);
nnd_status nnd_frame_set_text(nnd_frame *frame, const char *array, const char *key,
                              const char *text);
nnd_status nnd_frame_set_number(nnd_frame *frame, const char *array, const char *key,
                                double number);
size_t nnd_frame_array_count(const nnd_frame *frame);
const nnd_array *nnd_frame_array(const nnd_frame *frame, size_t i);
size_t nnd_frame_dim_count(const nnd_frame *frame);
const nnd_dim *nnd_frame_dim(const nnd_frame *frame, size_t i);
size_t nnd_frame_attribute_count(const nnd_frame *frame);
const nnd_attribute *nnd_frame_attribute(const nnd_frame *frame, size_t i);

/* value.h */
typedef int... nnd_value_kind;
#define NND_VALUE_LIST ...
#define NND_VALUE_MAP ...
typedef struct nnd_value nnd_value;
struct nnd_value {
    nnd_value_kind kind;
    char *text;
    bool quoted;
    size_t count;
    char **key;
    nnd_value **item;
    ...;
};
nnd_value *nnd_value_scalar(const char *text, bool quoted, const char *where);
nnd_value *nnd_value_list(const char *where);
nnd_value *nnd_value_map(const char *where);
bool nnd_value_append(nnd_value *list, nnd_value *item);
bool nnd_value_put(nnd_value *map, const char *key, nnd_value *item);
void nnd_value_free(nnd_value *value);

/* table.h */
typedef int... nnd_param_type;
#define NND_REAL ...
#define NND_INTEGER ...
#define NND_BOOL ...
#define NND_CHOICE ...
#define NND_TEXT ...
#define NND_REALS ...
#define NND_INTEGERS ...
#define NND_TEXTS ...
#define NND_DENSE ...
#define NND_GROUP ...
typedef struct nnd_param_table nnd_param_table;
typedef struct {
    const char *name;
    nnd_param_type type;
    const char *fallback;
    const char *doc;
    const char *const *choices;
    const nnd_param_table *group;
    const char *shorthand;
    const char *long_name;
    const char *symbol;
    ...;
} nnd_param;
struct nnd_param_table {
    const nnd_param *param;
    size_t count;
    ...;
};
void nnd_param_allowed(const nnd_param *param, size_t size, char *text);
typedef struct {
    const char *name, *dims, *long_name, *equation, *view, *unit;
    bool nullable;
    const char *symbol;
    ...;
} nnd_variable;

/* model.h */
typedef struct {
    const char *name, *summary, *page;
    const nnd_param_table *params;
    size_t variable_count;
    const nnd_variable *variables;
    const nnd_param_table *simulate;
    bool sized;
    ...;
} nnd_model;
const nnd_model *nnd_model_find(const char *name);
const nnd_model *nnd_model_at(size_t i);

/* case.h */
typedef struct {
    int64_t base_seed;
    ...;
} nnd_simulate;
typedef struct {
    size_t count;
    char **value;
    ...;
} nnd_texts;
typedef struct {
    size_t points;
    ...;
} nnd_sweep;
typedef struct {
    double rtol, until, alpha;
    nnd_texts vars;
    ...;
} nnd_compare_options;
typedef struct {
    const nnd_model *model;
    char *name;
    nnd_sweep sweep;
    void **params;
    bool simulates;
    nnd_simulate simulate;
    nnd_compare_options compare;
    nnd_value *resolved;
    ...;
} nnd_case;
typedef struct {
    const char *stem, *folder;
    nnd_status (*read)(nnd_context *ctx, const char *path, nnd_frame **arrays);
    ...;
} nnd_case_source;
extern const nnd_param_table nnd_simulate_table, nnd_compare_table;
nnd_status nnd_case_resolve(nnd_context *ctx, const nnd_value *tree, const nnd_case_source *source,
                            nnd_case **out);
void nnd_case_free(nnd_case *c);

/* theory.h, simulate.h, store.h */
typedef struct { ...; } nnd_store;
nnd_store *nnd_memory_store_new(void);
void nnd_memory_store_free(nnd_store *store);
nnd_status nnd_theory_run(nnd_context *ctx, const nnd_case *c, nnd_store *shared,
                          nnd_frame **frame);
typedef struct {
    nnd_frame *mc, *seeds, *weights, *influence;
    ...;
} nnd_ensemble;
void nnd_ensemble_clear(nnd_ensemble *ensemble);
typedef struct {
    nnd_status (*recipe)(nnd_context *ctx, const void *params, size_t size, nnd_frame **recipe);
    ...;
} nnd_simulator;
const nnd_simulator *nnd_simulator_find(const nnd_model *model);
nnd_status nnd_ensemble_check(nnd_context *ctx, const nnd_case *c);
nnd_status nnd_ensemble_check_memory(nnd_context *ctx, const nnd_case *c);
nnd_status nnd_ensemble_run(nnd_context *ctx, const nnd_case *c, nnd_store *store,
                            nnd_ensemble *ensemble);

/* find.h, transfer.h */
typedef int... nnd_goal;
typedef int... nnd_relation;
#define NND_FIND_ZERO ...
#define NND_FIND_MIN ...
#define NND_FIND_MAX ...
#define NND_FIND_DIVERGENCE ...
#define NND_BELOW ...
#define NND_ABOVE ...
#define NND_ACROSS ...
typedef struct {
    const char *dim;
    double value;
    ...;
} nnd_coordinate;
typedef struct {
    const nnd_param *param;
    double low, high;
    nnd_goal goal;
    const nnd_variable *variable;
    double level;
    size_t points;
    size_t coordinates;
    const nnd_coordinate *at;
    const nnd_variable *subject;
    nnd_relation relation;
    double bound;
    ...;
} nnd_find_options;
typedef struct {
    double param, uncertainty, value, value_se, gap;
    bool at_edge;
    ...;
} nnd_found;
typedef struct {
    const nnd_variable *variable;
    nnd_relation relation;
    double level;
    size_t coordinates;
    const nnd_coordinate *at;
    ...;
} nnd_first_options;
nnd_status nnd_find(nnd_context *ctx, const nnd_model *model, const void *params,
                    const nnd_find_options *options, nnd_found *found);
nnd_status nnd_find_first(nnd_context *ctx, const nnd_model *model, const void *params,
                          const nnd_first_options *options, nnd_found *found);
typedef struct {
    const char *rate;
    const nnd_variable *loss;
    const nnd_frame *theory, *mc, *influence;
    size_t widths;
    const double *width;
    ...;
} nnd_transfer_options;
typedef int... nnd_transfer_outcome;
const char *nnd_transfer_text(nnd_transfer_outcome outcome);
#define NND_TRANSFER_UNKNOWN ...
nnd_status nnd_transfer(nnd_context *ctx, const nnd_model *model,
                        const nnd_transfer_options *options, nnd_frame **answers);

/* compare.h */
typedef struct {
    nnd_frame *frame;
    ...;
} nnd_comparison;
typedef struct {
    const nnd_frame *mc, *influence;
    double seeds;
    uint64_t base_seed;
    ...;
} nnd_simulated;
nnd_status nnd_compare(nnd_context *ctx, const nnd_model *model, const nnd_compare_options *options,
                       const nnd_frame *theory, const nnd_simulated *simulated,
                       nnd_comparison **comparison);
void nnd_comparison_free(nnd_comparison *comparison);
typedef struct {
    double more_seeds;
    const char *name;
    ...;
} nnd_detection;
nnd_status nnd_detect(nnd_context *ctx, const nnd_model *model, const nnd_compare_options *options,
                      const nnd_frame *wrong, const nnd_simulated *simulated,
                      const nnd_comparison *comparison, nnd_detection *detection);

/* coordinates.h */
typedef int... nnd_coordinate_verdict;
#define NND_COORDINATE_OTHERWISE ...
const char *nnd_coordinate_text(nnd_coordinate_verdict verdict);
nnd_status nnd_coordinates_check(nnd_context *ctx, const nnd_case *c);
nnd_status nnd_coordinates(nnd_context *ctx, const nnd_case *c, nnd_ensemble *ensemble,
                           nnd_frame **theory, nnd_frame **answers);

/* similarity.h */
#define NND_SIMILARITIES ...
const char *nnd_similarity_name(int measure);
const char *nnd_similarity_equation(int measure);
typedef struct {
    uint64_t base_seed, seed, size;
} nnd_rng_key;
typedef struct {
    bool wanted[...];
    bool uncentred;
    size_t neighbours;
    double variance;
    size_t permutations, resamples;
    nnd_rng_key key;
    ...;
} nnd_similarity_options;
nnd_similarity_options nnd_similarity_defaults(void);
typedef struct {
    double value, value_se, debiased, debiased_se, null, null_sd, p_value;
    ...;
} nnd_similarity;
typedef struct {
    size_t n, width[2];
    const double *x[2];
    const char *name[2];
    ...;
} nnd_representations;
nnd_status nnd_similarity_measure_all(nnd_context *ctx, const nnd_representations *r,
                                      const nnd_similarity_options *options,
                                      nnd_similarity *result);

/* io.h */
nnd_status nnd_yaml_read_file(nnd_context *ctx, const char *path, nnd_value **tree);
nnd_status nnd_yaml_read_text(nnd_context *ctx, const char *name, const char *text,
                              nnd_value **tree);
nnd_status nnd_yaml_override(nnd_context *ctx, nnd_value *tree, const char *assignment);
char *nnd_yaml_text(const nnd_value *tree);
nnd_status nnd_data_file_read(nnd_context *ctx, const char *path, nnd_frame **arrays);
typedef struct {
    nnd_frame *theory, *mc, *compare, *seeds, *influence, *weights;
    char *case_text, *model, *version, *created, *history;
    ...;
} nnd_result;
void nnd_result_clear(nnd_result *result);
nnd_status nnd_result_write(nnd_context *ctx, const char *path, const nnd_result *result);
nnd_status nnd_result_read(nnd_context *ctx, const char *path, nnd_result *result);
typedef struct nnd_output nnd_output;
nnd_status nnd_output_open(nnd_context *ctx, const char *path, nnd_output **output);
const char *nnd_output_path(const nnd_output *output);
nnd_status nnd_output_close(nnd_context *ctx, nnd_output *output, bool keep);
typedef struct {
    size_t count;
    const nnd_result *result;
    const char *const *path;
    const char *documents;
    ...;
} nnd_report;
nnd_status nnd_report_write(nnd_context *ctx, const nnd_report *report, FILE *out);
nnd_status nnd_result_annotate(nnd_frame *frame, const nnd_model *model);

void free(void *);

/* Called by the library, from any of its threads. */
extern "Python" {
void nndmft_log(void *user, nnd_log_level level, const char *line);
void nndmft_progress(void *user, const char *what, double done, size_t total);
nnd_status nndmft_read(nnd_context *ctx, const char *path, nnd_frame **arrays);
}
