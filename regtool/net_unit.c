/* Calls of systemctl. */
#include "net_unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "run_command.h"

/* There while systemd is the machine's first process, see sd_booted(3). */
#define BOOTED "/run/systemd/system"
#define UNIT_SIZE 64

static bool run(const char *verb, const struct net_target *target, const char *kind, bool quiet)
{
    char unit[UNIT_SIZE];
    char *const words[] = {(char *)"systemctl", (char *)verb, (char *)"--", unit, NULL};

    snprintf(unit, sizeof(unit), "%s.%s", target->service->program, kind);
    return run_program(words, quiet) == 0;
}

bool net_unit_known(const struct net_target *target)
{
    /* The units are those of services that have their own names, on the system's store. */
    return target->system && strcmp(target->name, target->service->program) == 0 &&
           access(BOOTED, F_OK) == 0 && run("cat", target, "service", true);
}

bool net_unit_active(const struct net_target *target)
{
    return run("is-active", target, "service", true);
}

bool net_unit_start(const struct net_target *target)
{
    return run("start", target, "service", false);
}

bool net_unit_stop(const struct net_target *target)
{
    if (run("is-active", target, "socket", true) && !run("stop", target, "socket", false)) {
        return false;
    }
    return run("stop", target, "service", false);
}
