/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * All streams of random numbers, by who draws from them: the first, and how many there are. Streams
 * of one owner, who has keys of its own or shares them with no other, are disjoint. Numbers of
 * existing streams never change, since what was drawn from them would.
 */
#ifndef NNDMFT_CORE_STREAMS_H
#define NNDMFT_CORE_STREAMS_H

/* clang-format off */
#define NND_STREAMS(STREAM)                                                                        \
    /* data sets, under the key (seed, 0, 0) */                                                    \
    STREAM(DATA, INPUTS, 1, 1)                                                                     \
    STREAM(DATA, TEACHER, 2, 1)                                                                    \
    STREAM(DATA, NOISE, 3, 1)                                                                      \
    STREAM(DATA, TARGETS, 4, 1)                                                                    \
    STREAM(DATA, BATCHES, 77, 1)                                                                   \
    /* null law of a comparison, under a key that no network has */                                \
    STREAM(NULL_LAW, GROUPS, 0, 1)                                                                 \
    STREAM(NULL_LAW, SCALES, 1, 1)                                                                 \
    STREAM(NULL_LAW, THEORY, 2, 1)                                                                 \
    /* simulated networks, under the key of each; theory that is sampled */                        \
    STREAM(ALIGNMENT, INPUTS, 0, 2) /* shared or of network 0, and of network 1 */                 \
    STREAM(ALIGNMENT, INPUT_NOISE, 2, 2)                                                           \
    STREAM(ALIGNMENT, LABELS, 4, 2)                                                                \
    STREAM(ALIGNMENT, COMMON, 6, 1) /* the part of the label noise that both see */                \
    STREAM(ALIGNMENT, TEACHER, 7, 1)                                                               \
    STREAM(ALIGNMENT, START, 8, 2)                                                                 \
    STREAM(ALIGNMENT, PROBES, 10, 1)                                                               \
    STREAM(ALIGNMENT, TESTS, 11, 1)                                                                \
    STREAM(ALIGNMENT, ORDER, 12, 1) /* seeds of the batches' orders */                             \
    STREAM(DEEP_FLUCTUATIONS_THEORY, LAYERS, 0, 100)                                               \
    STREAM(DEEP_FLUCTUATIONS_THEORY, SIGNS, 100, 100)                                              \
    STREAM(DEEP_FLUCTUATIONS_THEORY, SCOUTS, 200, 1)                                               \
    STREAM(DEEP_LINEAR, TARGET, 0, 1)                                                              \
    STREAM(DEEP_LINEAR, INPUTS, 1, 1)                                                              \
    STREAM(DEEP_LINEAR, NOISE, 2, 1)                                                               \
    STREAM(DEEP_LINEAR, WEIGHTS, 3, 997) /* matrix 0, 1, ... */                                    \
    STREAM(DEEP_LINEAR, SEARCH, 1000, 1)                                                           \
    STREAM(DEEP_LINEAR, MORE_WEIGHTS, 1001, 4) /* matrix 997, ... */                               \
    STREAM(DEEP_NETWORKS, WEIGHTS, 0, 101)                                                         \
    STREAM(DIRECTIONAL, PLANE, 1, 1)                                                               \
    STREAM(DIRECTIONAL, LAYERS, 2, 1)                                                              \
    STREAM(DIRECTIONAL, INPUTS, 101, 1)                                                            \
    STREAM(DIRECTIONAL, BATCHES, 102, 1) /* fresh in every step */                                 \
    STREAM(DIRECTIONAL_THEORY, ROUNDING, 0, 1)                                                     \
    STREAM(FLAT_MINIMA, WEIGHTS, 1, 1000)                                                          \
    STREAM(FLAT_MINIMA, READOUT, 1 << 20, 1)                                                       \
    STREAM(FLAT_MINIMA, ALIGNED, (1 << 21) + 1, 1000)                                              \
    STREAM(FLAT_MINIMA, SEARCH, 1 << 22, 1)                                                        \
    STREAM(LAZY, WEIGHTS, 0, 101)                                                                  \
    STREAM(LINEAR_LAYERS, SCOUTS, 0, 1)                                                            \
    STREAM(MANY_OUTPUTS, WEIGHTS, 0, 1)                                                            \
    STREAM(MANY_OUTPUTS, READOUT, 1, 1)                                                            \
    STREAM(MANY_OUTPUTS, TARGET, 2, 1)                                                             \
    STREAM(MANY_OUTPUTS, INPUTS, 3, 1)                                                             \
    STREAM(MANY_OUTPUTS, NOISE, 4, 1)                                                              \
    STREAM(MANY_OUTPUTS, BASIS, 5, 1)                                                              \
    STREAM(MANY_OUTPUTS, SEARCH, 6, 1)                                                             \
    STREAM(MANY_OUTPUTS, PROBES, 7, 1)                                                             \
    STREAM(ONLINE, WEIGHTS, 0, 1)                                                                  \
    STREAM(ONLINE, READOUT, 1, 1)                                                                  \
    STREAM(ONLINE, BATCH, 2, 1)                                                                    \
    STREAM(SCALING, PROJECTION, 1, 1)                                                              \
    STREAM(SCALING, FEATURES, 2, 1)                                                                \
    STREAM(SCALING, NOISE, 3, 1)                                                                   \
    STREAM(SCALING, ROWS, 4, 1)                                                                    \
    STREAM(SCALING, ORDER, 5, 4) /* of each student */                                             \
    STREAM(SIMILARITY, ORDERS, 1000, 1) /* keys may be those of networks in alignment */          \
    STREAM(SIMILARITY, GROUPS, 1001, 1)                                                            \
    STREAM(SIMILARITY, HALVES, 1002, 1)                                                            \
    STREAM(SPECTRUM, NULL_NORMALS, 0, 1) /* of one matrix, under keys of its own */                \
    STREAM(SPECTRUM, NULL_TESTS, 1, 1)                                                             \
    STREAM(SPECTRUM, TAIL, 2, 1)                                                                   \
    STREAM(SPECTRUM, PROBES, 3, 1)                                                                 \
    STREAM(SPECTRUM, START, 4, 1)                                                                  \
    STREAM(SPECTRUM, ENTRIES, 5, 1)                                                                  \
    STREAM(TWO_LAYER, WEIGHTS, 0, 1)                                                               \
    STREAM(TWO_LAYER, READOUT, 1, 1)                                                               \
    STREAM(WIDE_MLP, WEIGHTS, 0, 101)                                                              \
    STREAM(WIDE_MLP, BIASES, 101, 100)                                                             \
    STREAM(WIDE_MLP, SEARCH, 1000, 1)                                                              \
    STREAM(WIDE_MLP_THEORY, LAYERS, 0, 100)                                                        \
    STREAM(WIDE_MLP_THEORY, TESTS, 1000, 100)
/* clang-format on */

/** NND_STREAM_OWNER_NAME: the first; NND_STREAMS_OWNER_NAME: how many. */
enum {
#define NND_STREAM_FIRST(owner, name, first, count) NND_STREAM_##owner##_##name = (first),
    NND_STREAMS(NND_STREAM_FIRST)
#undef NND_STREAM_FIRST
#define NND_STREAM_COUNT(owner, name, first, count) NND_STREAMS_##owner##_##name = (count),
        NND_STREAMS(NND_STREAM_COUNT)
#undef NND_STREAM_COUNT
};

#endif
