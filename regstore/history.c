#include <string.h>

#include "history.h"

/* ---- Revisions ---- */

static rs_revision_info info_of(const struct journal_head *head)
{
    return (rs_revision_info){
        .revision = head->revision,
        .time = head->time,
        .uid = head->uid,
        .pid = head->pid,
        .program = head->program,
        .message = head->message,
        .flags = head->flags,
        .from = head->from,
        .to = head->to,
    };
}

static int fail_journal(struct rs_txn *txn, int status)
{
    return status == RS_OK ? RS_OK
                           : fail(txn->tree.error, status, "the journal: %s", rs_strerror(status));
}

/* Where a walk from the newest revision that is asked for to the oldest is. */
struct walk {
    struct rs_txn *txn;
    struct journal_scan scan;
    uint64_t oldest;
    struct journal_head head;
};

static int walk_begin(struct walk *walk, struct rs_txn *txn, uint64_t newest, uint64_t oldest)
{
    uint64_t latest = store_revision(txn);
    *walk = (struct walk){.txn = txn, .oldest = oldest};
    return journal_scan_begin(&walk->scan, &txn->env, newest < latest ? newest : latest);
}

static int walk_next(struct walk *walk)
{
    int status = journal_scan_next(&walk->scan, &walk->head);
    return status == RS_OK && walk->head.revision < walk->oldest ? RS_END : status;
}

/* What the caller answered is given back as it is. */
static int walk_end(struct walk *walk, int status, int answer)
{
    journal_scan_end(&walk->scan);
    return answer != 0 ? answer : fail_journal(walk->txn, status == RS_END ? RS_OK : status);
}

int history_list(struct rs_txn *txn, uint64_t newest, uint64_t oldest, history_revision each,
                 void *context)
{
    struct walk walk;
    int answer = 0;
    int status = walk_begin(&walk, txn, newest, oldest);
    while (status == RS_OK && answer == 0 && (status = walk_next(&walk)) == RS_OK) {
        rs_revision_info info = info_of(&walk.head);
        answer = each(context, &info);
    }
    return walk_end(&walk, status, answer);
}

/* ---- The changes of one ---- */

struct teller {
    struct buffer path;   /* of the key that is told */
    struct buffer levels; /* struct journal_level each */
    rs_value values[2];
};

/* The path of an inner change begins with that of the key it is in. */
static int extend_path(struct teller *teller, const struct change *change)
{
    const struct journal_level *levels =
        (const struct journal_level *)(const void *)teller->levels.data;
    teller->path.size = levels[teller->levels.size / sizeof *levels - 1].path_len;
    if (change->kind != RS_KEY_DELETED) {
        return RS_OK;
    }
    int status = buffer_append_byte(&teller->path, '\\');
    return status == RS_OK
               ? buffer_append(&teller->path, change->before.name, change->before.name_len)
               : status;
}

static int find_path(struct teller *teller, const struct change *change)
{
    int status = journal_find_level(&teller->levels, change);
    if (status == RS_OK && change->inner) {
        status = extend_path(teller, change);
    } else if (status == RS_OK) {
        teller->path.size = 0;
        status = buffer_append(&teller->path, change->path, change->path_len);
    }
    if (status == RS_OK) {
        status = journal_add_level(&teller->levels, change, teller->path.size);
    }
    return status == RS_OK ? buffer_terminate(&teller->path) : status;
}

static const rs_value *value_of(rs_value *value, const struct change_side *side)
{
    *value = (rs_value){side->name, side->name_len, side->type, side->data, side->size};
    return side->present ? value : NULL;
}

static bool is_of_value(enum rs_change_kind kind)
{
    return kind == RS_VALUE_SET || kind == RS_VALUE_DELETED || kind == RS_KEY_RELINKED;
}

