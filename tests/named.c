/* named.c - see named.h. */
#include "named.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SLOT 8192

rs_watch *named_open(rs_store *store)
{
    rs_watch *watch = NULL;
    rs_error error = RS_ERROR_INIT;
    MUST(rs_watch_open_named(store, "service", NAMED_KEY, RS_SUBTREE, &watch, &error) == RS_OK);
    return watch;
}

int named_note(void *context, const rs_service *service)
{
    static const char *const answers[] = {"none", "applied", "restart", "rejected"};
    struct named_told *told = context;
    size_t used = strlen(told->text);
    snprintf(told->text + used, sizeof told->text - used, "%s %s%s %d %d %s %s %d|", service->name,
             service->alive ? "alive" : (service->ended ? "ended" : "gone"),
             service->damaged ? "?" : "", (int)service->position, (int)service->answered,
             answers[service->answer], service->reason[0] != '\0' ? service->reason : "-",
             (int)service->restart_since);
    told->count++;
    return 0;
}

const char *named_services(rs_store *store)
{
    static struct named_told told;
    told = (struct named_told){.count = 0};
    MUST(rs_services(store, named_note, &told) == RS_OK);
    return told.text;
}

int named_await(rs_store *store, uint64_t revision, int timeout, struct named_told *told)
{
    *told = (struct named_told){.count = 0};
    return rs_wait(store, revision, timeout, named_note, told);
}

void named_damage(const char *name, unsigned slot)
{
    char file[128];
    snprintf(file, sizeof file, "store/watches/%s.pos", name);
    int fd = open(scratch_path(file), O_WRONLY | O_CLOEXEC);
    MUST(fd >= 0 && pwrite(fd, "noise", 5, (off_t)slot * SLOT + 40) == 5);
    close(fd);
}
