/* regtool status: shows the store, who reads it, who watches it, and the hives loaded into it. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "hives.h"
#include "json.h"
#include "show.h"
#include "tool.h"

#define TICKS_PER_SECOND 10000000.0

/* Counts and prints what the library lists; the first pass only counts. */
struct listing {
    bool counting;
    uint64_t count;
    uint64_t oldest; /* age of the oldest snapshot, in 100 ns */
    struct json *json;
};

static void print_reader(const rs_reader *reader)
{
    char held[SHOW_BYTES_SIZE];

    printf("    pid %" PRIu32 " at revision %" PRIu64, reader->pid, reader->revision);
    if (reader->behind > 0) {
        show_bytes(reader->held, held);
        printf(", %" PRIu64 " behind since %.1f s, holds %s", reader->behind,
               (double)reader->age / TICKS_PER_SECOND, held);
    }
    putchar('\n');
}

static int on_reader(void *context, const rs_reader *reader)
{
    struct listing *listing = context;

    listing->count++;
    if (reader->age > listing->oldest) {
        listing->oldest = reader->age;
    }
    if (listing->counting) {
        return 0;
    }
    if (listing->json == NULL) {
        print_reader(reader);
        return 0;
    }
    json_open(listing->json, '{');
    json_member_number(listing->json, "pid", reader->pid);
    json_member_number(listing->json, "revision", reader->revision);
    json_member_number(listing->json, "behind", reader->behind);
    json_member_number(listing->json, "age_ms", reader->age / 10000);
    json_member_number(listing->json, "held_size", reader->held);
    json_close(listing->json, '}');
    return 0;
}

static int on_watcher(void *context, const rs_watcher *watcher)
{
    struct listing *listing = context;

    listing->count++;
    if (listing->counting) {
        return 0;
    }
    if (listing->json == NULL) {
        printf("    pid %" PRIu32 ", ", watcher->pid);
        show_safely(stdout, watcher->program);
        fputs(", ", stdout);
        show_safely(stdout, watcher->path);
        putchar('\n');
        return 0;
    }
    json_open(listing->json, '{');
    json_member_number(listing->json, "pid", watcher->pid);
    json_member_text(listing->json, "program", watcher->program);
    json_member_text(listing->json, "path", watcher->path);
    json_close(listing->json, '}');
    return 0;
}

static void print_size(const rs_stat *stat)
{
    char file[SHOW_BYTES_SIZE], used[SHOW_BYTES_SIZE], map[SHOW_BYTES_SIZE];

    show_bytes(stat->file_size, file);
    show_bytes(stat->used_size, used);
    show_bytes(stat->map_size, map);
    printf("size        %s, %s in use, may grow to %s\n", file, used, map);
}

static void print_stat(const rs_store *store, const rs_stat *stat)
{
    char written[SHOW_TIME_SIZE];

    fputs("store       ", stdout);
    show_safely(stdout, rs_store_dir(store));
    printf(" (format %" PRIu32 ")\n", stat->format);
    printf("revision    %" PRIu64, stat->revision);
    if (stat->written != 0) {
        show_time(stat->written, written);
        printf(", made %s", written);
    }
    if (stat->first_revision != 0) {
        printf("\njournal     from revision %" PRIu64, stat->first_revision);
    } else {
        printf("\njournal     empty");
    }
    printf("\nkeys        %" PRIu64 "\nvalues      %" PRIu64 "\n", stat->keys, stat->values);
    print_size(stat);
}

/* Mostly nothing waits, and nothing is said of it. */
static void print_pending(const rs_pending *pending)
{
    if (pending->revision == 0) {
        return;
    }
    printf("waiting     revision %" PRIu64 " to be confirmed, ", pending->revision);
    if (pending->left_ms > 0) {
        printf("%.1f s left\n", (double)pending->left_ms / 1000);
    } else {
        puts("too late: it is to be taken back");
    }
}

