/*
 * test_printer_cache - the printers of other print servers: taken, refreshed, forgotten, bounded;
 * the whole against a simple model.
 */
#include "harness.h"

#include "../services/spooler/cache.h"

#include <regstore.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD 1000
#define MOST 100
#define LISTED 100000

static enum cache_answer put(struct cache *cache, const char *name, const char *words, int64_t now)
{
    struct announcement says = {name, words, ""};
    static const struct cache_bounds most = {MOST, LISTED};
    return cache_put(cache, &says, now, &most);
}

static void names_are_those_of_printers(void)
{
    char longest[CACHE_TEXT_MAX + 2];
    static const char *const good[] = {"\\\\S\\P", "\\\\server.example\\Printer, with words"};
    static const char *const bad[] = {"",           "P",       "\\S\\P",   "\\\\S",
                                      "\\\\S\\",    "\\\\\\P", "\\\\\\\\", "\\\\S\\P\\Q",
                                      "\\\\S\\P\n", "//S/P",   "\\\\S/P"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        CU_ASSERT_TRUE(cache_is_name(good[i]));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CU_ASSERT_FALSE(cache_is_name(bad[i]));
    }
    memset(longest, 'p', sizeof(longest) - 1);
    memcpy(longest, "\\\\S\\", 4);
    longest[CACHE_TEXT_MAX] = '\0';
    CU_ASSERT_TRUE(cache_is_name(longest));
    longest[CACHE_TEXT_MAX] = 'p';
    longest[CACHE_TEXT_MAX + 1] = '\0';
    CU_ASSERT_FALSE(cache_is_name(longest));
}

static void repetition_refreshes(void)
{
    struct cache cache = {0};
    CU_ASSERT_EQUAL(put(&cache, "\\\\S\\B", "one", 0), CACHE_ADDED);
    CU_ASSERT_EQUAL(put(&cache, "\\\\S\\A", "one", 10), CACHE_ADDED);
    uint64_t generation = cache.generation;
    CU_ASSERT_EQUAL(put(&cache, "\\\\s\\b", "one", 500), CACHE_REFRESHED);
    CU_ASSERT_EQUAL(cache.count, 2);
    CU_ASSERT_EQUAL(cache.generation, generation);
    CU_ASSERT_STRING_EQUAL(cache.sorted[1]->says.name, "\\\\S\\B");
    CU_ASSERT_EQUAL(cache_patience(&cache, 500, PERIOD), 510);
    CU_ASSERT_EQUAL(cache_expire(&cache, 1009, PERIOD), 0);
    CU_ASSERT_EQUAL(cache_expire(&cache, 1010, PERIOD), 1);
    CU_ASSERT_NOT_EQUAL(cache.generation, generation);
    CU_ASSERT_STRING_EQUAL(cache.sorted[0]->says.name, "\\\\S\\B");
    CU_ASSERT_EQUAL(cache_patience(&cache, 1010, PERIOD), 490);
    CU_ASSERT_EQUAL(cache_patience(&cache, 2000, PERIOD), 0);
    CU_ASSERT_EQUAL(cache_expire(&cache, 1500, PERIOD), 1);
    CU_ASSERT_EQUAL(cache.count, 0);
    CU_ASSERT_EQUAL(cache_patience(&cache, 1500, PERIOD), -1);
    cache_clear(&cache);
}

static void other_words_take_the_place_of_the_old(void)
{
    struct cache cache = {0};
    put(&cache, "\\\\S\\A", "one", 0);
    put(&cache, "\\\\S\\B", "one", 0);
    uint64_t generation = cache.generation;
    CU_ASSERT_EQUAL(put(&cache, "\\\\S\\A", "other", 5), CACHE_REFRESHED);
    CU_ASSERT_EQUAL(cache.count, 2);
    CU_ASSERT_NOT_EQUAL(cache.generation, generation);
    CU_ASSERT_STRING_EQUAL(cache.sorted[0]->says.description, "other");
    CU_ASSERT_EQUAL(cache_expire(&cache, PERIOD, PERIOD), 1);
    CU_ASSERT_STRING_EQUAL(cache.sorted[0]->says.name, "\\\\S\\A");
    cache_clear(&cache);
}

static void another_period_works_at_once(void)
{
    struct cache cache = {0};
    put(&cache, "\\\\S\\A", "", 0);
    put(&cache, "\\\\S\\B", "", 60);
    CU_ASSERT_EQUAL(cache_expire(&cache, 100, 101), 0);
    CU_ASSERT_EQUAL(cache_expire(&cache, 100, 50), 1);
    CU_ASSERT_EQUAL(cache_expire(&cache, 5000, 100000), 0);
    CU_ASSERT_EQUAL(cache_expire(&cache, 5000, 0), 1);
    cache_clear(&cache);
}

static void fill(struct cache *cache, int count)
{
    for (int i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "\\\\S\\P%d", i);
        CU_ASSERT_EQUAL(put(cache, name, "", i), CACHE_ADDED);
    }
}

static size_t limit(struct cache *cache, size_t printers, size_t listed)
{
    const struct cache_bounds most = {printers, listed};
    return cache_limit(cache, &most);
}

