/* regtool services: shows the services of the store, how far they are and what they last said. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "answers.h"
#include "arguments.h"
#include "json.h"
#include "report.h"
#include "show.h"
#include "tool.h"

struct table {
    bool json;
    bool counting; /* the first pass looks how wide names are */
    int width;
    uint64_t latest;
    uint64_t now;
    uint64_t count;
};

static const char *state_of(const rs_service *service)
{
    if (service->alive) {
        return "running";
    }
    return service->ended ? "ended" : "gone";
}

/* The last revision that it has passed. */
static uint64_t reached(const rs_service *service)
{
    return service->position > service->answered ? service->position : service->answered;
}

static uint64_t lag_of(const struct table *table, const rs_service *service)
{
    uint64_t revision = reached(service);

    return table->latest > revision ? table->latest - revision : 0;
}

/* Further keys that it answers for. */
static void put_beside(struct json *json, const rs_service *service)
{
    json_member(json, "beside");
    json_open(json, '[');
    for (const char *key = service->beside; *key != '\0'; key += strlen(key) + 1) {
        json_text(json, key, strlen(key));
    }
    json_close(json, ']');
}

static void put_json(const struct table *table, const rs_service *service)
{
    struct json json = {.out = stdout};

    json_open(&json, '{');
    json_member_text(&json, "name", service->name);
    json_member_text(&json, "state", state_of(service));
    json_member_number(&json, "pid", service->pid);
    json_member_text(&json, "program", service->program);
    json_member_text(&json, "key", service->path);
    json_member_number(&json, "revision", reached(service));
    json_member_number(&json, "lag", lag_of(table, service));
    json_member_text(&json, "answer", answers_word(service->answer));
    json_member_number(&json, "answered", service->answered);
    json_member_text(&json, "reason", service->reason);
    json_member(&json, "restart_since");
    if (service->restart_since != 0) {
        json_number(&json, service->restart_since);
    } else {
        json_null(&json);
    }
    show_json_time(&json, "heard", service->heard);
    json_member(&json, "damaged");
    json_truth(&json, service->damaged != 0);
    put_beside(&json, service);
    json_close(&json, '}');
    json_line(&json);
}

/* How long it is silent, in the largest unit of which there are two. */
static void put_silence(const struct table *table, const rs_service *service)
{
    static const struct {
        uint64_t seconds;
        const char *name;
    } units[] = {{86400, "days"}, {3600, "hours"}, {60, "minutes"}, {1, "seconds"}};
    /* A clock that was set back says nothing about how long it is. */
    uint64_t seconds = table->now > service->heard ? (table->now - service->heard) / 10000000 : 0;
    size_t unit = 0;

    while (units[unit].seconds > 1 && seconds < 2 * units[unit].seconds) {
        unit++;
    }
    printf("    last heard of %" PRIu64 " %s ago\n", seconds / units[unit].seconds,
           units[unit].name);
}

static void put_notes(const struct table *table, const rs_service *service)
{
    if (service->reason[0] != '\0') {
        fputs("    ", stdout);
        show_safely(stdout, service->reason);
        putchar('\n');
    }
    if (service->restart_since != 0 && service->alive) {
        printf("    needs a restart since revision %" PRIu64 "\n", service->restart_since);
    }
    if (service->damaged) {
        puts("    its file is damaged, so that its position is not known");
    }
    if (!service->alive && !service->ended && service->heard != 0) {
        put_silence(table, service);
    }
}

static void put_text(const struct table *table, const rs_service *service)
{
    char pid[16];

    snprintf(pid, sizeof(pid), "%" PRIu32, service->pid);
    if (service->damaged) {
        printf("%-*s  %7s  %8s  %5s  %-8s  -\n", table->width, service->name,
               service->alive && service->pid != 0 ? pid : state_of(service), "-", "-", "-");
        put_notes(table, service);
        return;
    }
    printf("%-*s  %7s  %8" PRIu64 "  %5" PRIu64 "  %-8s  ", table->width, service->name,
           service->alive ? pid : state_of(service), reached(service), lag_of(table, service),
           answers_word(service->answer));
    show_safely(stdout, service->path);
    putchar('\n');
    put_notes(table, service);
}

static int on_service(void *context, const rs_service *service)
{
    struct table *table = context;
    int width = (int)strlen(service->name);

    if (table->counting) {
        table->width = width > table->width ? width : table->width;
        table->count++;
    } else if (table->json) {
        put_json(table, service);
    } else {
        put_text(table, service);
    }
    return 0;
}

static int print_services(struct session *session, struct table *table)
{
    int status = rs_services(session->store, on_service, table);

    if (status == RS_OK && table->count > 0 && !table->json) {
        printf("%-*s  %7s  %8s  %5s  %-8s  %s\n", table->width, "NAME", "PID", "REVISION", "LAG",
               "ANSWER", "KEY");
    }
    table->counting = false;
    return status == RS_OK ? rs_services(session->store, on_service, table) : status;
}

static int forget(const struct tool *tool, const char *name)
{
    struct json json = {.out = stdout};
    rs_error error = RS_ERROR_INIT;
    rs_store *store;
    int status;

    if (tool_open(tool, RS_READONLY, &store) != 0) {
        return 1;
    }
    status = rs_service_forget(store, name, &error);
    rs_close(store);
    if (status != RS_OK) {
        return report_status(status, &error, name);
    }
    if (tool->json) {
        json_open(&json, '{');
        json_member_text(&json, "forgotten", name);
        json_close(&json, '}');
        json_line(&json);
    } else {
        printf("forgot %s\n", name);
    }
    return 0;
}

/* The present, as the times of a store are told. */
static uint64_t present(void)
{
    const uint64_t unix_epoch = UINT64_C(116444736000000000);
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return unix_epoch + (uint64_t)now.tv_sec * 10000000 + (uint64_t)now.tv_nsec / 100;
}

int cmd_services(struct tool *tool, const struct arguments *arguments)
{
    struct table table = {.json = tool->json, .counting = true, .width = 4, .now = present()};
    struct session session;
    int result = 0;
    int status;

    if (has_switch(arguments, SWITCH_FORGET)) {
        return forget(tool, arguments->switches[SWITCH_FORGET]);
    }
    if (session_begin(tool, RS_READ, &session) != 0) {
        return 1;
    }
    table.latest = rs_revision(session.txn);
    status = print_services(&session, &table);
    if (status != RS_OK) {
        result = session_report(&session, status, rs_store_dir(session.store));
    }
    session_end(&session);
    return result;
}
