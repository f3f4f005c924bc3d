/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/serial/serial.h"

#include <omp.h>

int nnd_serial_enter(void) {
    int before = omp_get_max_threads();
    if (before != 1)
        omp_set_num_threads(1);
    return before;
}

void nnd_serial_leave(const int *before) {
    if (*before != 1)
        omp_set_num_threads(*before);
}
