/*
 * test_answer_for.c - a name that answers for more keys than its watch tells of.
 */
#include "named.h"

#include "../regstore/watch.h"

#include <stdio.h>
#include <string.h>

/* One name and one answer for several keys: each with what is below it, and its rules. */
static void test_wait_for_keys_beside(void)
{
    struct named_told told;
    rs_store *store = stage_store();
    rs_watch *watch = NULL;
    MUST(rs_watch_open_named(store, "service", NAMED_KEY, 0, &watch, NULL) == RS_OK);
    uint64_t before = stage_set(store, "HKLM\\Two", "a", 1);
    CU_ASSERT_EQUAL(named_await(store, before, 0, &told), RS_OK);
    CU_ASSERT_EQUAL(told.count, 0);
    CU_ASSERT_EQUAL(rs_watch_answer_for(watch, "HKLM\\One", NULL), RS_OK);
    CU_ASSERT_EQUAL(rs_watch_answer_for(watch, "HKEY_LOCAL_MACHINE\\Two", NULL), RS_OK);
    static const char *const keys[] = {NAMED_KEY, "HKLM\\One", "HKLM\\two", "HKLM\\Two\\Below"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        uint64_t revision = stage_set(store, keys[i], "a", 2 + (uint32_t)i);
        CU_ASSERT_EQUAL(named_await(store, revision, 0, &told), RS_ETIMEOUT);
        CU_ASSERT_EQUAL(told.count, 1);
        CU_ASSERT_EQUAL(rs_watch_answer(watch, revision, RS_ANSWER_APPLIED, ""), RS_OK);
        CU_ASSERT_EQUAL(named_await(store, revision, 0, &told), RS_OK);
        CU_ASSERT_EQUAL(told.count, 1);
    }
    uint64_t rule = stage_create(store, "HKRS\\Rules\\HKLM\\Two\\*");
    CU_ASSERT_EQUAL(named_await(store, rule, 0, &told), RS_ETIMEOUT);
    CU_ASSERT_EQUAL(told.count, 1);
    uint64_t other = stage_set(store, "HKLM\\Three", "a", 1);
    CU_ASSERT_EQUAL(named_await(store, other, 0, &told), RS_OK);
    CU_ASSERT_EQUAL(told.count, 0);
    rs_watch_close(watch);
    uint64_t later = stage_set(store, "HKLM\\Two", "a", 9);
    watch = named_open(store); /* what it answered for is gone with the watch */
    CU_ASSERT_EQUAL(named_await(store, later, 0, &told), RS_OK);
    CU_ASSERT_EQUAL(told.count, 0);
    rs_watch_close(watch);
    rs_close(store);
}

static int copy_beside(void *context, const rs_service *service)
{
    struct named_told *told = context;
    size_t used = 0;
    for (const char *at = service->beside; *at != '\0'; at += strlen(at) + 1) {
        used += (size_t)snprintf(told->text + used, sizeof told->text - used, "%s|", at);
        told->count++;
    }
    return 0;
}

static void test_keys_beside_that_cannot_be(void)
{
    char path[1100] = "HKLM";
    struct named_told told = {.count = 0};
    rs_error error = RS_ERROR_INIT;
    rs_store *store = stage_store();
    rs_watch *plain = stage_watch(store, NAMED_KEY, 0, RS_NOW);
    CU_ASSERT_EQUAL(rs_watch_answer_for(plain, "HKLM\\One", &error), RS_EINVAL);
    CU_ASSERT_STRING_EQUAL(error.text, "the watch has no name");
    rs_watch_close(plain);
    rs_watch *watch = named_open(store);
    CU_ASSERT_EQUAL(rs_watch_answer_for(NULL, "HKLM\\One", NULL), RS_EINVAL);
    CU_ASSERT_EQUAL(rs_watch_answer_for(watch, NULL, NULL), RS_EINVAL);
    CU_ASSERT_EQUAL(rs_watch_answer_for(watch, "HKXX\\A", NULL), RS_EPATH);
    CU_ASSERT_EQUAL(rs_watch_answer_for_n(watch, "HKLM\\a\0b", 8, NULL), RS_ENAME);
    for (size_t size = 4; size < 980; size += 82) {
        snprintf(path + size, sizeof path - size, "\\%081d", 1);
    }
    CU_ASSERT_EQUAL(rs_watch_answer_for(watch, path, NULL), RS_OK);
    CU_ASSERT_EQUAL(rs_watch_answer_for(watch, path, NULL), RS_OK); /* once is enough */
    error = (rs_error)RS_ERROR_INIT;
    CU_ASSERT_EQUAL(rs_watch_answer_for(watch, "HKLM\\One", &error), RS_ETOOLONG);
    CU_ASSERT(strncmp(error.text, "HKLM\\One cannot be answered for: ", 33) == 0);
    CU_ASSERT_EQUAL(rs_services(store, copy_beside, &told), RS_OK);
    CU_ASSERT_EQUAL(told.count, 1);
    CU_ASSERT_EQUAL(strlen(told.text), strlen("HKEY_LOCAL_MACHINE") + strlen(path) - 4 + 1);
    rs_watch_close(watch);
    rs_close(store);
}

/* What no watch has written, though its sum is right. */
static void test_keys_beside_in_a_strange_file(void)
{
    static const struct {
        const char *bytes;
        size_t size;
        int status;
    } rows[] = {
        {"HKLM\\A\0HKLM\\B", 14, RS_OK},
        {"HKLM\\A\0HKLM\\B\0", 15, RS_EDAMAGED},
        {"HKLM\\A\0\0HKLM\\B", 15, RS_EDAMAGED},
        {"\0HKLM\\A", 8, RS_EDAMAGED},
        {"HKLM\\A", 6, RS_EDAMAGED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct watch_record record = {.counter = 1, .path = NAMED_KEY};
        struct watch_record read = {.counter = 0};
        struct buffer slot = BUFFER_INIT;
        memcpy(record.beside, rows[i].bytes, rows[i].size);
        record.beside_size = rows[i].size;
        MUST(watch_record_put(&slot, &record) == RS_OK);
        CU_ASSERT_EQUAL(watch_record_get(slot.data, slot.size, &read), rows[i].status);
        if (rows[i].status == RS_OK) {
            CU_ASSERT_EQUAL(read.beside_size, rows[i].size);
            CU_ASSERT_EQUAL(memcmp(read.beside, rows[i].bytes, rows[i].size), 0);
            CU_ASSERT_EQUAL(read.beside[read.beside_size], '\0');
        }
        buffer_free(&slot);
    }
}

static const struct test_case cases[] = {
    {"wait for keys beside", test_wait_for_keys_beside},
    {"keys beside that cannot be", test_keys_beside_that_cannot_be},
    {"keys beside in a strange file", test_keys_beside_in_a_strange_file},
    {NULL, NULL},
};
const struct test_suite suite_answer_for = {"answer_for", cases};