static void it_is_bounded(void)
{
    struct cache cache = {0};
    fill(&cache, MOST);
    CU_ASSERT_EQUAL(put(&cache, "\\\\S\\One more", "", MOST), CACHE_FULL);
    CU_ASSERT_EQUAL(cache.count, MOST);
    CU_ASSERT_EQUAL(put(&cache, "\\\\S\\P0", "", MOST), CACHE_REFRESHED);
    CU_ASSERT_EQUAL(limit(&cache, MOST, LISTED), 0);
    CU_ASSERT_EQUAL(limit(&cache, 2, LISTED), MOST - 2);
    CU_ASSERT_EQUAL_FATAL(cache.count, 2);
    CU_ASSERT_STRING_EQUAL(cache.sorted[0]->says.name, "\\\\S\\P0");
    CU_ASSERT_STRING_EQUAL(cache.sorted[1]->says.name, "\\\\S\\P99");
    CU_ASSERT_EQUAL(limit(&cache, 0, LISTED), 2);
    cache_clear(&cache);
}

/* 16 bytes a structure, and 2 for each byte of the texts and their ends. */
static void its_list_is_bounded(void)
{
    struct cache cache = {0};
    static const struct announcement a = {"\\\\S\\A", "one", ""};
    static const struct announcement b = {"\\\\S\\B", "one", ""};
    static const struct announcement longer = {"\\\\S\\A", "other", ""};
    static const size_t each = 16 + 2 * (6 + 4 + 1);
    const struct cache_bounds most = {MOST, 2 * each + 3};
    CU_ASSERT_EQUAL(announcement_listed(&a), each);
    CU_ASSERT_EQUAL(cache_put(&cache, &a, 0, &most), CACHE_ADDED);
    CU_ASSERT_EQUAL(cache_put(&cache, &b, 1, &most), CACHE_ADDED);
    CU_ASSERT_EQUAL(cache.listed, 2 * each);
    CU_ASSERT_EQUAL(cache_put(&cache, &longer, 2, &most), CACHE_FULL);
    CU_ASSERT_STRING_EQUAL(cache.sorted[0]->says.description, "one");
    CU_ASSERT_EQUAL(limit(&cache, MOST, 2 * each - 1), 1);
    CU_ASSERT_EQUAL(cache.listed, each);
    CU_ASSERT_EQUAL(cache_put(&cache, &a, 3, &most), CACHE_ADDED);
    CU_ASSERT_EQUAL(cache_expire(&cache, 3 + PERIOD, PERIOD), 2);
    CU_ASSERT_EQUAL(cache.listed, 0);
    CU_ASSERT_EQUAL(cache_put(&cache, &longer, 0, &most), CACHE_ADDED);
    CU_ASSERT_EQUAL(cache_put(&cache, &a, 0, &most), CACHE_REFRESHED);
    CU_ASSERT_EQUAL(cache.listed, each);
    cache_clear(&cache);
}

/* ---- Against a model ------------------------------------------------------------------------- */

#define NAMES 40
#define STEPS 20000

struct model {
    bool known[NAMES];
    int64_t refreshed[NAMES];
};

static size_t count_known(const struct model *model)
{
    size_t count = 0;
    for (size_t i = 0; i < NAMES; i++) {
        count += model->known[i];
    }
    return count;
}

static void expire_model(struct model *model, int64_t now)
{
    for (size_t i = 0; i < NAMES; i++) {
        model->known[i] &= now - model->refreshed[i] < PERIOD;
    }
}

static void expect_order(const struct cache *cache)
{
    size_t chained = 0;
    for (size_t i = 1; i < cache->count; i++) {
        CU_ASSERT_TRUE_FATAL(rs_name_compare(cache->sorted[i - 1]->says.name, RS_NTS,
                                             cache->sorted[i]->says.name, RS_NTS) < 0);
    }
    for (const struct network_printer *each = cache->oldest; each != NULL; each = each->newer) {
        CU_ASSERT_TRUE_FATAL(each->newer == NULL || each->newer->refreshed >= each->refreshed);
        chained++;
    }
    CU_ASSERT_EQUAL_FATAL(chained, cache->count);
}

static void it_does_as_a_model_does(void)
{
    struct cache cache = {0};
    struct model model = {0};
    int64_t now = 0;
    srand(161734);
    for (int step = 0; step < STEPS; step++) {
        char name[32];
        int which = rand() % NAMES;
        now += rand() % (2 * PERIOD / NAMES);
        snprintf(name, sizeof(name), rand() % 2 == 0 ? "\\\\S\\P%d" : "\\\\s\\p%d", which);
        enum cache_answer expected = model.known[which] ? CACHE_REFRESHED : CACHE_ADDED;
        CU_ASSERT_EQUAL_FATAL(put(&cache, name, rand() % 4 == 0 ? "x" : "y", now), expected);
        model.known[which] = true;
        model.refreshed[which] = now;
        cache_expire(&cache, now, PERIOD);
        expire_model(&model, now);
        CU_ASSERT_EQUAL_FATAL(cache.count, count_known(&model));
        expect_order(&cache);
    }
    cache_clear(&cache);
}

static const struct test_case cases[] = {
    {"names are those of printers", names_are_those_of_printers},
    {"repetition refreshes", repetition_refreshes},
    {"other words take the place of the old", other_words_take_the_place_of_the_old},
    {"another period works at once", another_period_works_at_once},
    {"it is bounded", it_is_bounded},
    {"its list is bounded", its_list_is_bounded},
    {"it does as a model does", it_does_as_a_model_does},
    {NULL, NULL},
};

const struct test_suite suite_printer_cache = {"printer_cache", cases};
