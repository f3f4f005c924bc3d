/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the process may use: texts of /proc and /sys as kernels write them, affinity, environment.
 */
#include <math.h>
#include <sched.h>
#include <sys/stat.h>

#include "core/limits.h"
#include "scratch.h"
#include "support.h"

/* Writes a file of the invented root, with the folders on the way. */
static void put(const char *name, const char *text) {
    char path[512];
    snprintf(path, sizeof path, "%s", scratch_path(name));
    for (char *slash = path + strlen(scratch_folder) + 1; (slash = strchr(slash, '/')) != NULL;) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash++ = '/';
    }
    scratch_write(path, text, strlen(text));
}

static void expect(double processors, double bytes) {
    nnd_limits limits = nnd_control_group(scratch_folder);
    ck_assert_double_eq(limits.processors, processors);
    ck_assert_double_eq(limits.bytes, bytes);
}

START_TEST(without_proc_and_sys_there_is_no_limit) {
    expect(INFINITY, INFINITY);
    ck_assert_int_ge(nnd_allowed_threads(scratch_folder), 1);
    ck_assert_double_gt(nnd_allowed_memory(scratch_folder), 1e8);
}
END_TEST

START_TEST(version_2_within_a_container) {
    put("proc/self/cgroup", "0::/\n");
    put("sys/fs/cgroup/cpu.max", "150000 100000\n");
    put("sys/fs/cgroup/memory.max", "2147483648\n");
    expect(1.5, 2147483648.0);
}
END_TEST

START_TEST(version_2_takes_the_tightest_of_the_groups_above) {
    put("proc/self/cgroup", "0::/system.slice/slurmstepd.scope/job_7/step_0\n");
    put("sys/fs/cgroup/system.slice/slurmstepd.scope/job_7/step_0/cpu.max", "max 100000\n");
    put("sys/fs/cgroup/system.slice/slurmstepd.scope/job_7/step_0/memory.max", "max\n");
    put("sys/fs/cgroup/system.slice/slurmstepd.scope/job_7/cpu.max", "400000 100000\n");
    put("sys/fs/cgroup/system.slice/slurmstepd.scope/job_7/memory.max", "8589934592\n");
    put("sys/fs/cgroup/system.slice/cpu.max", "6400000 100000\n");
    put("sys/fs/cgroup/system.slice/memory.max", "1099511627776\n");
    expect(4.0, 8589934592.0);
}
END_TEST

START_TEST(version_1_has_a_hierarchy_per_controller) {
    put("proc/self/cgroup", "12:pids:/docker/ab\n4:memory:/docker/ab\n3:cpu,cpuacct:/docker/ab\n"
                            "1:name=systemd:/docker/ab\n");
    put("sys/fs/cgroup/cpu,cpuacct/docker/ab/cpu.cfs_quota_us", "50000\n");
    put("sys/fs/cgroup/cpu,cpuacct/docker/ab/cpu.cfs_period_us", "100000\n");
    put("sys/fs/cgroup/memory/docker/ab/memory.limit_in_bytes", "536870912\n");
    expect(0.5, 536870912.0);
    ck_assert_int_eq(nnd_allowed_threads(scratch_folder), 1);
    ck_assert_double_eq(nnd_allowed_memory(scratch_folder), 536870912.0);
}
END_TEST

