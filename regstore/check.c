#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "journal_digest.h"

/* ---- Telling ---- */

#define LONGEST_PLACE 300 /* bytes of a path in a line: it can be half a megabyte */

/* "HKEY_LOCAL_MACHINE\A", or "key 17" where the way up from it is damaged. */
static void print_place(struct check *check, rs_key key, uint64_t revision, char *place,
                        size_t size)
{
    check->path.size = 0;
    if (revision != 0) {
        snprintf(place, size, "the journal's revision %llu", (unsigned long long)revision);
    } else if (key == RS_NO_KEY) {
        snprintf(place, size, "the store");
    } else if (tree_path(&check->txn->tree, key, &check->path) != RS_OK) {
        snprintf(place, size, "key %llu", (unsigned long long)key);
    } else {
        size_t len = check->path.size;
        bool cut = len > LONGEST_PLACE;
        for (len = cut ? LONGEST_PLACE : len; cut && (check->path.data[len] & 0xc0) == 0x80;) {
            len--;
        }
        snprintf(place, size, "%.*s%s", (int)len, check->path.data, cut ? "..." : "");
    }
}

int check_found(struct check *check, rs_key key, uint64_t revision, const char *format, ...)
{
    char place[LONGEST_PLACE + 64];
    char what[RS_ERROR_TEXT_MAX];
    rs_error line = RS_ERROR_INIT; /* makes it one line without control characters */
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    print_place(check, key, revision, place, sizeof place);
    (void)fail(&line, RS_EDAMAGED, "%s: %s", place, what);
    check->report.damages++;
    rs_damage damage = {.key = key, .revision = revision, .text = line.text};
    const rs_check_options *options = check->options;
    bool go_on = options->damage == NULL || options->damage(options->context, &damage) == 0;
    return go_on ? RS_OK : RS_ECANCELLED;
}

int check_progress(struct check *check)
{
    const rs_check_options *options = check->options;
    bool go_on =
        options->progress == NULL || options->progress(options->context, &check->report) == 0;
    return go_on ? RS_OK : RS_ECANCELLED;
}

/* ---- Walking a table ---- */

static const char *const table_names[TABLE_COUNT] = {"of its state", "of keys and values",
                                                     "of the journal"};

/* What ends a walk is told once; after that there is no more of the table. */
static int cannot_go_on(struct check_walk *walk, const char *why)
{
    struct check *check = walk->check;
    int status =
        check_found(check, check->report.key, check->report.revision,
                    "the table %s cannot be read on from here: %s", table_names[walk->table], why);
    return status == RS_OK ? RS_END : status;
}

/* All entries that LMDB has counted must have come by. */
static int finish_walk(struct check_walk *walk)
{
    uint64_t counted;
    int status = env_entries(&walk->check->txn->env, walk->table, &counted);
    if (status == RS_OK && counted != walk->entries) {
        status =
            check_found(walk->check, RS_NO_KEY, 0,
                        "the table %s has %llu records, counted are %llu", table_names[walk->table],
                        (unsigned long long)walk->entries, (unsigned long long)counted);
    }
    return status == RS_OK ? RS_END : status;
}

static bool ascends(const struct check_walk *walk)
{
    size_t shorter = walk->last_size < walk->key.size ? walk->last_size : walk->key.size;
    int order = memcmp(walk->last, walk->key.data, shorter);
    return walk->entries == 0 || order < 0 || (order == 0 && walk->last_size < walk->key.size);
}

int check_walk_next(struct check_walk *walk)
{
    int status;
    if (walk->cursor.mdb == NULL) {
        status = env_cursor_open(&walk->check->txn->env, walk->table, &walk->cursor);
        if (status == RS_OK) {
            status = env_cursor_first(&walk->cursor, &walk->key, &walk->value);
        }
    } else {
        status = env_cursor_next(&walk->cursor, &walk->key, &walk->value);
    }
    if (status == RS_END) {
        return finish_walk(walk);
    }
    if (status == RS_ENOMEM) {
        return status;
    }
    if (status != RS_OK) {
        return cannot_go_on(walk, rs_strerror(status));
    }
    if (walk->key.size == 0 || walk->key.size > sizeof walk->last || !ascends(walk)) {
        return cannot_go_on(walk, "its records are out of order");
    }
    memcpy(walk->last, walk->key.data, walk->key.size);
    walk->last_size = walk->key.size;
    walk->entries++;
    return walk->entries % CHECK_STEP == 0 ? check_progress(walk->check) : RS_OK;
}

void check_walk_end(struct check_walk *walk)
{
    env_cursor_close(&walk->cursor);
}

/* ---- The journal ---- */

