/*
 * kills_undo.c - kills writers that take revisions back, redo them, and let them be confirmed.
 *
 * Each revision tells by its head what it must have made of the revisions before it, so the parent
 * plays the journal over in a small model, and compares after each kill: whole revisions and no
 * gap; the journal from the oldest that is to be kept to the latest; what was not confirmed is
 * taken back once, after its deadline and not before; what was confirmed, never. Now and then a
 * store of the past is compared, too. The journal keeps few revisions, so every commit trims it. A
 * writer tells what it knows in memory that both share. Needs killer.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "killer.h"

#define KILLS 1000u
#define KEEP 8u /* revisions that the journal keeps */
#define VERBS_A_LIFE 4u
#define REVISIONS_A_LIFE 8u
#define LIVES 4u /* a kill needs fewer, as most writers die before their end */
#define PAST_EVERY 10u
#define ALL_HAPPENS 200u /* kills after which each thing must have happened */
#define SET_VALUES 4u
#define LEAVES 12u
#define BIG_NUMBERS 18000u /* more than a chunk of the journal */
#define ROOT "HKLM\\T"
#define ASKED 64u /* of so many revisions, at most one or two wait */
#define SECOND_NS UINT64_C(1000000000)

/* What the writer has told. */
struct told {
    _Atomic uint64_t revision;        /* that was acknowledged */
    _Atomic uint64_t asked_ns[ASKED]; /* before a revision that waits was committed */
    _Atomic uint64_t keeping;         /* a revision that is being confirmed */
    _Atomic unsigned kept_count;
    _Atomic uint64_t kept[VERBS_A_LIFE]; /* revisions that were confirmed */
};

/* Stamps, the numbers of the revisions that wrote them. */
struct content {
    uint32_t main;
    uint32_t tree; /* 0: there is no tree */
    uint32_t note;
};

struct model {
    struct told *told;
    struct content *contents; /* after each revision */
    uint64_t size;            /* of contents */
    uint64_t base;            /* the first revision with a content */
    uint64_t latest;
    uint64_t kept; /* revisions in the journal when it was looked at last */
    uint64_t pending;
    uint32_t seconds; /* that it was given */
    uint64_t seen_ns; /* when it was there for sure */
    unsigned undone, redone, rolled_back, waited_off, confirmed, held, pasts;
};

