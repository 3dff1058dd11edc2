/* The table of services, and the watches that they have open. */
#include "net_service.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define CURRENT "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\"
#define SYSTEM_STORE "/var/lib/regstore"

const struct net_service net_services[] = {
    {"Server", "server", "LanmanServer", "regstore-lanmanserver",
     CURRENT "Services\\LanmanServer\\Parameters"},
    {"Print Spooler", "spooler", "Spooler", "regstore-spooler", CURRENT "Control\\Print"},
    {"TCP/IP Print Server", "lpdsvc", "LPDSVC", "regstore-lpdsvc",
     CURRENT "Services\\LPDSVC\\Parameters"},
    {NULL, NULL, NULL, NULL, NULL},
};

static const struct net_service *by_word(const char *word)
{
    for (const struct net_service *row = net_services; row->title != NULL; row++) {
        if (strcasecmp(word, row->title) == 0 || strcasecmp(word, row->word) == 0 ||
            strcasecmp(word, row->registry) == 0 || strcmp(word, row->program) == 0) {
            return row;
        }
    }
    return NULL;
}

static const struct net_service *by_program(const char *program)
{
    const struct net_service *row = net_services;

    while (row->title != NULL && strcmp(row->program, program) != 0) {
        row++;
    }
    return row->title != NULL ? row : NULL;
}

/* The services make their addresses in the same way; services/common/control.h says how. */
static void set_address(rs_store *store, struct net_target *target)
{
    struct stat status, system;
    char text[sizeof(target->address.sun_path)];
    int length;

    target->address_size = 0;
    if (stat(rs_store_dir(store), &status) != 0) {
        return;
    }
    target->owner = status.st_uid;
    target->system = stat(SYSTEM_STORE, &system) == 0 && system.st_dev == status.st_dev &&
                     system.st_ino == status.st_ino;
    length = snprintf(text, sizeof(text), "regstore/%jx-%jx/%s", (uintmax_t)status.st_dev,
                      (uintmax_t)status.st_ino, target->name);
    if (length <= 0 || (size_t)length >= sizeof(text)) {
        return;
    }
    target->address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(target->address.sun_path + 1, text, (size_t)length);
    target->address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

static void set_names(const struct net_service *service, const char *name,
                      struct net_target *target)
{
    *target = (struct net_target){.service = service};
    snprintf(target->name, sizeof(target->name), "%s", name);
    if (strcmp(name, service->program) == 0) {
        snprintf(target->title, sizeof(target->title), "%s", service->title);
    } else {
        snprintf(target->title, sizeof(target->title), "%s (%s)", service->title, name);
    }
}

/* ---- Watches ---- */

struct search {
    const char *name; /* of the watch that is looked for */
    const struct net_service *service;
    struct net_target *target;
    bool found;
};

static int on_watch(void *context, const rs_service *watch)
{
    struct search *search = context;
    struct net_target *target = search->target;

    if (strcmp(watch->name, search->name) != 0) {
        return 0;
    }
    if (search->service == NULL) {
        search->service = watch->damaged ? NULL : by_program(watch->program);
    }
    if (search->service == NULL) {
        return 0;
    }
    search->found = true;
    set_names(search->service, watch->name, target);
    target->alive = watch->alive;
    target->pid = watch->pid;
    target->answer = watch->answer;
    target->answered = watch->answered;
    snprintf(target->reason, sizeof(target->reason), "%s", watch->reason);
    return 0;
}

int net_target_find(rs_store *store, const char *word, struct net_target *target)
{
    const struct net_service *service = by_word(word);
    struct search search = {
        .name = service != NULL ? service->program : word, .service = service, .target = target};
    int status = rs_services(store, on_watch, &search);

    if (status == RS_OK && !search.found) {
        if (service == NULL) {
            return RS_ENOTFOUND;
        }
        set_names(service, service->program, target);
    }
    if (status == RS_OK) {
        set_address(store, target);
    }
    return status;
}

/* ---- All of them ---- */

struct others {
    rs_store *store;
    int (*each)(void *context, const struct net_target *target);
    void *context;
    int status;
};

static int on_other(void *context, const rs_service *watch)
{
    struct others *others = context;
    struct net_target target;

    if (watch->damaged || by_word(watch->name) != NULL || by_program(watch->program) == NULL) {
        return 0;
    }
    others->status = net_target_find(others->store, watch->name, &target);
    return others->status != RS_OK ? 1 : others->each(others->context, &target);
}

int net_targets(rs_store *store, int (*each)(void *context, const struct net_target *target),
                void *context)
{
    struct others others = {.store = store, .each = each, .context = context, .status = RS_OK};
    int status;

    for (const struct net_service *row = net_services; row->title != NULL; row++) {
        struct net_target target;
        status = net_target_find(store, row->program, &target);
        if (status != RS_OK || each(context, &target) != 0) {
            return status;
        }
    }
    status = rs_services(store, on_other, &others);
    return others.status != RS_OK ? others.status : status;
}
