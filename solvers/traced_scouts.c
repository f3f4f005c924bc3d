/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scouts of a traced matrix: the same under weights 1 + d beside 1. A residue that vanishes may
 * move with the weights (a sample that learns nothing but by chance), and what it moves along is
 * then asked for, as a vector of its own, before the vector is: else its image would not move. A
 * scout whose d are random sees a random combination of all moves (deep-fluctuations.md#eq12).
 */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "core/pages.h"
#include "solvers/traced_impl.h"

nnd_status nnd_traced_scout(nnd_context *ctx, const nnd_traced *leader, const double *in_weight,
                            const double *out_weight, nnd_traced **scout) {
    nnd_status status = nnd_traced_new(ctx, &leader->options, scout);
    if (status != NND_OK)
        return status;
    (*scout)->leader = leader;
    (*scout)->weight[0] = in_weight;
    (*scout)->weight[1] = out_weight;
    (*scout)->residue = nnd_pages_new(leader->sites);
    (*scout)->vectors = 1;
    return (*scout)->residue != NULL ? NND_OK : nnd_fail_memory(ctx, "scouts of a matrix");
}

/* What one block is asked with. */
typedef struct {
    const nnd_traced_party *party;
    nnd_direction direction;
    double *base, *move, *image; /* over sites */
} search;

static double norm(const nnd_traced *m, const double *v) {
    return cblas_dnrm2((int)m->sites, v, 1) / sqrt((double)m->sites);
}

/* How far the residue of v moves off all directions when weights fluctuate as those of networks do,
 * relative to v; the move into `move`. 0 if v is a new direction: that moves as a whole. */
static nnd_status find_move(const search *x, size_t s, const double *v, const double *scout_v,
                            double *length) {
    nnd_traced *m = x->party->leader;
    double unit = sqrt((double)m->sites) / x->party->size, whole = norm(m, v);
    bool is_new, ignored;
    *length = 0.0;
    nnd_status status = nnd_traced_look(m, x->direction, v, x->base, &is_new);
    if (status != NND_OK || is_new || whole == 0.0)
        return status;
    status = nnd_traced_look(x->party->scout[s], x->direction, scout_v, x->move, &ignored);
    if (status != NND_OK)
        return status;
    for (size_t i = 0; i < m->sites; i++)
        x->base[i] = unit * (x->move[i] - x->base[i]);
    status = nnd_traced_look(m, x->direction, x->base, x->move, &ignored);
    *length = norm(m, x->move) / whole;
    return status;
}

/* The direction of a move, asked for by all. */
static nnd_status probe(const search *x) {
    nnd_traced *m = x->party->leader;
    cblas_dscal((int)m->sites, 1.0 / norm(m, x->move), x->move, 1);
    nnd_status status = nnd_traced_ask(m, x->move, true, x->image);
    for (size_t s = 0; status == NND_OK && s < x->party->scouts; s++)
        status = nnd_traced_ask(x->party->scout[s], x->move, true, x->image);
    return status;
}

/* One vector, which everyone has his own of. */
static nnd_status ask_all(const search *x, size_t i, const double *const *v, double *const *image) {
    nnd_traced *m = x->party->leader;
    size_t at = i * m->sites, last = x->party->scouts - 1;
    double length;
    nnd_status status = NND_OK;
    for (size_t s = 0; status == NND_OK && s <= last; s++) {
        status = find_move(x, s, v[0] + at, v[1 + s] + at, &length);
        if (status == NND_OK && s < last && length > x->party->least)
            status = probe(x);
        else if (s == last)
            m->lost = fmax(m->lost, length);
    }
    if (status == NND_OK)
        status = nnd_traced_ask(m, v[0] + at, false, image[0] + at);
    for (size_t s = 0; status == NND_OK && s <= last; s++)
        status = nnd_traced_ask(x->party->scout[s], v[1 + s] + at, false, image[1 + s] + at);
    return status;
}

nnd_status nnd_traced_apply_all(const nnd_traced_party *party, nnd_direction direction, size_t n,
                                const double *const *v, double *const *image) {
    nnd_traced *m = party->leader;
    if (party->scouts == 0)
        return nnd_traced_apply(m, direction, n, v[0], image[0]);
    double *room = nnd_pages_new(3 * m->sites);
    search x = {party, direction, room, room + m->sites, room + 2 * m->sites};
    nnd_status status =
        room != NULL ? nnd_traced_begin(m, direction, n) : nnd_fail_memory(m->ctx, "scouts");
    for (size_t s = 0; status == NND_OK && s < party->scouts; s++)
        status = nnd_traced_begin(party->scout[s], direction, n);
    for (size_t i = 0; status == NND_OK && i < n; i++)
        status = ask_all(&x, i, v, image);
    free(room);
    return status;
}

double nnd_traced_lost(const nnd_traced *m) {
    return m->lost;
}