static uint64_t since_boot(void)
{
    struct timespec now;
    RIG_MUST(clock_gettime(CLOCK_BOOTTIME, &now) == 0);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* ---- Writing a content ---- */

static rs_key make(rs_txn *txn, const char *path)
{
    rs_key key = RS_NO_KEY;
    RIG_OK(rs_key_create(txn, RS_NO_KEY, path, &key));
    return key;
}

static void put_big(rs_txn *txn, rs_key key, uint32_t stamp)
{
    uint32_t *numbers = calloc(BIG_NUMBERS, sizeof *numbers);
    RIG_MUST(numbers != NULL);
    for (unsigned i = 0; i < BIG_NUMBERS; i++) {
        numbers[i] = stamp;
    }
    RIG_OK(rs_set_binary(txn, key, "big", numbers, BIG_NUMBERS * sizeof *numbers));
    free(numbers);
}

/* The tree comes and goes by turns. */
static void put_tree(rs_txn *txn, uint32_t stamp)
{
    char path[64];
    rs_key whole;
    if (rs_key_open(txn, RS_NO_KEY, ROOT "\\Tree\\Whole", &whole) == RS_OK) {
        RIG_OK(rs_key_delete(txn, whole, RS_RECURSIVE));
        return;
    }
    for (unsigned i = 0; i < LEAVES; i++) {
        snprintf(path, sizeof path, ROOT "\\Tree\\Whole\\Branch%u\\Leaf%u", i % 3, i);
        RIG_OK(rs_set_dword(txn, make(txn, path), "stamp", stamp));
    }
}

static void put_main(rs_txn *txn)
{
    char name[32];
    uint32_t stamp = (uint32_t)rs_revision(txn) + 1;
    rs_key set = make(txn, ROOT "\\Set");
    for (unsigned i = 0; i < SET_VALUES; i++) {
        snprintf(name, sizeof name, "v%u", i);
        RIG_OK(rs_set_dword(txn, set, name, stamp));
    }
    rs_key renamed = rig_only_subkey(txn, make(txn, ROOT "\\Rename"), name);
    snprintf(name, sizeof name, "N%u", stamp);
    RIG_OK(rs_key_rename(txn, renamed, name));
    put_big(txn, set, stamp);
    put_tree(txn, stamp);
}

static void put_note(rs_txn *txn)
{
    RIG_OK(rs_set_dword(txn, make(txn, ROOT "\\Note"), "stamp", (uint32_t)rs_revision(txn) + 1));
}

static uint64_t commit(rs_txn *txn, const char *message)
{
    uint64_t revision = 0;
    uint64_t before = rs_revision(txn);
    RIG_OK(rs_txn_message(txn, message));
    RIG_OK(rs_commit(txn, &revision));
    RIG_MUST(revision == before + 1);
    return revision;
}

static uint64_t write_note(rs_store *store)
{
    rs_txn *txn = rig_begin(store, RS_WRITE);
    put_note(txn);
    return commit(txn, "note");
}

static void write_main(rs_store *store)
{
    rs_txn *txn = rig_begin(store, RS_WRITE);
    put_main(txn);
    commit(txn, "main");
}

/* ---- The writer ---- */

struct writer {
    struct told *told;
    uint64_t base;
    struct rig_random random;
};

/* What the writer sees before it acts. */
struct seen {
    uint64_t latest;
    uint64_t first;
    uint64_t pending;
};

static struct seen see(rs_store *store)
{
    rs_stat stat;
    rs_pending pending = {0};
    rs_txn *txn = rig_begin(store, RS_READ);
    RIG_OK(rs_stat_get(txn, &stat));
    int status = rs_confirm_pending(txn, &pending);
    RIG_MUST(status == RS_OK || status == RS_ENOTFOUND);
    rs_abort(txn);
    return (struct seen){stat.revision, stat.first_revision, pending.revision};
}

/* While something waits only the note is changed, so that it can be taken back as a whole. */
static void ask(rs_store *store, struct writer *writer, const struct seen *seen)
{
    static const uint32_t choices[] = {0, 0, 0, 1, 1, 1, 1, 1000};
    char message[32];
    uint32_t seconds = choices[rig_below(&writer->random, 8)];
    rs_txn *txn = rig_begin(store, RS_WRITE);
    if (seen->pending != 0) {
        RIG_GIVES(RS_EBUSY, rs_txn_confirm(txn, seconds));
        put_note(txn);
        commit(txn, "note");
        return;
    }
    writer->told->asked_ns[(seen->latest + 1) % ASKED] = since_boot();
    RIG_OK(rs_txn_confirm(txn, seconds));
    put_main(txn);
    snprintf(message, sizeof message, "confirm %u", seconds);
    commit(txn, message);
}

static void keep(rs_store *store, struct told *told, const struct seen *seen)
{
    uint64_t revision = 0;
    told->keeping = seen->pending;
    int status = rs_confirm(store, &revision, NULL);
    if (status == RS_OK) {
        RIG_MUST(revision == seen->pending);
        told->kept[told->kept_count] = revision;
        told->kept_count++;
    } else {
        RIG_GIVES(RS_ENOTFOUND, status); /* nothing waits, or its time is over */
    }
    told->keeping = 0;
}

/* The last revisions; one that takes some back is redone so. */
static void undo(rs_store *store, struct writer *writer, const struct seen *seen)
{
    uint64_t least = seen->first > writer->base ? seen->first : writer->base + 1;
    uint64_t back = rig_below(&writer->random, 3);
    uint64_t from = seen->latest - least < back ? least : seen->latest - back;
    rs_undo_report report;
    rs_txn *txn = rig_begin(store, RS_WRITE);
    RIG_OK(rs_undo(txn, from, seen->latest, NULL, &report));
    RIG_MUST(report.changes > 0 && report.conflicts == 0);
    commit(txn, "undo");
}

static void act(rs_store *store, struct writer *writer)
{
    struct seen seen = see(store);
    uint32_t verb = rig_below(&writer->random, 12);
    if (verb < 2 && seen.pending == 0) {
        write_main(store);
    } else if (verb < 3) {
        write_note(store);
    } else if (verb < 6 && seen.latest > writer->base) {
        undo(store, writer, &seen);
    } else if (verb < 8 || seen.pending == 0) {
        ask(store, writer, &seen);
    } else if (verb < 11) {
        keep(store, writer->told, &seen);
    } else {
        RIG_OK(rs_confirm_due(store, NULL, NULL));
    }
}

static void write_and_tell(void *context, int pipe)
{
    struct writer *writer = context;
    (void)pipe;
    rs_store *store = rig_open(0);
    writer->told->revision = see(store).latest; /* opening takes back what is due */
    for (unsigned i = 0; i < VERBS_A_LIFE; i++) {
        act(store, writer);
        writer->told->revision = see(store).latest;
    }
    rs_close(store);
}

/* ---- The model ---- */

static bool was_kept(const struct told *told, uint64_t revision)
{
    bool found = false;
    for (unsigned i = 0; i < told->kept_count; i++) {
        found = found || told->kept[i] == revision;
    }
    return found;
}

static struct content take_back(struct model *model, const rs_revision_info *info)
{
    char message[64];
    struct content content = model->contents[info->from - 1];
    snprintf(message, sizeof message, "revision %llu was not confirmed",
             (unsigned long long)info->from);
    RIG_MUST(strcmp(info->message, message) == 0);
    RIG_MUST(info->from == info->to && info->from == model->pending);
    RIG_MUST(!was_kept(model->told, model->pending));
    RIG_MUST(since_boot() >=
             model->told->asked_ns[info->from % ASKED] + model->seconds * SECOND_NS);
    content.note = model->contents[model->latest].note;
    model->pending = 0;
    model->rolled_back++;
    return content;
}

static struct content go_back(struct model *model, const rs_revision_info *info)
{
    RIG_MUST(strcmp(info->message, "undo") == 0);
    RIG_MUST(info->to == model->latest && info->from > model->base && info->from <= info->to);
    if (model->pending >= info->from) {
        model->pending = 0;
        model->waited_off++;
    }
    model->redone += (info->flags & RS_REVISION_REDO) != 0;
    model->undone += (info->flags & RS_REVISION_UNDO) != 0;
    return model->contents[info->from - 1];
}

static void begin_to_wait(struct model *model, const rs_revision_info *info)
{
    unsigned seconds;
    RIG_MUST(sscanf(info->message, "confirm %u", &seconds) == 1);
    /* Something else can wait only if what waited was confirmed, whether or not that was told. */
    RIG_MUST(model->pending == 0 || was_kept(model->told, model->pending));
    model->confirmed += model->pending != 0;
    model->pending = info->revision;
    model->seconds = seconds;
    model->seen_ns = since_boot();
}

static struct content go_on(struct model *model, const rs_revision_info *info)
{
    struct content content = model->contents[model->latest];
    uint32_t stamp = (uint32_t)info->revision;
    RIG_MUST(info->flags == 0 && info->from == 0 && info->to == 0);
    if (strcmp(info->message, "note") == 0) {
        content.note = stamp;
        return content;
    }
    if (strcmp(info->message, "main") != 0) {
        begin_to_wait(model, info);
    }
    content.main = stamp;
    content.tree = content.tree == 0 ? stamp : 0;
    return content;
}

static int play(void *context, const rs_revision_info *info)
{
    struct model *model = context;
    RIG_MUST(info->revision == model->latest + 1 && info->revision < model->size);
    struct content content = (info->flags & RS_REVISION_ROLLBACK) != 0 ? take_back(model, info)
                             : info->from != 0                         ? go_back(model, info)
                                                                       : go_on(model, info);
    model->latest++;
    model->contents[model->latest] = content;
    return 0;
}

/* ---- Comparing ---- */

static rs_key open_key(rs_txn *txn, const char *path)
{
    rs_key key = RS_NO_KEY;
    RIG_OK(rs_key_open(txn, RS_NO_KEY, path, &key));
    return key;
}

static void must_be(rs_txn *txn, rs_key key, const char *name, uint32_t stamp)
{
    uint32_t found = 0;
    RIG_OK(rs_get_dword(txn, key, name, &found));
    RIG_MUST(found == stamp);
}

static void check_big(rs_txn *txn, rs_key key, uint32_t stamp)
{
    const void *data;
    size_t size;
    uint32_t number;
    RIG_OK(rs_get_binary(txn, key, "big", &data, &size));
    RIG_MUST(size == BIG_NUMBERS * sizeof number);
    for (unsigned i = 0; i < BIG_NUMBERS; i++) {
        memcpy(&number, (const char *)data + i * sizeof number, sizeof number);
        RIG_MUST(number == stamp);
    }
}

static void check_tree(rs_txn *txn, uint32_t stamp)
{
    char path[64];
    rs_key whole;
    RIG_GIVES(stamp != 0 ? RS_OK : RS_ENOTFOUND,
              rs_key_open(txn, RS_NO_KEY, ROOT "\\Tree\\Whole", &whole));
    for (unsigned i = 0; stamp != 0 && i < LEAVES; i++) {
        snprintf(path, sizeof path, ROOT "\\Tree\\Whole\\Branch%u\\Leaf%u", i % 3, i);
        must_be(txn, open_key(txn, path), "stamp", stamp);
    }
}

static void check_content(rs_txn *txn, const struct content *content)
{
    char name[32];
    char wanted[32];
    rs_key set = open_key(txn, ROOT "\\Set");
    for (unsigned i = 0; i < SET_VALUES; i++) {
        snprintf(name, sizeof name, "v%u", i);
        must_be(txn, set, name, content->main);
    }
    rig_only_subkey(txn, open_key(txn, ROOT "\\Rename"), name);
    snprintf(wanted, sizeof wanted, "N%u", content->main);
    RIG_MUST(strcmp(name, wanted) == 0);
    check_big(txn, set, content->main);
    check_tree(txn, content->tree);
    must_be(txn, open_key(txn, ROOT "\\Note"), "stamp", content->note);
}

static void check_whole(rs_txn *txn)
{
    rs_check_report report;
    RIG_OK(rs_check(txn, NULL, &report));
    RIG_MUST(report.damages == 0);
}

/* Whether a confirmation that a kill cut off took place can only be seen. */
static void check_pending(rs_txn *txn, struct model *model)
{
    rs_pending found = {0};
    int status = rs_confirm_pending(txn, &found);
    RIG_MUST(status == RS_OK || status == RS_ENOTFOUND);
    bool cut_off = model->pending != 0 && model->told->keeping == model->pending;
    if (model->pending != 0 &&
        (was_kept(model->told, model->pending) || (cut_off && status == RS_ENOTFOUND))) {
        model->pending = 0;
        model->confirmed++;
    }
    RIG_MUST(found.revision == model->pending);
    RIG_MUST(status == RS_ENOTFOUND || found.seconds == model->seconds);
}

/* What waits is kept, and what came after it; the rest goes, some at each commit. */
static void check_journal(rs_txn *txn, struct model *model, bool waited)
{
    rs_stat stat;
    RIG_OK(rs_stat_get(txn, &stat));
    uint64_t kept = stat.revision - stat.first_revision + 1;
    RIG_MUST(stat.revision == model->latest && stat.first_revision > 0);
    RIG_MUST(stat.first_revision == 1 || kept >= KEEP);
    RIG_MUST(model->pending == 0 || stat.first_revision <= model->pending);
    RIG_MUST(waited || model->pending != 0 || kept <= KEEP || kept <= model->kept);
    model->held += kept > KEEP;
    model->kept = kept;
}

static int count_change(void *context, const rs_change *change)
{
    (void)change;
    ++*(unsigned *)context;
    return 0;
}

static void check_present(rs_txn *txn, struct model *model)
{
    bool waited = model->pending != 0;
    uint64_t latest = rs_revision(txn);
    RIG_MUST(latest == model->told->revision || latest == model->told->revision + 1);
    for (uint64_t revision = model->latest + 1; revision <= latest; revision++) {
        unsigned changes = 0;
        RIG_OK(rs_history(txn, revision, revision, play, model));
        RIG_MUST(model->latest == revision);
        RIG_OK(rs_history_changes(txn, revision, count_change, &changes));
        RIG_MUST(changes > 0);
    }
    check_pending(txn, model);
    check_journal(txn, model, waited);
    check_content(txn, &model->contents[latest]);
    check_whole(txn);
}

static void check_past(rs_store *store, struct model *model, struct rig_random *random)
{
    rs_store *past = NULL;
    uint64_t back = rig_below(random, (uint32_t)model->kept + 1);
    uint64_t revision = model->latest - back;
    if (revision < model->base) {
        return;
    }
    RIG_OK(rs_open_past(store, revision, &past, NULL));
    rs_txn *txn = rig_begin(past, RS_READ);
    RIG_MUST(rs_revision(txn) == revision);
    check_content(txn, &model->contents[revision]);
    check_whole(txn);
    rs_abort(txn);
    rs_close(past);
    model->pasts++;
}

/* ---- The run ---- */

static void look(rs_store *store, struct model *model)
{
    rs_txn *txn = rig_begin(store, RS_READ);
    check_present(txn, model);
    rs_abort(txn);
}

/* As it was left, and after it was opened to be written: what is due is taken back by then. */
static void check_all(struct model *model, struct rig_random *random, bool past)
{
    rs_store *store = rig_open(RS_READONLY);
    look(store, model);
    rs_close(store);
    bool due = model->pending != 0 && since_boot() >= model->seen_ns + model->seconds * SECOND_NS;
    uint64_t waited = model->pending;
    model->told->keeping = 0;
    model->told->kept_count = 0;
    store = rig_open(0);
    model->told->revision = write_note(store);
    look(store, model);
    RIG_MUST(!due || model->pending != waited);
    if (past) {
        check_past(store, model, random);
    }
    rs_close(store);
}

static void prepare(struct model *model)
{
    rs_store *store = rig_open(RS_CREATE);
    rs_txn *txn = rig_begin(store, RS_WRITE);
    RIG_OK(rs_set_dword(txn, make(txn, "HKRS\\Settings\\Journal"), "MaxRevisions", KEEP));
    make(txn, ROOT "\\Rename\\N0\\Below");
    put_main(txn);
    put_note(txn);
    model->base = commit(txn, "base");
    rs_close(store);
    uint32_t stamp = (uint32_t)model->base;
    model->latest = model->base;
    model->told->revision = model->base;
    model->contents[stamp] = (struct content){stamp, stamp, stamp};
}

static void run(struct model *model, struct killer *killer, unsigned count)
{
    struct rig_random random = rig_random(rig_seed(), 0);
    for (unsigned lives = 0; killer->by_time + killer->by_call < count; lives++) {
        struct writer writer = {model->told, model->base, rig_random(rig_next(&random), lives)};
        killer_kill(killer, lives % 2 == 0, write_and_tell, &writer, NULL);
        check_all(model, &random, lives % PAST_EVERY == 0);
    }
}

static void report(const struct model *model)
{
    bool all = model->undone > 0 && model->redone > 0 && model->rolled_back > 0 &&
               model->waited_off > 0 && model->confirmed > 0 && model->held > 0 && model->pasts > 0;
    printf("of %llu revisions %u are undone, %u redone, %u rollbacks; %u confirmed, %u undone "
           "while they waited; the journal was held %u times, %u stores of the past\n",
           (unsigned long long)model->latest, model->undone, model->redone, model->rolled_back,
           model->confirmed, model->waited_off, model->held, model->pasts);
    RIG_MUST(all || rig_count() < ALL_HAPPENS);
    rig_pass("revisions are whole, taken back and redone, and confirmed or taken back once");
}

int main(int argc, char **argv)
{
    rig_start(argc, argv, KILLS);
    struct killer killer = killer_new(rig_random(rig_seed(), 1));
    struct model model = {.told = rig_shared(sizeof *model.told)};
    model.size = ((uint64_t)rig_count() + 10) * LIVES * REVISIONS_A_LIFE;
    model.contents = calloc(model.size, sizeof *model.contents);
    RIG_MUST(model.contents != NULL);
    prepare(&model);
    run(&model, &killer, rig_count());
    killer_report(&killer);
    report(&model);
    free(model.contents);
    return rig_finish();
}