/* *pending is all 0 if nothing waits. */
static int find_pending(struct session *session, rs_pending *pending)
{
    int status = rs_confirm_pending(session->txn, pending);

    if (status == RS_ENOTFOUND) {
        session_forget(session);
        return RS_OK;
    }
    return status;
}

/* Most stores have none, and say nothing of it. */
static int print_hives(struct session *session)
{
    uint64_t count;
    int status = hives_count(session, &count);

    if (status != RS_OK || count == 0) {
        return status;
    }
    printf("hives       %" PRIu64 "\n", count);
    return hives_print(session, "    ");
}

static int print_text(struct session *session, const rs_stat *stat, const rs_pending *pending)
{
    struct listing readers = {.counting = true}, watchers = {.counting = true},
                   lines = {.json = NULL};
    int status;

    print_stat(session->store, stat);
    print_pending(pending);
    status = rs_readers(session->txn, on_reader, &readers);
    if (status == RS_OK) {
        status = rs_watchers(session->store, on_watcher, &watchers);
    }
    if (status != RS_OK) {
        return status;
    }
    printf("readers     %" PRIu64 " of %" PRIu32, readers.count, stat->max_readers);
    if (readers.oldest > 0) {
        printf(", the oldest outdated for %.1f s", (double)readers.oldest / TICKS_PER_SECOND);
    }
    putchar('\n');
    status = rs_readers(session->txn, on_reader, &lines);
    printf("watchers    %" PRIu64 "\n", watchers.count);
    if (status == RS_OK) {
        status = rs_watchers(session->store, on_watcher, &lines);
    }
    return status == RS_OK ? print_hives(session) : status;
}

static void put_json_stat(struct json *json, const rs_store *store, const rs_stat *stat)
{
    json_member_text(json, "store", rs_store_dir(store));
    json_member_number(json, "format", stat->format);
    json_member_number(json, "revision", stat->revision);
    show_json_time(json, "written", stat->written);
    json_member_number(json, "first_revision", stat->first_revision);
    json_member_number(json, "keys", stat->keys);
    json_member_number(json, "values", stat->values);
    json_member_number(json, "file_size", stat->file_size);
    json_member_number(json, "used_size", stat->used_size);
    json_member_number(json, "map_size", stat->map_size);
    json_member_number(json, "max_readers", stat->max_readers);
}

static int print_json(struct session *session, const rs_stat *stat, const rs_pending *pending)
{
    struct json json = {.out = stdout};
    struct listing listing = {.json = &json};
    int status;

    json_open(&json, '{');
    put_json_stat(&json, session->store, stat);
    json_member_number(&json, "unconfirmed", pending->revision);
    json_member_number(&json, "left_ms", pending->left_ms);
    json_member(&json, "readers");
    json_open(&json, '[');
    status = rs_readers(session->txn, on_reader, &listing);
    json_close(&json, ']');
    json_member(&json, "watchers");
    json_open(&json, '[');
    if (status == RS_OK) {
        status = rs_watchers(session->store, on_watcher, &listing);
    }
    json_close(&json, ']');
    json_member(&json, "hives");
    json_open(&json, '[');
    if (status == RS_OK) {
        status = hives_json(session, &json, false);
    }
    json_close(&json, ']');
    json_close(&json, '}');
    json_line(&json);
    return status;
}

int cmd_status(struct tool *tool, const struct arguments *arguments)
{
    struct session session;
    rs_pending pending = {.revision = 0};
    rs_stat stat;
    int status;
    int result = 0;

    (void)arguments;
    if (session_begin(tool, RS_READ, &session) != 0) {
        return 1;
    }
    status = rs_stat_get(session.txn, &stat);
    if (status == RS_OK) {
        status = find_pending(&session, &pending);
    }
    if (status == RS_OK) {
        status = tool->json ? print_json(&session, &stat, &pending)
                            : print_text(&session, &stat, &pending);
    }
    if (status != RS_OK) {
        result = session_report(&session, status, rs_store_dir(session.store));
    }
    session_end(&session);
    return result;
}
