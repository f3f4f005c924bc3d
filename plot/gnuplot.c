/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Runs gnuplot. The program comes from a file and messages go to a file, so that neither can break
 * or fill up, whatever happens to the child. The picture comes through a pipe and is written here:
 * gnuplot does not notice when the disk is full. Between this process and gnuplot stands one that
 * waits for it, since this one may be unable to, see child.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/child.h"
#include "plot/gnuplot.h"

/* What gnuplot may know: where programs, libraries, fonts and their caches are. Anything else, as
 * GNUTERM, would change the picture. */
static const char *const passed_on[] = {
    "PATH",
    "HOME",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "FONTCONFIG_FILE",
    "FONTCONFIG_PATH",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_DATA_DIRS",
    "XDG_CONFIG_HOME",
};
enum { PASSED_ON = sizeof passed_on / sizeof *passed_on };

/* An environment of its own, in one block; NULL when out of memory. Owned by the caller. */
static char **new_environment(void) {
    static const char locale[] = "LC_ALL=C.UTF-8";
    size_t bytes = (PASSED_ON + 2) * sizeof(char *) + sizeof locale;
    for (size_t i = 0; i < PASSED_ON; i++)
        if (getenv(passed_on[i]) != NULL)
            bytes += strlen(passed_on[i]) + strlen(getenv(passed_on[i])) + 2;
    char **environment = malloc(bytes);
    if (environment == NULL)
        return NULL;
    size_t count = 0;
    char *end = stpcpy((char *)(environment + PASSED_ON + 2), locale) + 1;
    environment[count++] = (char *)(environment + PASSED_ON + 2);
    for (size_t i = 0; i < PASSED_ON; i++) {
        const char *value = getenv(passed_on[i]);
        if (value == NULL)
            continue;
        environment[count++] = end;
        end = stpcpy(stpcpy(stpcpy(end, passed_on[i]), "="), value) + 1;
    }
    environment[count] = NULL;
    return environment;
}

/* What is asked of the process in between, and what it tells. */
typedef struct {
    const char *command;
    char **environment;
    int in, out, messages; /* program, picture, messages */
} request;

typedef struct {
    int error;  /* why gnuplot could not be started, as errno says */
    int result; /* how it ended, as wait says */
} outcome;

/* Starts gnuplot: program from `in`, picture to `out`, messages to `messages`. */
static int start(const request *r, pid_t *child) {
    /* -d: the user's own settings must not change the picture. */
    char name[] = "gnuplot", flag[] = "-d";
    char *const arguments[] = {name, flag, NULL};
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return error;
    const int stream[] = {r->in, r->out, r->messages}; /* for standard input, output, error */
    for (int i = 0; error == 0 && i < 3; i++)
        error = posix_spawn_file_actions_adddup2(&actions, stream[i], i);
    if (error == 0)
        error = posix_spawnp(child, r->command, &actions, NULL, arguments, r->environment);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* The process in between. */
static void attend(void *user, int report) {
    const request *r = user;
    outcome o = {0, 0};
    pid_t child;
    o.error = start(r, &child);
    close(r->out);
    if (o.error == 0)
        while (waitpid(child, &o.result, 0) < 0 && errno == EINTR)
            continue;
    nnd_child_report(report, &o, sizeof o);
}

static bool write_all(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno != EINTR)
            return false;
        bytes += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* Copies the picture from the pipe to its file until the child closes it. After an error the rest
 * is read all the same, so that the child can end. */
static nnd_status receive(nnd_context *ctx, int in, const char *path) {
    char block[1 << 14];
    int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), error = 0;
    if (out < 0)
        error = errno;
    for (ssize_t n; (n = read(in, block, sizeof block)) != 0;) {
        if (n < 0 && errno == EINTR)
            continue;
        if (error == 0 && (n < 0 || !write_all(out, block, (size_t)n)))
            error = errno;
        if (n < 0)
            break;
    }
    if (out >= 0 && close(out) != 0 && error == 0)
        error = errno;
    return error == 0
               ? NND_OK
               : nnd_fail(ctx, NND_E_IO, "the picture cannot be written: %s", strerror(error));
}