/* Where a walk through the journal is. */
struct journal_place {
    uint64_t revision; /* 0: before the first */
    uint32_t chunk;
    uint32_t chunks; /* that the revision's head promises */
    bool headless;   /* being trimmed away, or without head: how many chunks is not known */
    struct journal_reader reader;
    struct buffer levels; /* of a deletion, down to the key whose changes come */
    struct buffer folded; /* a path */
};

/* Who looks for a key's changes compares folded paths. */
static int fold_path(struct journal_place *place, const struct change *change)
{
    place->folded.size = 0;
    int status = text_fold_append(&place->folded, change->path, change->path_len);
    if (status == RS_OK && change->kind == RS_KEY_RENAMED) {
        status = text_fold_append(&place->folded, change->after.name, change->after.name_len);
    }
    return status == RS_OK || status == RS_ENOMEM ? status : RS_EDAMAGED;
}

/* What is told as inside a deleted key must be so. */
static int follow(struct journal_place *place, const struct change *change)
{
    int status = journal_find_level(&place->levels, change);
    if (status == RS_OK) {
        status = fold_path(place, change);
    }
    return status == RS_OK ? journal_add_level(&place->levels, change, 0) : status;
}

static int check_changes(struct check *check, struct journal_place *place)
{
    struct change change;
    uint64_t changes = 0;
    int status;
    place->levels.size = 0;
    while ((status = journal_next(&place->reader, &change)) == RS_OK) {
        if (++changes % CHECK_STEP == 0 && check_progress(check) != RS_OK) {
            return RS_ECANCELLED;
        }
        if (change.key == RS_NO_KEY || change.key >= check->state.tree.next_id) {
            return check_found(check, RS_NO_KEY, place->revision,
                               "a change of key %llu, a number that was never given",
                               (unsigned long long)change.key);
        }
        if ((status = follow(place, &change)) != RS_OK) {
            break;
        }
    }
    if (status == RS_ENOMEM) {
        return status;
    }
    return status == RS_END ? RS_OK
                            : check_found(check, RS_NO_KEY, place->revision,
                                          "its changes cannot be read: %s", rs_strerror(status));
}

static int check_head(struct check *check, struct journal_place *place)
{
    struct journal_head head;
    int status = journal_open(&place->reader, &check->txn->env, place->revision, &head);
    if (status != RS_OK) {
        place->headless = true;
        return check_found(check, RS_NO_KEY, place->revision, "its head cannot be read: %s",
                           rs_strerror(status));
    }
    place->chunks = place->reader.chunks;
    check->report.revisions++;
    return check_changes(check, place);
}

static int finish_revision(struct check *check, const struct journal_place *place)
{
    if (place->revision == 0 || place->headless || place->chunk == place->chunks) {
        return RS_OK;
    }
    return check_found(check, RS_NO_KEY, place->revision, "it has %u chunks of %u", place->chunk,
                       place->chunks);
}

/* The first one may be on its way out: it is trimmed from its head on, a few chunks a commit. */
static int begin_revision(struct check *check, struct journal_place *place, uint64_t revision,
                          uint32_t chunk)
{
    bool first = place->revision == 0;
    uint64_t expected = place->revision + 1;
    int status = finish_revision(check, place);
    place->revision = revision;
    place->chunk = chunk;
    place->headless = chunk != 0;
    check->report.revision = revision;
    if (status == RS_OK && !first && revision != expected) {
        status = check_found(check, RS_NO_KEY, revision, "revision %llu should come before it",
                             (unsigned long long)revision - 1);
    }
    if (status == RS_OK && !first && chunk != 0) {
        status = check_found(check, RS_NO_KEY, revision, "its head is missing");
    }
    return status == RS_OK && chunk == 0 ? check_head(check, place) : status;
}

/* It has to have all that its block touched: what it lacks is not found. */
static int check_digest(struct check *check, uint64_t block, struct slice record)
{
    rs_error why = RS_ERROR_INIT;
    int status = journal_digest_check(&check->txn->env, block, record, &why);
    status = status == RS_EDAMAGED ? check_found(check, RS_NO_KEY, 0, "%s", why.text) : status;
    return status == RS_OK ? check_progress(check) : status;
}