static void tell_sides(const struct change *change, rs_value values[2], rs_change *told)
{
    const struct change_side *before = &change->before;
    const struct change_side *after = &change->after;
    if (is_of_value(change->kind)) {
        told->old_value = change->lost ? NULL : value_of(&values[0], before);
        told->new_value = value_of(&values[1], after);
        told->name = after->present ? after->name : before->name;
        told->name_len = after->present ? after->name_len : before->name_len;
    } else if (change->kind == RS_KEY_RENAMED) {
        told->name = after->name;
        told->name_len = after->name_len;
        told->old_name = before->name;
        told->old_name_len = before->name_len;
    } else if (change->kind == RS_KEY_CLASS) {
        told->name = after->data;
        told->name_len = after->size;
        told->old_name = before->data;
        told->old_name_len = before->size;
    }
}

rs_change history_told(const struct change *change, struct slice path, rs_value values[2])
{
    rs_change told = {
        .kind = change->kind,
        .key = change->key,
        .path = path.data,
        .path_len = path.size,
        .relative = path.data,
        .relative_len = path.size,
        .name = "",
        .old_name = "",
        .inner = change->inner,
        .lost = change->lost,
        .old_written = change->written_before,
        .new_written = change->written_after,
    };
    tell_sides(change, values, &told);
    return told;
}

/* *answer is the caller's. */
static int tell_changes(struct journal_reader *reader, struct teller *teller, history_change each,
                        void *context, int *answer)
{
    struct change change;
    int status;
    while ((status = journal_next(reader, &change)) == RS_OK && *answer == 0) {
        status = find_path(teller, &change);
        if (status != RS_OK) {
            return status;
        }
        struct slice path = {teller->path.data, teller->path.size};
        rs_change told = history_told(&change, path, teller->values);
        *answer = each(context, &told);
    }
    return status == RS_END ? RS_OK : status;
}

int history_fail_missing(struct rs_txn *txn, uint64_t revision)
{
    unsigned long long number = revision;
    if (revision == 0 || revision > store_revision(txn)) {
        return fail(txn->tree.error, RS_ENOTFOUND, "no revision %llu, the latest is %llu", number,
                    (unsigned long long)store_revision(txn));
    }
    uint64_t first = 0;
    (void)journal_first(&txn->env, &first);
    return fail(txn->tree.error, RS_EBEHIND,
                "revision %llu is no longer in the journal, which begins with %llu", number,
                (unsigned long long)first);
}

int history_changes(struct rs_txn *txn, uint64_t revision, history_change each, void *context)
{
    struct journal_reader reader = {0};
    struct journal_head head;
    struct teller teller = {BUFFER_INIT, BUFFER_INIT, {{0}}};
    int answer = 0;
    int status = journal_open(&reader, &txn->env, revision, &head);
    if (status == RS_ENOTFOUND) {
        return history_fail_missing(txn, revision);
    }
    if (status == RS_OK) {
        status = tell_changes(&reader, &teller, each, context, &answer);
    }
    journal_close(&reader);
    buffer_free(&teller.path);
    buffer_free(&teller.levels);
    return answer != 0 ? answer : fail_journal(txn, status);
}

/* ---- The revisions that touch a key ---- */

struct search {
    struct walk walk;
    struct watch_target target;
    struct journal_wanted wanted;
    struct journal_sieve sieve;
    uint64_t next;  /* revision that may concern it */
    unsigned flags; /* RS_SUBTREE */
    struct buffer scratch;
    struct journal_reader reader;
};

/* Most changes are somewhere else, and that is seen without decoding or folding them: one plain
 * letter that differs is enough. True only if it is certain. */
static bool surely_elsewhere(const struct search *search, const struct journal_glance *glance)
{
    const struct buffer *wanted = &search->target.path;
    bool moves = glance->kind != RS_VALUE_SET && glance->kind != RS_VALUE_DELETED;
    size_t len = glance->path_len < wanted->size ? glance->path_len : wanted->size;
    if (glance->inner) {
        return true;
    }
    if (moves && (glance->kind == RS_KEY_RENAMED || search->target.links.size > 0)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char a = (unsigned char)glance->path[i];
        unsigned char b = (unsigned char)wanted->data[i];
        if (a != b) {
            a = a >= 'a' && a <= 'z' ? (unsigned char)(a - 'a' + 'A') : a;
            if (a != b || a >= 0x80) {
                return a < 0x80 && b < 0x80;
            }
        }
    }
    return false;
}

