/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/limits.h"

#include <limits.h>
#include <math.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 256, MOST_PROCESSORS = 1 << 20 };

/* ---- control groups ---- */

/* Reads two numbers from a file; returns how many there are. A word, as "max", is none. */
static int read_numbers(const char *folder, const char *file, long long *first, long long *second) {
    char path[PATH_MAX], line[LINE_SIZE] = "";
    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, file) >= sizeof path)
        return 0;
    FILE *in = fopen(path, "r");
    if (in == NULL)
        return 0;
    bool read = fgets(line, sizeof line, in) != NULL;
    fclose(in);
    return read ? sscanf(line, "%lld %lld", first, second) : 0;
}

/* "150000 100000" in version 2: microseconds of processor time per period; "max 100000": no limit.
 * Version 1 has a file for each, and -1. */
static double processors_of(const char *folder) {
    long long quota = 0, period = 0, none;
    bool found = read_numbers(folder, "cpu.max", &quota, &period) == 2 ||
                 (read_numbers(folder, "cpu.cfs_quota_us", &quota, &none) == 1 &&
                  read_numbers(folder, "cpu.cfs_period_us", &period, &none) == 1);
    return found && quota > 0 && period > 0 ? (double)quota / (double)period : INFINITY;
}

/* Version 1 says "none" by a number near 2^63, which no machine has. */
static double bytes_of(const char *folder) {
    long long bytes = 0, none;
    bool found = read_numbers(folder, "memory.max", &bytes, &none) >= 1 ||
                 read_numbers(folder, "memory.limit_in_bytes", &bytes, &none) >= 1;
    return found && bytes > 0 ? (double)bytes : INFINITY;
}

/* The limits of a group and of those above it, up to where the hierarchy is mounted. Within a
 * container the path may be that of the world outside: what exists of it counts. */
static void tighten(const char *mount, const char *group, nnd_limits *limits) {
    char folder[PATH_MAX];
    if ((size_t)snprintf(folder, sizeof folder, "%s%s", mount, group) >= sizeof folder)
        return;
    for (;;) {
        limits->processors = fmin(limits->processors, processors_of(folder));
        limits->bytes = fmin(limits->bytes, bytes_of(folder));
        if (strlen(folder) <= strlen(mount))
            return;
        *strrchr(folder, '/') = '\0';
    }
}

static void tighten_mounted(const char *root, const char *name, const char *group,
                            nnd_limits *limits) {
    char mount[PATH_MAX];
    const char *slash = name[0] != '\0' ? "/" : "";
    if (snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s%s", root, slash, name) < PATH_MAX)
        tighten(mount, group, limits);
}

/* One line "ID:CONTROLLERS:PATH". Version 2 has no controllers; version 1 is mounted under their
 * names, together ("cpu,cpuacct") or each. */
static void read_group(const char *root, char *line, nnd_limits *limits) {
    char *controllers = strchr(line, ':'), *rest = NULL;
    char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (group == NULL || group[1] != '/')
        return;
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    controllers++;
    tighten_mounted(root, controllers, group, limits);
    if (*controllers == '\0')
        tighten_mounted(root, "unified", group, limits);
    for (char *name = strtok_r(controllers, ",", &rest); name != NULL;
         name = strtok_r(NULL, ",", &rest))
        tighten_mounted(root, name, group, limits);
}

nnd_limits nnd_control_group(const char *root) {
    nnd_limits limits = {INFINITY, INFINITY};
    char path[PATH_MAX], *line = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *in = fopen(path, "r");
    while (in != NULL && getline(&line, &size, in) > 0)
        read_group(root, line, &limits);
    if (in != NULL)
        fclose(in);
    free(line);
    return limits;
}

/* ---- what follows ---- */

/* Processors that the process may run on; of a machine that has more than a set can name, all. */
static double affinity(void) {
    for (size_t most = CPU_SETSIZE; most <= MOST_PROCESSORS; most *= 2) {
        cpu_set_t *set = CPU_ALLOC(most);
        if (set == NULL)
            break;
        size_t size = CPU_ALLOC_SIZE(most);
        int count = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
        CPU_FREE(set);
        if (count > 0)
            return count;
    }
    return (double)sysconf(_SC_NPROCESSORS_ONLN);
}

/* The first number of "4" or "4,2" (for nested regions); INFINITY if it is none. */
static double omp_num_threads(void) {
    const char *text = getenv("OMP_NUM_THREADS");
    char *end;
    long n = text != NULL ? strtol(text, &end, 10) : 0;
    if (n <= 0)
        return INFINITY;
    end += strspn(end, " \t");
    return *end == '\0' || *end == ',' ? (double)n : INFINITY;
}

int nnd_allowed_threads(const char *root) {
    double n = fmin(affinity(), ceil(nnd_control_group(root).processors));
    return (int)fmax(1.0, fmin(n, omp_num_threads()));
}

double nnd_allowed_memory(const char *root) {
    double pages = (double)sysconf(_SC_PHYS_PAGES), page_size = (double)sysconf(_SC_PAGESIZE);
    double physical = pages > 0.0 && page_size > 0.0 ? pages * page_size : 0x1p32;
    return fmin(physical, nnd_control_group(root).bytes);
}
