/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * What this process may use of its machine. `root` stands before the paths of /proc and /sys: ""
 * but in tests. Files that are missing (in a chroot) or make no sense set no limit.
 */
#ifndef NNDMFT_CORE_LIMITS_H
#define NNDMFT_CORE_LIMITS_H

/** What the process's control group (version 1 or 2) allows; INFINITY: no limit. */
typedef struct {
    double processors; /**< processor time per time */
    double bytes;
} nnd_limits;

/** The limits of the control group and of all above it. */
nnd_limits nnd_control_group(const char *root);

/**
 * Threads to work with, at least 1: the least of the processors that the process may run on
 * (sched_getaffinity), the processor time of its control group, rounded up, and the first number
 * of OMP_NUM_THREADS.
 */
int nnd_allowed_threads(const char *root);
/** Memory in bytes: the least of physical memory and what the control group allows. */
double nnd_allowed_memory(const char *root);

#endif
