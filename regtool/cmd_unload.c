/*
 * regtool unload: takes a loaded hive out of the store, with --write after its file got what the
 * key holds now. The file is written first: if the store cannot be changed then, it holds the same.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arguments.h"
#include "hives.h"
#include "report.h"

struct unloading {
    struct session session;
    const char *path;
    rs_key key;
    char *loaded; /* the path under which it is remembered; NULL: it is no loaded hive */
    char *file;
};

static int find_hive(void *context, const struct hive *hive)
{
    struct unloading *unloading = context;
    rs_key key;

    if (rs_key_open_n(unloading->session.txn, RS_NO_KEY, hive->path, hive->path_len, RS_NOFOLLOW,
                      &key) != RS_OK ||
        key != unloading->key) {
        return 0;
    }
    unloading->loaded = strndup(hive->path, hive->path_len);
    unloading->file = strdup(hive->file);
    return unloading->loaded != NULL && unloading->file != NULL ? 0 : RS_ENOMEM;
}

/* The store says which file that is, and whoever may write the store can change that: nothing is
 * replaced that is not a hive, and nothing opened that may keep the writer waiting. */
static bool is_hive(const char *path)
{
    char head[4] = "";
    struct stat about;
    int file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    bool is = file >= 0 && fstat(file, &about) == 0 && S_ISREG(about.st_mode) &&
              read(file, head, sizeof head) == (ssize_t)sizeof head &&
              memcmp(head, "regf", sizeof head) == 0;

    if (file >= 0) {
        close(file);
    }
    return is;
}

static int write_back(struct unloading *unloading)
{
    rs_export_options options = {.format = "regf", .flags = RS_OVERWRITE};
    rs_error error = RS_ERROR_INIT;
    int status;

    if (!is_hive(unloading->file)) {
        session_drop(&unloading->session);
        return report("%s: not a hive any more (%s save writes the key elsewhere)", unloading->file,
                      program_name());
    }
    status = rs_export(unloading->session.txn, unloading->key, unloading->file, &options, &error);
    if (status != RS_OK) {
        session_drop(&unloading->session);
        return report_status(status, &error, unloading->file);
    }
    return 0;
}

static int find(struct unloading *unloading)
{
    int status = rs_key_open_n(unloading->session.txn, RS_NO_KEY, unloading->path, RS_NTS,
                               RS_NOFOLLOW, &unloading->key);

    if (status == RS_OK) {
        status = hives_each(&unloading->session, find_hive, unloading);
    }
    if (status != RS_OK) {
        return session_report(&unloading->session, status, unloading->path);
    }
    if (unloading->loaded == NULL) {
        session_drop(&unloading->session);
        return report("%s: not a loaded hive (%s load lists them)", unloading->path,
                      program_name());
    }
    return 0;
}

static int unload(struct unloading *unloading)
{
    int status = rs_key_delete(unloading->session.txn, unloading->key, RS_RECURSIVE);

    if (status == RS_OK) {
        status = hives_remove(&unloading->session, unloading->loaded);
    }
    if (status != RS_OK) {
        return session_report(&unloading->session, status, unloading->path);
    }
    return session_commit(&unloading->session, NULL);
}

int cmd_unload(struct tool *tool, const struct arguments *arguments)
{
    struct unloading unloading = {.path = arguments->operands[0]};
    int result;

    if (session_begin(tool, RS_WRITE, &unloading.session) != 0) {
        return 1;
    }
    result = find(&unloading);
    if (result == 0 && has_switch(arguments, SWITCH_WRITE)) {
        result = write_back(&unloading);
    }
    if (result == 0) {
        result = unload(&unloading);
    }
    session_end(&unloading.session);
    if (result == 0) {
        puts("The operation completed successfully.");
    }
    free(unloading.loaded);
    free(unloading.file);
    return result;
}
