/*
 * transfer_helpers.c - see transfer_helpers.h.
 */
#include "harness.h"
#include "transfer_helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(call) CU_ASSERT_EQUAL_FATAL((call), RS_OK)

rs_store *new_store(const char *name)
{
    rs_store *store = NULL;

    OK(rs_open(scratch_path(name), RS_CREATE, &store, NULL));
    return store;
}

int stop_at_once(void *context, const rs_progress *progress)
{
    *(rs_progress *)context = *progress;
    return 1;
}

const char *write_bytes(const char *name, const void *bytes, size_t size)
{
    const char *path = scratch_path(name);
    FILE *file = fopen(path, "wb");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, size, file), size);
    fclose(file);
    return path;
}

const char *write_text(const char *name, const char *text)
{
    return write_bytes(name, text, strlen(text));
}

char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t size = 0;

    if (!file) {
        return NULL;
    }
    if (getdelim(&text, &size, '\0', file) < 0 && text) {
        text[0] = '\0';
    }
    fclose(file);
    return text;
}

int import_text(rs_store *store, const char *dump, const rs_import_options *options,
                rs_import_report *report, rs_error *error)
{
    return import_file(store, write_text("dump.xml", dump), options, report, error);
}

int import_file(rs_store *store, const char *path, const rs_import_options *options,
                rs_import_report *report, rs_error *error)
{
    rs_txn *txn = start_writing(store);
    int status = rs_import(txn, path, options, report, error);

    if (status == RS_OK) {
        return rs_commit(txn, NULL);
    }
    rs_abort(txn);
    return status;
}

void must_import(rs_store *store, const char *dump, const char *key)
{
    rs_import_options options = {.key = key};
    rs_error error = RS_ERROR_INIT;

    if (import_text(store, dump, &options, NULL, &error) != RS_OK) {
        printf("\n%s\n", error.text);
    }
    CU_ASSERT_EQUAL_FATAL(error.status, RS_OK);
}

const char *foreign_dump(const char *content)
{
    static char dump[8192];

    snprintf(dump, sizeof dump,
             "<hive><node name=\"ROOT\" root=\"1\"><mtime>2001-01-01T00:00:00Z</mtime>%s</node>"
             "</hive>",
             content);
    return dump;
}

const char *own_dump(const char *root, const char *content)
{
    static char dump[8192];

    snprintf(dump, sizeof dump,
             "<hive regstore=\"1\"><node name=\"%s\" root=\"1\"><mtime>2001-01-01T00:00:00Z"
             "</mtime>%s</node></hive>",
             root, content);
    return dump;
}

bool key_exists(rs_store *store, const char *path)
{
    rs_txn *txn = start_reading(store);
    rs_key key;
    int status = rs_key_open_n(txn, RS_NO_KEY, path, RS_NTS, RS_NOFOLLOW, &key);

    CU_ASSERT(status == RS_OK || status == RS_ENOTFOUND);
    rs_abort(txn);
    return status == RS_OK;
}

uint64_t key_time(rs_store *store, const char *path)
{
    rs_txn *txn = start_reading(store);
    rs_key_info info;
    rs_key key;

    OK(rs_key_open_n(txn, RS_NO_KEY, path, RS_NTS, RS_NOFOLLOW, &key));
    OK(rs_key_info_get(txn, key, &info));
    uint64_t written = info.written;
    rs_abort(txn);
    return written;
}

void make_key(rs_store *store, const char *path)
{
    rs_txn *txn = start_writing(store);
    rs_key key;

    OK(rs_key_create(txn, RS_NO_KEY, path, &key));
    end_writing(txn);
}

uint32_t dword_of(rs_store *store, const char *path, const char *name)
{
    rs_txn *txn = start_reading(store);
    uint32_t number = 0xdeadbeef;
    rs_key key;

    if (rs_key_open(txn, RS_NO_KEY, path, &key) == RS_OK &&
        rs_get_dword(txn, key, name, &number) != RS_OK) {
        number = 0xdeadbeef;
    }
    rs_abort(txn);
    return number;
}

void set_dword(rs_store *store, const char *path, const char *name, uint32_t number)
{
    rs_txn *txn = start_writing(store);
    rs_key key;

    OK(rs_key_create(txn, RS_NO_KEY, path, &key));
    OK(rs_set_dword(txn, key, name, number));
    end_writing(txn);
}

const char *target_of(rs_store *store, const char *path)
{
    static char text[512];
    rs_txn *txn = start_reading(store);
    const char *target = "";
    size_t len = 0;
    rs_key key;

    if (rs_key_open_n(txn, RS_NO_KEY, path, RS_NTS, RS_NOFOLLOW, &key) == RS_OK &&
        rs_link_target(txn, key, &target, &len) != RS_OK) {
        target = "";
    }
    snprintf(text, sizeof text, "%s", target);
    rs_abort(txn);
    return text;
}
