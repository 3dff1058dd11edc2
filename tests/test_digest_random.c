/*
 * test_digest_random.c - histories of everything, by chance: with digests the same revisions are
 * found as without. The random numbers are seeded, so that a failure comes again.
 */
#include "digest_steps.h"

#include <inttypes.h>
#include <stdio.h>

static char large[300000];

#define BLOCKS 3u
#define REVISIONS (BLOCKS * JOURNAL_BLOCK + 100)
#define ASKED 400u
#define DEEPEST 4u

static uint32_t random_state;

static unsigned random_below(unsigned limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % limit;
}

/* In the one case or the other. The last ones have no other: a sharp s, a pair of surrogates whose
 * case is not looked at, a lone one. */
static const char *random_name(void)
{
    static char name[64];
    static const char *const others[] = {"\xc3\x84\xc3\xb6", "\xc3\xa4\xc3\x96", "\xd0\x96",
                                         "\xd0\xb6",         "\xe1\xb8\x80x",    "\xe1\xb8\x81X",
                                         "\xc3\x9fx",        "\xf0\x90\x90\xa8", "\xf0\x90\x90\x80",
                                         "\xed\xa0\x80"};
    unsigned kind = random_below(12);
    if (kind < sizeof others / sizeof *others) {
        snprintf(name, sizeof name, "%s%u", others[kind], random_below(3));
    } else {
        snprintf(name, sizeof name, "%s %u", random_below(2) != 0 ? "Name" : "nAME",
                 random_below(12));
    }
    return name;
}

static const char *random_path(void)
{
    static const char *const roots[] = {"HKLM\\T", "HKLM\\t", "HKU\\T", "HKLM\\T"};
    static char path[512];
    size_t at = (size_t)snprintf(path, sizeof path, "%s", roots[random_below(4)]);
    for (unsigned depth = 1 + random_below(DEEPEST); depth > 0; depth--) {
        at += (size_t)snprintf(path + at, sizeof path - at, "\\%s", random_name());
    }
    return path;
}

#define KNOWN 64u

static char known[KNOWN][512];

/* A key that there is, most likely, or one above it; else a new one. */
static rs_key random_key(rs_txn *txn, unsigned flags)
{
    rs_key key;
    char *path = known[random_below(KNOWN)];
    char *last = strrchr(path, '\\');
    bool above = random_below(8) == 0 && last != NULL && last > path + strlen("HKLM\\T");
    size_t len = above ? (size_t)(last - path) : strlen(path);
    if (rs_key_open_n(txn, RS_NO_KEY, path, len, flags, &key) == RS_OK) {
        return key;
    }
    strcpy(path, random_path());
    return rs_key_create(txn, RS_NO_KEY, path, &key) == RS_OK ? key : add_key(txn, "HKLM\\Other");
}

/* What is not possible is left out. */
static void may_fail(int status)
{
    CU_ASSERT_FATAL(status != RS_EDAMAGED && status != RS_ENOMEM && status != RS_EINVAL);
}

static void set_large(rs_txn *txn)
{
    size_t size = random_below(8) == 0 ? sizeof large : 30000;
    may_fail(rs_value_set(txn, random_key(txn, 0), "Large", REG_BINARY, large, size));
}

static void link_somewhere(rs_txn *txn)
{
    char target[512];
    rs_key key;
    snprintf(target, sizeof target, "%s", random_path());
    may_fail(rs_link_create(txn, RS_NO_KEY, random_path(), target, 0, &key));
}

static void delete_somewhere(rs_txn *txn)
{
    may_fail(rs_key_delete(txn, random_key(txn, RS_NOFOLLOW), RS_RECURSIVE));
}