/* The line in which gnuplot says what is wrong: the last one that holds more than a marker. */
static void last_message(FILE *messages, size_t size, char *text) {
    char line[256];
    snprintf(text, size, "no message");
    rewind(messages);
    while (fgets(line, sizeof line, messages) != NULL) {
        const char *begin = line + strspn(line, " \t");
        size_t length = strcspn(begin, "\n");
        if (length > 1)
            snprintf(text, size, "%.*s", (int)length, begin);
    }
}

/* What the outcome means; `received` if gnuplot ended well. */
static nnd_status judge(nnd_context *ctx, const char *command, const outcome *o, FILE *messages,
                        nnd_status received) {
    char message[256];
    if (o->error == ENOENT)
        return nnd_fail(ctx, NND_E_IO, "%s is not installed; pictures need it", command);
    if (o->error != 0)
        return nnd_fail(ctx, NND_E_IO, "%s cannot be started: %s", command, strerror(o->error));
    if (WIFEXITED(o->result) && WEXITSTATUS(o->result) == 0)
        return received;
    if (WIFSIGNALED(o->result))
        return nnd_fail(ctx, NND_E_IO, "gnuplot was ended by signal %d", WTERMSIG(o->result));
    last_message(messages, sizeof message, message);
    return nnd_fail(ctx, NND_E_IO, "gnuplot failed (exit code %d): %s", WEXITSTATUS(o->result),
                    message);
}

/* Waits without limit: gnuplot ends with its program. */
static nnd_status wait_for(nnd_context *ctx, const char *command, nnd_child *child, FILE *messages,
                           nnd_status received) {
    outcome o;
    switch (nnd_child_wait(ctx, child, sizeof o, &o, INFINITY)) {
    case NND_CHILD_REPORTED:
        return judge(ctx, command, &o, messages, received);
    case NND_CHILD_INTERRUPTED:
        return nnd_fail(ctx, NND_E_INTERRUPTED, "the picture: interrupted");
    case NND_CHILD_LATE:
    case NND_CHILD_DIED:
        break;
    }
    return nnd_fail(ctx, NND_E_IO, "gnuplot was lost");
}

static nnd_status run(nnd_context *ctx, const char *command, FILE *program, FILE *messages,
                      const char *path) {
    int picture[2];
    char **environment = new_environment();
    if (environment == NULL)
        return nnd_fail_memory(ctx, "the environment of gnuplot");
    if (pipe2(picture, O_CLOEXEC) != 0) {
        free(environment);
        return nnd_fail(ctx, NND_E_IO, "no pipe: %s", strerror(errno));
    }
    request r = {command, environment, fileno(program), picture[1], fileno(messages)};
    nnd_child child;
    int error = nnd_child_start(&child, attend, &r);
    close(picture[1]);
    nnd_status status;
    if (error != 0)
        status = nnd_fail(ctx, NND_E_IO, "%s cannot be started: %s", command, strerror(error));
    else {
        nnd_status received = receive(ctx, picture[0], path);
        status = wait_for(ctx, command, &child, messages, received);
    }
    close(picture[0]);
    free(environment);
    return status;
}

nnd_status nnd_gnuplot_run(nnd_context *ctx, const char *command, FILE *program, const char *path) {
    if (fflush(program) != 0 || ferror(program) || lseek(fileno(program), 0, SEEK_SET) != 0)
        return nnd_fail(ctx, NND_E_IO, "the program for gnuplot cannot be written: %s",
                        strerror(errno));
    FILE *messages = tmpfile();
    if (messages == NULL)
        return nnd_fail(ctx, NND_E_IO, "no temporary file: %s", strerror(errno));
    nnd_status status = run(ctx, command, program, messages, path);
    fclose(messages);
    struct stat file;
    if (status == NND_OK && (stat(path, &file) != 0 || file.st_size == 0))
        status = nnd_fail(ctx, NND_E_IO, "%s drew nothing", command);
    return status;
}
