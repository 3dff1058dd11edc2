/*
 * stores.c - see stores.h.
 */
#include "stores.h"
#include "../regstore/value.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_SECONDS 60u

/* ---- Stores and transactions ---- */

rs_store *open_store(void)
{
    rs_store *store = NULL;
    SUCCEEDS(rs_open(scratch_path("store"), RS_CREATE, &store, NULL));
    return store;
}

rs_txn *start_reading(rs_store *store)
{
    rs_txn *txn = NULL;
    SUCCEEDS(rs_begin(store, RS_READ, &txn));
    return txn;
}

rs_txn *start_writing(rs_store *store)
{
    rs_txn *txn = NULL;
    SUCCEEDS(rs_begin(store, RS_WRITE, &txn));
    return txn;
}

uint64_t end_writing(rs_txn *txn)
{
    uint64_t revision = 0;
    SUCCEEDS(rs_commit(txn, &revision));
    return revision;
}

/* ---- Keys and values ---- */

rs_key find_key(rs_txn *txn, const char *path)
{
    rs_key key = RS_NO_KEY;
    SUCCEEDS(rs_key_open(txn, RS_NO_KEY, path, &key));
    return key;
}

rs_key add_key(rs_txn *txn, const char *path)
{
    rs_key key = RS_NO_KEY;
    SUCCEEDS(rs_key_create(txn, RS_NO_KEY, path, &key));
    return key;
}

rs_key find_link(rs_txn *txn, const char *path)
{
    rs_key key = RS_NO_KEY;
    SUCCEEDS(rs_key_open_n(txn, RS_NO_KEY, path, RS_NTS, RS_NOFOLLOW, &key));
    return key;
}

rs_key_info info_of(rs_txn *txn, rs_key key)
{
    rs_key_info info = {0};
    SUCCEEDS(rs_key_info_get(txn, key, &info));
    return info;
}

const char *path_of(rs_txn *txn, rs_key key)
{
    const char *path = NULL;
    SUCCEEDS(rs_key_path(txn, key, &path, NULL));
    return path;
}

void set_number(rs_txn *txn, rs_key key, const char *name, uint32_t number)
{
    SUCCEEDS(rs_set_dword(txn, key, name, number));
}

uint32_t number_of(rs_txn *txn, rs_key key, const char *name)
{
    uint32_t number = 0;
    SUCCEEDS(rs_get_dword(txn, key, name, &number));
    return number;
}

rs_stat stat_of(rs_txn *txn)
{
    rs_stat stat = {0};
    SUCCEEDS(rs_stat_get(txn, &stat));
    return stat;
}

/* ---- Listing ---- */

static void add_name(struct buffer *names, const char *name, size_t len)
{
    if (names->size > 0) {
        SUCCEEDS(buffer_append_byte(names, ','));
    }
    SUCCEEDS(buffer_append(names, name, len));
}

/* Ends a listing: the names move into the transaction. */
static const char *finish_names(rs_txn *txn, rs_cursor *cursor, struct buffer *names, int status)
{
    rs_cursor_close(cursor);
    const char *text = arena_copy(&txn->arena, names->data, names->size);
    buffer_free(names);
    CU_ASSERT_EQUAL_FATAL(status, RS_END);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    return text;
}

const char *subkeys_of(rs_txn *txn, rs_key key)
{
    struct buffer names = BUFFER_INIT;
    rs_cursor *cursor = NULL;
    rs_key_info info;
    int status;
    SUCCEEDS(rs_subkeys(txn, key, &cursor));
    while ((status = rs_next_key(cursor, &info)) == RS_OK) {
        add_name(&names, info.name, info.name_len);
    }
    return finish_names(txn, cursor, &names, status);
}

const char *values_of(rs_txn *txn, rs_key key)
{
    struct buffer names = BUFFER_INIT;
    rs_cursor *cursor = NULL;
    rs_value value;
    int status;
    SUCCEEDS(rs_values(txn, key, &cursor));
    while ((status = rs_next_value(cursor, &value)) == RS_OK) {
        add_name(&names, value.name, value.name_len);
    }
    return finish_names(txn, cursor, &names, status);
}

struct buffer multi_of(const char *joined)
{
    struct buffer data = BUFFER_INIT;
    const char *at = joined;
    while (at != NULL) {
        const char *end = strchr(at, '|');
        size_t len = end != NULL ? (size_t)(end - at) : strlen(at);
        SUCCEEDS(value_from_text(&data, at, len));
        at = end != NULL ? end + 1 : NULL;
    }
    SUCCEEDS(buffer_append(&data, "\0", 2));
    return data;
}

void set_rule(rs_txn *txn, const char *path, const char *name, const char *fields)
{
    char whole[512];
    snprintf(whole, sizeof whole, "HKRS\\Rules\\%s", path);
    rs_key key = add_key(txn, whole);
    if (fields == NULL) {
        SUCCEEDS(rs_value_delete(txn, key, name));
        return;
    }
    struct buffer data = multi_of(fields);
    SUCCEEDS(rs_value_set(txn, key, name, REG_MULTI_SZ, data.data, data.size));
    buffer_free(&data);
}