static int matches(struct search *search, const struct change *change, bool *touched)
{
    enum watch_match match;
    const char *relative;
    if (change->inner) {
        return RS_OK;
    }
    int status =
        watch_match(&search->target, search->flags, change, &search->scratch, &match, &relative);
    *touched = status == RS_OK && match != WATCH_NOTHING;
    return status;
}

/* A stream that lies in one piece. */
static int search_stream(struct search *search, struct slice stream, bool *touched)
{
    struct journal_glance glance;
    struct change change;
    int status = RS_OK;
    while (!*touched && (status = journal_glance(&stream, &glance)) == RS_OK) {
        if (!surely_elsewhere(search, &glance)) {
            status = journal_get_change(glance.stored, &change);
            status = status == RS_OK ? matches(search, &change, touched) : status;
        }
        if (status != RS_OK) {
            return status;
        }
    }
    return status == RS_END ? RS_OK : status;
}

static int search_long(struct search *search, bool *touched)
{
    struct journal_head head;
    struct change change;
    struct rs_txn *txn = search->walk.txn;
    int status = journal_open(&search->reader, &txn->env, search->walk.head.revision, &head);
    while (status == RS_OK && !*touched &&
           (status = journal_next(&search->reader, &change)) == RS_OK) {
        status = matches(search, &change, touched);
    }
    return status == RS_END ? RS_OK : status;
}

/* The next revision, but for those in blocks whose digests say that none is wanted. */
static int search_next(struct search *search)
{
    struct walk *walk = &search->walk;
    int status = journal_sieve_next(&search->sieve, walk->oldest, &search->next);
    if (status == RS_OK) {
        journal_scan_skip(&walk->scan, search->next);
        status = walk_next(walk);
    }
    search->next = status == RS_OK ? walk->head.revision - 1 : 0;
    return status;
}

static int search_key(struct search *search, history_revision each, void *context, int *answer)
{
    struct walk *walk = &search->walk;
    int status = RS_OK;
    while (*answer == 0 && (status = search_next(search)) == RS_OK) {
        bool touched = false;
        status = walk->scan.longer ? search_long(search, &touched)
                                   : search_stream(search, walk->scan.tail, &touched);
        if (status != RS_OK) {
            return status;
        }
        if (touched) {
            rs_revision_info info = info_of(&walk->head);
            *answer = each(context, &info);
        }
    }
    return *answer != 0 ? RS_OK : status;
}

static int search_begin(struct search *search, struct rs_txn *txn, uint64_t newest, uint64_t oldest)
{
    int status = watch_want(&search->target, &search->wanted);
    if (status == RS_OK) {
        status = journal_sieve_begin(&search->sieve, &txn->env, &search->wanted);
    }
    if (status == RS_OK) {
        status = walk_begin(&search->walk, txn, newest, oldest);
        search->next = search->walk.scan.newest;
    }
    return status;
}

static void search_end(struct search *search)
{
    watch_target_free(&search->target);
    journal_wanted_free(&search->wanted);
    journal_sieve_end(&search->sieve);
    buffer_free(&search->scratch);
    journal_close(&search->reader);
}

int history_key(struct rs_txn *txn, struct slice path, unsigned flags, uint64_t newest,
                uint64_t oldest, history_revision each, void *context)
{
    struct search search = {.walk.txn = txn, .flags = flags & RS_SUBTREE};
    int answer = 0;
    int status = watch_resolve(&search.target, &txn->tree, path);
    if (status != RS_OK) {
        return fail(txn->tree.error, status, "%s", rs_strerror(status));
    }
    status = search_begin(&search, txn, newest, oldest);
    if (status == RS_OK) {
        status = search_key(&search, each, context, &answer);
    }
    search_end(&search);
    return walk_end(&search.walk, status, answer);
}