/* Another group of the same name in a hierarchy that the process is elsewhere in. */
START_TEST(version_1_groups_of_other_controllers_do_not_count) {
    put("proc/self/cgroup", "4:memory:/job\n3:cpuacct,cpu:/\n");
    put("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "100000\n");
    put("sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "300000\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    put("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "1073741824\n");
    expect(3.0, 1073741824.0);
}
END_TEST

START_TEST(version_1_without_limits) {
    put("proc/self/cgroup", "4:memory:/\n1:cpu:/\n0::/\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    nnd_limits limits = nnd_control_group(scratch_folder);
    ck_assert_double_eq(limits.processors, INFINITY);
    ck_assert_double_lt(nnd_allowed_memory(scratch_folder), 1e15);
}
END_TEST

/* The path is that of the world outside; inside, the group is mounted at the root. */
START_TEST(a_path_that_does_not_exist_inside_ends_at_the_mount) {
    put("proc/self/cgroup", "1:cpu:/kubepods/pod1/c2\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    expect(2.0, INFINITY);
}
END_TEST

START_TEST(nonsense_sets_no_limit) {
    static const char *const groups[] = {"", "\n", "0\n", "0:\n", "0::\n", "0::nowhere\n", ":::::"};
    static const char *const quotas[] = {"", "-5 100000", "0 100000", "x y", "100000", "100000 0"};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        put("proc/self/cgroup", groups[i]);
        expect(INFINITY, INFINITY);
    }
    put("proc/self/cgroup", "0::/a\n");
    for (size_t i = 0; i < sizeof quotas / sizeof *quotas; i++) {
        put("sys/fs/cgroup/a/cpu.max", quotas[i]);
        put("sys/fs/cgroup/a/memory.max", "much");
        expect(INFINITY, INFINITY);
    }
    char endless[8192] = "0::/";
    memset(endless + 4, 'x', sizeof endless - 5);
    put("proc/self/cgroup", endless);
    expect(INFINITY, INFINITY);
}
END_TEST

START_TEST(omp_num_threads_lowers_the_number_but_never_raises_it) {
    static const struct {
        const char *text;
        bool counts;
    } cases[] = {{"1", true},   {"1,8", true}, {" 1 ", true}, {"0", false},
                 {"-1", false}, {"", false},   {"1x", false}, {"100000", false}};
    unsetenv("OMP_NUM_THREADS");
    int all = nnd_allowed_threads(scratch_folder);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("OMP_NUM_THREADS", cases[i].text, 1);
        ck_assert_int_eq(nnd_allowed_threads(scratch_folder), cases[i].counts ? 1 : all);
    }
    unsetenv("OMP_NUM_THREADS");
}
END_TEST

/* Part of a processor is one more thread, which would else be idle. */
START_TEST(a_quota_of_processors_is_rounded_up) {
    unsetenv("OMP_NUM_THREADS");
    int all = nnd_allowed_threads(scratch_folder);
    put("proc/self/cgroup", "0::/a\n");
    put("sys/fs/cgroup/a/cpu.max", "150000 100000\n");
    ck_assert_int_eq(nnd_allowed_threads(scratch_folder), all < 2 ? all : 2);
    put("sys/fs/cgroup/a/cpu.max", "20000 100000\n");
    ck_assert_int_eq(nnd_allowed_threads(scratch_folder), 1);
}
END_TEST

START_TEST(a_context_has_the_threads_and_memory_that_are_allowed) {
    cpu_set_t before, one;
    ck_assert_int_eq(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &before))
            CPU_SET(i, &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    nnd_context *restricted = nnd_context_new(NULL);
    ck_assert_int_eq(sched_setaffinity(0, sizeof before, &before), 0);
    ck_assert_int_eq(nnd_context_threads(restricted), 1);
    ck_assert_double_eq_tol((double)nnd_context_memory_limit(restricted),
                            0.8 * nnd_allowed_memory(""), 1.0);
    nnd_context_free(restricted);
    const nnd_context_options options = {.threads = 7, .memory_limit = 1};
    nnd_context *told = nnd_context_new(&options);
    ck_assert_int_eq(nnd_context_threads(told), 7);
    ck_assert_uint_eq(nnd_context_memory_limit(told), 1);
    nnd_context_free(told);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("limits");
    TCase *tests = tcase_create("limits");
    tcase_add_checked_fixture(tests, scratch_setup, scratch_teardown);
    tcase_add_test(tests, without_proc_and_sys_there_is_no_limit);
    tcase_add_test(tests, version_2_within_a_container);
    tcase_add_test(tests, version_2_takes_the_tightest_of_the_groups_above);
    tcase_add_test(tests, version_1_has_a_hierarchy_per_controller);
    tcase_add_test(tests, version_1_groups_of_other_controllers_do_not_count);
    tcase_add_test(tests, version_1_without_limits);
    tcase_add_test(tests, a_path_that_does_not_exist_inside_ends_at_the_mount);
    tcase_add_test(tests, nonsense_sets_no_limit);
    tcase_add_test(tests, omp_num_threads_lowers_the_number_but_never_raises_it);
    tcase_add_test(tests, a_quota_of_processors_is_rounded_up);
    tcase_add_test(tests, a_context_has_the_threads_and_memory_that_are_allowed);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