static int check_chunk(struct check *check, struct journal_place *place, struct slice key,
                       struct slice value)
{
    const unsigned char *bytes = key.data;
    if (key.size != JOURNAL_KEY_SIZE) {
        return check_found(check, RS_NO_KEY, place->revision, "a record after it has no number");
    }
    uint64_t revision = env_get_be64(bytes);
    uint32_t chunk =
        (uint32_t)bytes[8] << 24 | (uint32_t)bytes[9] << 16 | (uint32_t)bytes[10] << 8 | bytes[11];
    if (revision == 0) {
        return check_digest(check, chunk, value);
    }
    if (revision != place->revision) {
        int status = begin_revision(check, place, revision, chunk);
        return status == RS_OK ? check_progress(check) : status;
    }
    uint32_t before = place->chunk;
    place->chunk = chunk;
    return chunk == before + 1 ? RS_OK
                               : check_found(check, RS_NO_KEY, revision,
                                             "after chunk %u comes chunk %u", before, chunk);
}

static int check_journal(struct check *check)
{
    struct check_walk walk = {.check = check, .table = TABLE_JOURNAL};
    struct journal_place place = {0};
    uint64_t bytes = 0;
    int status;
    check->report.key = RS_NO_KEY;
    while ((status = check_walk_next(&walk)) == RS_OK) {
        bytes += walk.key.size + walk.value.size;
        status = check_chunk(check, &place, walk.key, walk.value);
        if (status != RS_OK) {
            break;
        }
    }
    if (status == RS_END) {
        status = finish_revision(check, &place);
    }
    /* For want of room even the last revision may have been given up. */
    if (status == RS_OK && walk.entries > 0 && place.revision != check->state.revision) {
        status = check_found(check, RS_NO_KEY, 0, "the journal ends with revision %llu, not %llu",
                             (unsigned long long)place.revision,
                             (unsigned long long)check->state.revision);
    }
    if (status == RS_OK && bytes != check->state.journal_bytes) {
        status =
            check_found(check, RS_NO_KEY, 0, "the journal has %llu bytes, its state says %llu",
                        (unsigned long long)bytes, (unsigned long long)check->state.journal_bytes);
    }
    journal_close(&place.reader);
    buffer_free(&place.folded);
    buffer_free(&place.levels);
    check_walk_end(&walk);
    return status;
}

/* ---- The rest ---- */

static int check_state(struct check *check)
{
    struct check_walk walk = {.check = check, .table = TABLE_META};
    int status;
    while ((status = check_walk_next(&walk)) == RS_OK) {
    }
    check_walk_end(&walk);
    if (status == RS_END && check->state.txn_number > env_txn_number(&check->txn->env)) {
        status = check_found(check, RS_NO_KEY, 0, "its state is of a commit that was never made");
    }
    return status == RS_END ? RS_OK : status;
}

/* It can be taken back only if the journal has it. */
static int check_pending(struct check *check)
{
    struct env_txn *txn = &check->txn->env;
    struct store_pending pending = {0};
    uint64_t first = 0;
    int status = store_pending_read(txn, &pending);
    if (status == RS_ENOTFOUND) {
        return RS_OK;
    }
    if (status != RS_OK) {
        return check_found(check, RS_NO_KEY, 0, "what waits for confirmation cannot be read: %s",
                           rs_strerror(status));
    }
    if (journal_first(txn, &first) != RS_OK || first == 0 || pending.revision < first ||
        pending.revision > check->state.revision) {
        return check_found(check, RS_NO_KEY, pending.revision,
                           "it waits for confirmation, and is not in the journal");
    }
    return RS_OK;
}

static int check_pages(struct check *check)
{
    rs_error why = RS_ERROR_INIT;
    int status = env_check_pages(&check->txn->env, &why);
    return status == RS_EDAMAGED ? check_found(check, RS_NO_KEY, 0, "%s", why.text) : status;
}

static int check_all(struct check *check)
{
    int status = store_state_read(&check->txn->env, &check->state);
    if (status != RS_OK) {
        return check_found(check, RS_NO_KEY, 0, "its state cannot be read: %s",
                           rs_strerror(status));
    }
    status = check_pages(check);
    if (status == RS_OK) {
        status = check_state(check);
    }
    if (status == RS_OK) {
        status = check_pending(check);
    }
    if (status == RS_OK) {
        status = check_tree(check);
    }
    return status == RS_OK ? check_journal(check) : status;
}

int check_store(struct rs_txn *txn, const rs_check_options *options, rs_check_report *report)
{
    static const rs_check_options nothing = {NULL, NULL, NULL};
    struct check check = {.txn = txn, .options = options != NULL ? options : &nothing};
    rs_error *error = txn->tree.error;
    txn->tree.error = NULL; /* what is looked up and not there is a finding, not a failure */
    int status = check_all(&check);
    txn->tree.error = error;
    buffer_free(&check.path);
    if (status != RS_OK) {
        return fail(error, status, "cannot be checked: %s", rs_strerror(status));
    }
    *report = check.report;
    return RS_OK;
}
