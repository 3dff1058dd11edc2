/*
 * regtool load: puts a hive below HKLM or HKU, as a key of its own whose file is remembered;
 * without operands it lists the hives that are loaded.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "arguments.h"
#include "hives.h"
#include "keypath.h"
#include "losses.h"
#include "progress.h"
#include "report.h"
#include "spool.h"

struct loading {
    struct session session;
    struct progress progress;
    struct losses losses;
    rs_spool *spool;
    const char *path;
    const char *file;
    char *real; /* the file's full path */
    char *key;  /* the key's, as it is stored; outlives the transaction */
    uint64_t revision;
};

/* ---- What may be loaded ---- */

/* The path has one name below HKLM or HKU. */
static int check_place(struct loading *loading)
{
    const char *path = loading->path;
    const char *separator = path[0] == '/' ? "/" : "\\";
    size_t len = keypath_root_length(path + strspn(path, "/"));
    const char *name = path + strspn(path, "/") + len;
    char *root = strndup(path, (size_t)(name - path));
    rs_key key = RS_NO_KEY;
    bool fits;

    if (root == NULL) {
        session_drop(&loading->session);
        return report_status(RS_ENOMEM, NULL, path);
    }
    fits = len > 0 && rs_key_open(loading->session.txn, RS_NO_KEY, root, &key) == RS_OK &&
           (key == RS_HKLM || key == RS_HKU) && name[0] != '\0' && name[1] != '\0';
    session_forget(&loading->session);
    free(root);
    if (fits) {
        const char *end = name + 1 + strcspn(name + 1, separator);
        fits = end > name + 1 && (end[0] == '\0' || end[1] == '\0');
    }
    if (fits) {
        return 0;
    }
    session_drop(&loading->session);
    return report("%s: a hive is loaded directly below HKLM or HKU", path);
}

static int check_file(struct loading *loading)
{
    struct stat about;

    if (stat(loading->file, &about) == 0 && !S_ISREG(about.st_mode)) {
        return report("%s: not a regular file (import reads pipes, too)", loading->file);
    }
    loading->real = realpath(loading->file, NULL);
    return loading->real != NULL ? 0 : report("cannot open %s: %s", loading->file, strerror(errno));
}

/* Windows keeps a loaded hive's file open, so that it is loaded once. */
static int refuse_same(struct loading *loading)
{
    char *path;
    int status = hives_find_file(&loading->session, loading->real, &path);

    if (status != RS_OK) {
        return session_report(&loading->session, status, loading->path);
    }
    if (path == NULL) {
        return 0;
    }
    session_drop(&loading->session);
    report("%s: already loaded as %s", loading->file, path);
    free(path);
    return 1;
}

struct place {
    struct loading *loading;
    rs_key key;
    char *file; /* of the hive that is loaded there */
};

static int find_loaded(void *context, const struct hive *hive)
{
    struct place *place = context;
    rs_key key;

    if (rs_key_open_n(place->loading->session.txn, RS_NO_KEY, hive->path, hive->path_len,
                      RS_NOFOLLOW, &key) != RS_OK ||
        key != place->key || place->file != NULL) {
        return RS_OK;
    }
    place->file = strdup(hive->file);
    return place->file != NULL ? RS_OK : RS_ENOMEM;
}

static int refuse_existing(struct loading *loading, rs_key key)
{
    struct place place = {loading, key, NULL};
    int status = hives_each(&loading->session, find_loaded, &place);

    if (status != RS_OK) {
        session_report(&loading->session, status, loading->path);
    } else {
        session_drop(&loading->session);
        if (place.file != NULL) {
            report("%s: a hive is already loaded there, from %s", loading->path, place.file);
        } else {
            report("%s: the key exists", loading->path);
        }
    }
    free(place.file);
    return 1;
}

static int check_key(struct loading *loading)
{
    rs_key key;
    int status =
        rs_key_open_n(loading->session.txn, RS_NO_KEY, loading->path, RS_NTS, RS_NOFOLLOW, &key);

    if (status == RS_OK) {
        return refuse_existing(loading, key);
    }
    if (status != RS_ENOTFOUND) {
        return session_report(&loading->session, status, loading->path);
    }
    session_forget(&loading->session);
    return refuse_same(loading);
}

