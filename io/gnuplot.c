/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Runs gnuplot. The program comes from a file and messages go to a file, so that neither can break
 * or fill up, whatever happens to the child. The picture comes through a pipe and is written here:
 * gnuplot does not notice when the disk is full.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/plot_impl.h"

extern char **environ;

/* Starts the child: program from `in`, picture to `out`, messages to `messages`. */
static int start(const char *command, int in, int out, int messages, pid_t *child) {
    /* -d: the user's own settings must not change the picture. */
    char name[] = "gnuplot", flag[] = "-d";
    char *const arguments[] = {name, flag, NULL};
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return error;
    error = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&actions, messages, STDERR_FILENO);
    if (error == 0)
        error = posix_spawnp(child, command, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
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

/* How the child ended; `received` if it ended well. */
static nnd_status wait_for(nnd_context *ctx, pid_t child, FILE *messages, nnd_status received) {
    int result;
    pid_t ended;
    char message[256];
    do
        ended = waitpid(child, &result, 0);
    while (ended < 0 && errno == EINTR);
    if (ended < 0)
        return nnd_fail(ctx, NND_E_IO, "gnuplot was lost: %s", strerror(errno));
    if (WIFEXITED(result) && WEXITSTATUS(result) == 0)
        return received;
    if (WIFSIGNALED(result))
        return nnd_fail(ctx, NND_E_IO, "gnuplot was ended by signal %d", WTERMSIG(result));
    last_message(messages, sizeof message, message);
    return nnd_fail(ctx, NND_E_IO, "gnuplot failed (exit code %d): %s", WEXITSTATUS(result),
                    message);
}

static nnd_status run(nnd_context *ctx, const char *command, FILE *program, FILE *messages,
                      const char *path) {
    int picture[2];
    if (pipe2(picture, O_CLOEXEC) != 0)
        return nnd_fail(ctx, NND_E_IO, "no pipe: %s", strerror(errno));
    pid_t child;
    int error = start(command, fileno(program), picture[1], fileno(messages), &child);
    close(picture[1]);
    nnd_status status = NND_OK;
    if (error == ENOENT)
        status = nnd_fail(ctx, NND_E_IO, "%s is not installed; pictures need it", command);
    else if (error != 0)
        status = nnd_fail(ctx, NND_E_IO, "%s cannot be started: %s", command, strerror(error));
    if (error == 0) {
        nnd_status received = receive(ctx, picture[0], path);
        status = wait_for(ctx, child, messages, received);
    }
    close(picture[0]);
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
