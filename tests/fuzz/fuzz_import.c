/*
 * fuzz_import.c - fuzz target: a dump through rs_import() into a transaction that is dropped.
 *
 * What was imported is exported, and importing that must give a store that exports the same bytes.
 * Needs fuzz.h.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOUNTED "HKLM\\Mounted"

static rs_store *store;

static void count_loss(void *context, enum rs_loss_kind kind, const char *path, const char *value)
{
    uint64_t *losses = context;

    FUZZ_CHECK(rs_loss_text(kind) != NULL && path != NULL);
    FUZZ_CHECK(value == NULL || strlen(value) <= 3 * (size_t)RS_MAX_VALUE_NAME);
    ++*losses;
}

/* Imports into a new transaction; *txn is NULL after a failure. */
static int import(const char *file, const char *key, unsigned flags, rs_txn **txn,
                  rs_import_report *report)
{
    uint64_t losses = 0;
    rs_error error = RS_ERROR_INIT;
    rs_import_options options = {.key = key, .flags = flags, .loss = count_loss};

    options.context = &losses;
    FUZZ_CHECK(rs_begin(store, RS_WRITE, txn) == RS_OK);
    int status = rs_import(*txn, file, &options, report, &error);
    FUZZ_CHECK(rs_status_name(status) != NULL);
    FUZZ_CHECK((status == RS_OK) == (error.text[0] == '\0'));
    if (status == RS_OK) {
        FUZZ_CHECK(report->losses == losses);
        /* A patch may only take away what is not there. */
        FUZZ_CHECK(report->keys_added + report->keys_found > 0 || report->key == NULL);
        return RS_OK;
    }
    rs_abort(*txn);
    *txn = NULL;
    return status;
}

static char *read_export(const char *file, size_t *size)
{
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC);

    FUZZ_CHECK(fd >= 0 && fstat(fd, &st) == 0);
    *size = (size_t)st.st_size;
    char *text = malloc(*size > 0 ? *size : 1);
    FUZZ_CHECK(text != NULL && read(fd, text, *size) == (ssize_t)*size);
    close(fd);
    return text;
}

/* Exports what was imported, and ends the transaction. */
static char *export(rs_txn *txn, const char *path, const char *file, size_t *size)
{
    rs_export_options options = {.format = "xml", .flags = RS_OVERWRITE};
    rs_key key;

    FUZZ_CHECK(rs_key_open_n(txn, RS_NO_KEY, path, RS_NTS, RS_NOFOLLOW, &key) == RS_OK);
    FUZZ_CHECK(rs_export(txn, key, file, &options, NULL) == RS_OK);
    rs_abort(txn);
    return read_export(file, size);
}

static void round_trip(rs_txn *txn, const char *path)
{
    size_t size, again_size;
    rs_import_report report;
    char *root = strdup(path);
    char *first = export(txn, root, fuzz_path("first.xml"), &size);

    FUZZ_CHECK(import(fuzz_path("first.xml"), NULL, 0, &txn, &report) == RS_OK);
    FUZZ_CHECK(report.losses == 0 && !report.foreign && strcmp(report.key, root) == 0);
    char *second = export(txn, root, fuzz_path("second.xml"), &again_size);
    FUZZ_CHECK(size == again_size && memcmp(first, second, size) == 0);
    free(first);
    free(second);
    free(root);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    FUZZ_CHECK(rs_open(fuzz_path("imports"), RS_CREATE, &store, NULL) == RS_OK);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char file[40];
    rs_txn *txn;
    rs_import_report report;
    int fd = memfd_create("dump", MFD_CLOEXEC);

    FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(file, sizeof file, "/proc/self/fd/%d", fd);
    int status = import(file, NULL, size % 2 ? RS_KEEP : 0, &txn, &report);
    if (status == RS_EPATH) {
        status = import(file, MOUNTED, 0, &txn, &report);
    }
    if (status == RS_OK) {
        round_trip(txn, report.key ? report.key : "HKEY_LOCAL_MACHINE");
    }
    close(fd);
    return 0;
}