/* ---- Loading ---- */

static int on_progress(void *context, const rs_progress *numbers)
{
    struct loading *loading = context;

    progress_show(&loading->progress, numbers);
    return 0;
}

static void on_loss(void *context, enum rs_loss_kind kind, const char *path, const char *value)
{
    struct loading *loading = context;

    losses_note(&loading->losses, kind, path, value);
}

static int read_hive(struct loading *loading)
{
    rs_import_options options = {.key = loading->path,
                                 .progress = on_progress,
                                 .loss = on_loss,
                                 .context = loading,
                                 .spool = loading->spool};
    rs_import_report told;
    rs_error error = RS_ERROR_INIT;
    int status;

    progress_begin(&loading->progress, "loading");
    status = rs_import(loading->session.txn, loading->file, &options, &told, &error);
    progress_end(&loading->progress);
    if (status != RS_OK) {
        session_drop(&loading->session);
        return report_status(status, &error, loading->file);
    }
    if (strcmp(told.format, "regf") != 0) {
        session_drop(&loading->session); /* the name of a format is static */
        return report("%s: not a hive, but %s (import reads it)", loading->file, told.format);
    }
    loading->key = strdup(told.key);
    status =
        loading->key != NULL ? hives_add(&loading->session, told.key, loading->real) : RS_ENOMEM;
    return status == RS_OK ? 0 : session_report(&loading->session, status, loading->file);
}

/* All that needs the writer's lock; nothing is printed. */
static int change_store(struct loading *loading, const struct tool *tool)
{
    int result;

    if (session_begin(tool, RS_WRITE, &loading->session) != 0) {
        return 1;
    }
    result = check_place(loading);
    if (result == 0) {
        result = check_key(loading);
    }
    if (result == 0) {
        result = read_hive(loading);
    }
    if (result == 0) {
        result = session_commit(&loading->session, &loading->revision);
    }
    session_end(&loading->session);
    return result;
}

static int load(struct loading *loading, const struct tool *tool)
{
    int result = check_file(loading);

    if (result == 0) {
        result = spool_open(loading->file, &loading->spool);
    }
    if (result == 0) {
        result = change_store(loading, tool);
        rs_spool_close(loading->spool);
    }
    return result;
}

static int list(const struct tool *tool)
{
    struct json json = {.out = stdout};
    struct session session;
    int result = 0;
    int status;

    if (session_begin(tool, RS_READ, &session) != 0) {
        return 1;
    }
    status = tool->json ? hives_json(&session, &json, true) : hives_print(&session, "");
    if (status != RS_OK) {
        result = session_report(&session, status, rs_store_dir(session.store));
    }
    session_end(&session);
    return result;
}

static void print_json(const struct loading *loading)
{
    struct json json = {.out = stdout};

    json_open(&json, '{');
    json_member_text(&json, "key", loading->key);
    json_member_text(&json, "file", loading->real);
    json_member_number(&json, "revision", loading->revision);
    json_member(&json, "losses");
    losses_json(&loading->losses, &json);
    json_close(&json, '}');
    json_line(&json);
}

static void print_result(const struct tool *tool, const struct loading *loading)
{
    if (tool->json) {
        print_json(loading);
        return;
    }
    puts("The operation completed successfully.");
    losses_print(&loading->losses);
}

int cmd_load(struct tool *tool, const struct arguments *arguments)
{
    struct loading loading = {.path = arguments->operands[0], .file = arguments->operands[1]};
    int result;

    if (loading.path == NULL) {
        return list(tool);
    }
    if (loading.file == NULL) {
        return report("load: FILE is missing (%s help load shows the usage)", program_name());
    }
    result = load(&loading, tool);
    if (result == 0) {
        print_result(tool, &loading);
    }
    losses_free(&loading.losses);
    free(loading.key);
    free(loading.real);
    return result;
}
