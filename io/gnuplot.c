/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Runs gnuplot. The program comes from a file and messages go to a file, so that no pipe can break
 * or fill up, whatever happens to the child.
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

/* Starts the child: program from `in`, picture to `path`, messages to `messages`. */
static int start(const char *command, int in, const char *path, int messages, pid_t *child) {
    /* -d: the user's own settings must not change the picture. */
    char name[] = "gnuplot", flag[] = "-d";
    char *const arguments[] = {name, flag, NULL};
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return error;
    error = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, path,
                                                 O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&actions, messages, STDERR_FILENO);
    if (error == 0)
        error = posix_spawnp(child, command, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
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

static nnd_status wait_for(nnd_context *ctx, pid_t child, FILE *messages) {
    int result;
    pid_t ended;
    char message[256];
    do
        ended = waitpid(child, &result, 0);
    while (ended < 0 && errno == EINTR);
    if (ended < 0)
        return nnd_fail(ctx, NND_E_IO, "gnuplot was lost: %s", strerror(errno));
    if (WIFEXITED(result) && WEXITSTATUS(result) == 0)
        return NND_OK;
    if (WIFSIGNALED(result))
        return nnd_fail(ctx, NND_E_IO, "gnuplot was ended by signal %d", WTERMSIG(result));
    last_message(messages, sizeof message, message);
    return nnd_fail(ctx, NND_E_IO, "gnuplot failed (exit code %d): %s", WEXITSTATUS(result),
                    message);
}

nnd_status nnd_gnuplot_run(nnd_context *ctx, const char *command, FILE *program, const char *path) {
    if (fflush(program) != 0 || ferror(program) || lseek(fileno(program), 0, SEEK_SET) != 0)
        return nnd_fail(ctx, NND_E_IO, "the program for gnuplot cannot be written: %s",
                        strerror(errno));
    FILE *messages = tmpfile();
    if (messages == NULL)
        return nnd_fail(ctx, NND_E_IO, "no temporary file: %s", strerror(errno));
    pid_t child;
    nnd_status status = NND_OK;
    int error = start(command, fileno(program), path, fileno(messages), &child);
    if (error == ENOENT)
        status = nnd_fail(ctx, NND_E_IO, "%s is not installed; pictures need it", command);
    else if (error != 0)
        status = nnd_fail(ctx, NND_E_IO, "%s cannot be started: %s", command, strerror(error));
    else
        status = wait_for(ctx, child, messages);
    fclose(messages);
    struct stat picture;
    if (status == NND_OK && (stat(path, &picture) != 0 || picture.st_size == 0))
        status = nnd_fail(ctx, NND_E_IO, "%s drew nothing", command);
    return status;
}
