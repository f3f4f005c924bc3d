/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/status.h"

#include "build_config.h"
#include "build_info.h"

const char *nnd_status_text(nnd_status status) {
    switch (status) {
#define NND_STATUS_CASE(name, value, text)                                                         \
    case name:                                                                                     \
        return text;
        NND_STATUS_LIST(NND_STATUS_CASE)
#undef NND_STATUS_CASE
    }
    return "unknown status";
}

const char *nnd_version(void) {
    return NND_VERSION;
}

const char *nnd_git_describe(void) {
    return NND_GIT_DESCRIBE;
}