static void change_somewhere(rs_txn *txn)
{
    rs_key key;
    switch (random_below(16)) {
    case 0:
        delete_somewhere(txn);
        break;
    case 1:
    case 2:
        may_fail(rs_key_rename(txn, random_key(txn, RS_NOFOLLOW), random_name()));
        break;
    case 3:
        may_fail(rs_key_set_class(txn, random_key(txn, 0), random_name()));
        break;
    case 4:
        link_somewhere(txn);
        break;
    case 5:
        set_large(txn);
        break;
    case 6:
        may_fail(rs_value_delete(txn, random_key(txn, 0), "Value"));
        break;
    case 7:
        may_fail(rs_key_create(txn, RS_NO_KEY, random_path(), &key));
        break;
    default:
        may_fail(rs_set_dword(txn, random_key(txn, 0), "Value", random_below(1000)));
        break;
    }
}

/* Some take others back, some delete where there is no room to say what. */
static void make_revision(void)
{
    static const rs_undo_options skip = {.flags = RS_UNDO_SKIP};
    rs_txn *txn = start_writing(digest_store);
    unsigned kind = random_below(20);
    if (kind == 0 && txn->revision > 10) {
        may_fail(rs_undo(txn, txn->revision - random_below(10), txn->revision, &skip, NULL));
    } else if (kind == 1) {
        txn->journal.brief = true;
        delete_somewhere(txn);
    } else {
        for (unsigned i = random_below(3) + 1; i > 0; i--) {
            change_somewhere(txn);
        }
    }
    if (rs_commit(txn, NULL) != RS_OK) {
        CU_FAIL_FATAL("a random revision cannot be committed");
    }
}

/* Asks for the same keys each time that it begins with the same seed. */
static struct buffer ask(uint32_t seed, unsigned *unread)
{
    struct buffer found = BUFFER_INIT;
    random_state = seed;
    *unread = 0;
    digest_find(&found, "HKLM", RS_SUBTREE, RS_NOW, 0);
    digest_find(&found, "HKLM", 0, RS_NOW, 0);
    digest_find(&found, "HKRS", RS_SUBTREE, RS_NOW, 0);
    for (unsigned i = 0; i < ASKED; i++) {
        const char *path = random_path();
        bool all = random_below(2) != 0;
        uint64_t newest = all ? RS_NOW : random_below(REVISIONS);
        uint64_t oldest = all ? 0 : random_below(REVISIONS);
        digest_find(&found, path, random_below(2) != 0 ? RS_SUBTREE : 0, newest, oldest);
        *unread += digest_unread_for(path);
    }
    return found;
}

static void compare_searches(uint32_t seed)
{
    unsigned unread, none;
    CU_ASSERT(digest_count(digest_store) >= BLOCKS - 1); /* one that is brief makes none */
    struct buffer with = ask(seed, &unread);
    digest_remove_all();
    struct buffer without = ask(seed, &none);
    bool same = with.size == without.size && memcmp(with.data, without.data, without.size) == 0;
    if (!same || unread < ASKED * JOURNAL_BLOCK / 4) {
        printf("    seed %" PRIu32 ": %zu and %zu bytes, %u unread\n", seed, with.size,
               without.size, unread);
    }
    CU_ASSERT(same);
    CU_ASSERT(unread >= ASKED * JOURNAL_BLOCK / 4 && none == 0);
    buffer_free(&with);
    buffer_free(&without);
}

/* The plain search through all revisions is what counts. */
static void nothing_is_missed(void)
{
    for (uint32_t seed = 1; seed <= 3; seed++) {
        digest_begin();
        random_state = seed;
        memset(known, 0, sizeof known);
        while (digest_latest(digest_store) < REVISIONS) {
            make_revision();
        }
        must_be_whole(digest_store);
        compare_searches(seed);
        must_be_whole(digest_store);
        rs_close(digest_store);
        CU_ASSERT_FATAL(remove(scratch_path("store/data.mdb")) == 0);
    }
}

static const struct test_case cases[] = {
    {"nothing is missed", nothing_is_missed},
    {NULL, NULL},
};
const struct test_suite suite_digest_random = {"digest_random", cases};
