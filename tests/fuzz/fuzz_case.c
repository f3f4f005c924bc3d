/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any text as a case file, any texts after a NUL byte as overrides: it is refused with a message,
 * or resolved to a case that resolves to itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/nndmft.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Reads a text with the overrides that follow it, up to `end`. */
static nnd_status resolve(nnd_context *ctx, const char *text, const char *end, nnd_case **c) {
    nnd_value *tree = NULL;
    nnd_status status = nnd_yaml_read_text(ctx, "case.yaml", text, &tree);
    for (text += strlen(text) + 1; status == NND_OK && text < end; text += strlen(text) + 1)
        status = nnd_yaml_override(ctx, tree, text);
    if (status == NND_OK)
        status = nnd_case_resolve(ctx, tree, &(nnd_case_source){.stem = "case"}, c);
    nnd_value_free(tree);
    require((status == NND_OK) == (*c != NULL), "a case exactly if it was resolved");
    require(status == NND_OK || nnd_context_message(ctx)[0] != '\0', "a failure has a message");
    return status;
}

static void check_again(nnd_context *ctx, const nnd_case *c) {
    nnd_case *again = NULL;
    char *text = nnd_yaml_text(c->resolved), *second;
    require(text != NULL, "a resolved case can be written");
    if (resolve(ctx, text, text + strlen(text), &again) != NND_OK) {
        fprintf(stderr, "%s\n%s\n", nnd_context_message(ctx), text);
        require(false, "a resolved case can be resolved");
    }
    second = nnd_yaml_text(again->resolved);
    if (second == NULL || strcmp(text, second) != 0) {
        fprintf(stderr, "--- first\n%s\n--- second\n%s\n", text, second != NULL ? second : "");
        require(false, "a resolved case resolves to itself");
    }
    nnd_case_free(again);
    free(second);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static nnd_context *ctx;
    if (ctx == NULL) {
        nnd_context_options options = {.threads = 1, .memory_limit = (size_t)1 << 28};
        ctx = nnd_context_new(&options);
        require(ctx != NULL, "a context");
    }
    char *text = calloc(size + 1, 1);
    require(text != NULL, "memory");
    memcpy(text, bytes, size);
    nnd_case *c = NULL;
    if (resolve(ctx, text, text + size, &c) == NND_OK)
        check_again(ctx, c);
    nnd_case_free(c);
    free(text);
    return 0;
}