void trim_history(rs_store *store, uint64_t keep)
{
    struct env_txn txn;
    struct store_state state;
    struct journal_limits limits = {.revisions = keep, .steps = 1000};
    SUCCEEDS(env_begin(store->env, true, &txn, NULL));
    SUCCEEDS(store_state_read(&txn, &state));
    SUCCEEDS(journal_trim(&txn, state.revision, &limits, &state.journal_bytes));
    SUCCEEDS(store_state_write(&txn, &state));
    SUCCEEDS(env_commit(&txn, NULL));
}

/* ---- Records ---- */

static void add_record(struct buffer *records, struct slice part)
{
    uint32_t size = (uint32_t)part.size;
    SUCCEEDS(buffer_append(records, &size, sizeof size));
    SUCCEEDS(buffer_append(records, part.data, part.size));
}

struct buffer records_of(rs_store *store)
{
    struct buffer records = BUFFER_INIT;
    struct env_cursor cursor = {NULL};
    struct slice key, value;
    rs_txn *txn = start_reading(store);
    SUCCEEDS(env_cursor_open(&txn->env, TABLE_TREE, &cursor));
    int status = env_cursor_first(&cursor, &key, &value);
    while (status == RS_OK) {
        add_record(&records, key);
        add_record(&records, value);
        status = env_cursor_next(&cursor, &key, &value);
    }
    CU_ASSERT_EQUAL_FATAL(status, RS_END);
    env_cursor_close(&cursor);
    rs_abort(txn);
    return records;
}

static size_t part_at(const struct buffer *records, size_t at)
{
    uint32_t size = 0;
    if (at < records->size) {
        memcpy(&size, records->data + at, sizeof size);
        return sizeof size + size;
    }
    return 0;
}

static void print_part(const char *what, const struct buffer *records, size_t at)
{
    printf("    %s:", what);
    for (size_t i = sizeof(uint32_t); i < part_at(records, at) && i < 120; i++) {
        unsigned char c = (unsigned char)records->data[at + i];
        if (c >= 0x20 && c < 0x7f) {
            printf("%c", c);
        } else {
            printf("[%02x]", c);
        }
    }
    printf("\n");
}

bool same_records(const struct buffer *a, const struct buffer *b)
{
    size_t at = 0;
    size_t before = 0;
    if (a->size == b->size && memcmp(a->data, b->data, a->size) == 0) {
        return true;
    }
    while (part_at(a, at) > 0 && part_at(a, at) == part_at(b, at) &&
           memcmp(a->data + at, b->data + at, part_at(a, at)) == 0) {
        before = at;
        at += part_at(a, at);
    }
    print_part("after", a, before);
    print_part("one", a, at);
    print_part("other", b, at);
    return false;
}

static int print_damage(void *context, const rs_damage *damage)
{
    (void)context;
    printf("    %s\n", damage->text);
    return 0;
}

void must_be_whole(rs_store *store)
{
    rs_check_options options = {.damage = print_damage};
    rs_check_report report = {0};
    rs_txn *txn = start_reading(store);
    SUCCEEDS(rs_check(txn, &options, &report));
    rs_abort(txn);
    CU_ASSERT_EQUAL_FATAL(report.damages, 0);
}

const char *repeated(const char *text, size_t count)
{
    static char names[2][70000];
    static unsigned next;
    char *name = names[next++ % 2];
    size_t len = strlen(text);
    CU_ASSERT_FATAL(len * count < sizeof names[0]);
    for (size_t i = 0; i < count; i++) {
        memcpy(name + i * len, text, len);
    }
    name[len * count] = '\0';
    return name;
}

/* ---- Children ---- */

int in_child(int (*body)(void *context), void *context)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_SECONDS);
        _exit(body(context));
    }
    CU_ASSERT_FATAL(child > 0);
    CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* ---- History ---- */

static void keep_side(struct arena *arena, struct change_side *side)
{
    if (side->present) {
        side->name = arena_copy(arena, side->name, side->name_len);
        side->data = arena_copy(arena, side->data, side->size);
        CU_ASSERT_FATAL(side->name != NULL && side->data != NULL);
    }
}

static void add_change(struct history *history, const struct change *change)
{
    if (history->count == history->capacity) {
        size_t capacity = history->capacity > 0 ? 2 * history->capacity : 16;
        struct change *changes = realloc(history->changes, capacity * sizeof *changes);
        CU_ASSERT_PTR_NOT_NULL_FATAL(changes);
        history->changes = changes;
        history->capacity = capacity;
    }
    struct change *kept = &history->changes[history->count++];
    *kept = *change;
    kept->path = arena_copy(&history->arena, change->path, change->path_len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(kept->path);
    keep_side(&history->arena, &kept->before);
    keep_side(&history->arena, &kept->after);
}

struct history history_of(rs_store *store, uint64_t revision)
{
    struct history history = {.arena = ARENA_INIT};
    struct journal_reader reader = {0};
    struct change change;
    int status;
    rs_txn *txn = start_reading(store);
    SUCCEEDS(journal_open(&reader, &txn->env, revision, &history.head));
    while ((status = journal_next(&reader, &change)) == RS_OK) {
        add_change(&history, &change);
    }
    journal_close(&reader);
    const char *program = history.head.program;
    const char *message = history.head.message;
    history.head.program = arena_copy(&history.arena, program, strlen(program));
    history.head.message = arena_copy(&history.arena, message, strlen(message));
    rs_abort(txn);
    CU_ASSERT_EQUAL_FATAL(status, RS_END);
    return history;
}

void history_free(struct history *history)
{
    free(history->changes);
    arena_free(&history->arena);
    *history = (struct history){0};
}
