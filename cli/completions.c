/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Completion scripts for bash and zsh, made from the tables of commands, options and models. */
#include <string.h>

#include "cli.h"

static void print_commands(void) {
    for (const cli_command *c = CLI_COMMANDS; c->name != NULL; c++)
        printf("%s%s", c == CLI_COMMANDS ? "" : " ", c->name);
}

static void print_option_words(const cli_command *command) {
    for (size_t i = 0; cli_option_at(command, i) != NULL; i++)
        printf("--%s ", cli_option_at(command, i)->name);
    printf("--help");
}

/* Words that may stand after an option, as a shell list; none: file names. */
static void print_values(void) {
    printf("    --format) words='csv json table' ;;\n"
           "    --group) words='theory mc seeds compare' ;;\n"
           "    --log) words='x y xy' ;;\n"
           "    --measure) words='");
    for (int m = 0; m < NND_SIMILARITIES; m++)
        printf("%s ", nnd_similarity_name(m));
    printf("' ;;\n"
           "    --var | --zero | --min | --max) words='");
    for (size_t m = 0; nnd_model_at(m) != NULL; m++)
        for (size_t i = 0; i < nnd_model_at(m)->variable_count; i++)
            printf("%s ", nnd_model_at(m)->variables[i].name);
    printf("' ;;\n    --param) words='");
    for (size_t m = 0; nnd_model_at(m) != NULL; m++)
        for (size_t i = 0; i < nnd_model_at(m)->params->count; i++)
            printf("%s= ", nnd_model_at(m)->params->param[i].name);
    printf("' ;;\n    --set) words='");
    for (size_t m = 0; nnd_model_at(m) != NULL; m++)
        for (size_t i = 0; i < nnd_model_at(m)->params->count; i++)
            printf("params.%s= ", nnd_model_at(m)->params->param[i].name);
    printf("' ;;\n");
}

static void print_bash(void) {
    printf("# bash completion of nndmft; source it, or install it as a completion file.\n"
           "_nndmft() {\n"
           "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
           "    local words=\n"
           "    COMPREPLY=()\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "        mapfile -t COMPREPLY < <(compgen -W '");
    print_commands();
    printf(" --help --version' -- \"$current\")\n"
           "        return\n"
           "    fi\n"
           "    case $previous in\n");
    print_values();
    printf("    esac\n"
           "    if [ -z \"$words\" ]; then\n"
           "        case ${COMP_WORDS[1]}:$current in\n");
    for (const cli_command *c = CLI_COMMANDS; c->name != NULL; c++) {
        printf("        %s:-*) words='", c->name);
        print_option_words(c);
        printf("' ;;\n");
    }
    printf("        describe:*) words='");
    for (size_t m = 0; nnd_model_at(m) != NULL; m++)
        printf("%s ", nnd_model_at(m)->name);
    printf("' ;;\n"
           "        completions:*) words='bash zsh' ;;\n"
           "        esac\n"
           "    fi\n"
           "    if [ -n \"$words\" ]; then\n"
           "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
           "    else\n"
           "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
           "    fi\n"
           "}\n"
           "complete -o filenames -F _nndmft nndmft\n");
}

int cli_completions(nnd_context *ctx, const cli_options *options) {
    const char *shell = options->args.value[0];
    bool zsh = strcmp(shell, "zsh") == 0;
    if (!zsh && strcmp(shell, "bash") != 0)
        return cli_exit_code(nnd_fail(ctx, NND_E_INPUT, "%s: not one of: bash, zsh", shell));
    /* zsh runs bash completions through its own emulation. */
    if (zsh)
        printf("#compdef nndmft\nautoload -U +X bashcompinit && bashcompinit\n");
    print_bash();
    return EXIT_DONE;
}
