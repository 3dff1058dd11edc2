/*
 * regtool diff: what is different between two keys, two files, or a key and a file. A file of any
 * format is read into a store of its own first. Exit status as for compare: 0 nothing, 2 something,
 * 1 failed.
 *
 * Where a file belongs that does not say so itself: to --at, else to the key or the place of the
 * other side, else to HKEY_LOCAL_MACHINE and a key of the first file's name. Of a file whose keys
 * say themselves where they belong (.reg), the key that the other side has is compared; of two such
 * files, everything.
 *
 * With --rev it is one key at two moments.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "diff_side.h"
#include "differ_print.h"
#include "losses.h"
#include "report.h"
#include "tool.h"

#define ROOT_OF_FILES "HKEY_LOCAL_MACHINE\\"

struct diff {
    struct session session; /* of the store, if a side is a key of it */
    bool has_session;
    struct session later; /* with --rev: as it was at the second moment */
    bool has_later;
    struct diff_side sides[2];
    const char *at;
    char *name_of_file; /* the place of files that nobody knows one for */
    struct differ_print print;
};

/* ---- The two sides ---- */

static int begin_sides(struct diff *diff, struct tool *tool, const struct arguments *arguments)
{
    for (int i = 0; i < 2; i++) {
        struct diff_side *side = &diff->sides[i];
        side->asked = arguments->operands[i];
        side->is_file = !diff_side_is_key(side->asked);
        side->flags = has_switch(arguments, SWITCH_VIEW_32) ? RS_VIEW_32 : 0;
        if (side->is_file) {
            continue;
        }
        if (!diff->has_session && session_begin(tool, RS_READ, &diff->session) != 0) {
            return 1;
        }
        diff->has_session = true;
        rs_txn_errors(diff->session.txn, NULL);
        side->txn = diff->session.txn;
        if (diff_side_open(side, side->asked, keypath_hidden(arguments->asked[i], side->asked)) !=
            0) {
            return 1;
        }
    }
    return 0;
}

/* HKEY_LOCAL_MACHINE\ and the file's name without directory and ending. */
static const char *place_by_name(struct diff *diff)
{
    const char *file = diff->sides[diff->sides[0].is_file ? 0 : 1].asked;
    const char *slash = strrchr(file, '/');
    const char *name = slash != NULL ? slash + 1 : file;
    size_t len = strcspn(name, ".\\");

    if (asprintf(&diff->name_of_file, ROOT_OF_FILES "%.*s", len > 0 ? (int)len : 4,
                 len > 0 ? name : "file") < 0) {
        diff->name_of_file = NULL;
        report_status(RS_ENOMEM, NULL, file);
    }
    return diff->name_of_file;
}

/* Where a side's file goes that does not say so itself; NULL after a report. */
static const char *place_for(struct diff *diff, int index)
{
    const struct diff_side *other = &diff->sides[1 - index];

    if (diff->at != NULL) {
        return diff->at;
    }
    if (!other->is_file || (other->imported && !other->patch)) {
        return diff_side_place(other);
    }
    return diff->name_of_file != NULL ? diff->name_of_file : place_by_name(diff);
}

static int import_files(struct diff *diff)
{
    for (int i = 0; i < 2; i++) {
        if (diff->sides[i].is_file && diff_side_import(&diff->sides[i], NULL) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < 2; i++) {
        struct diff_side *side = &diff->sides[i];
        const char *place;
        if (!side->is_file || side->imported) {
            continue;
        }
        place = place_for(diff, i);
        if (place == NULL || diff_side_import(side, place) != 0) {
            return 1;
        }
    }
    return 0;
}

/* Where a file with many keys has the other side's: an export names it as it was asked for, through
 * links too, else the file has it where it really is. */
static const char *place_in_patch(const struct diff_side *side, const struct diff_side *other)
{
    rs_key key;

    if (!other->is_file && rs_key_open(side->txn, RS_NO_KEY, other->asked, &key) == RS_OK) {
        return other->asked;
    }
    return diff_side_place(other);
}

/* The key of a file with many. */
static int open_patches(struct diff *diff)
{
    for (int i = 0; i < 2; i++) {
        struct diff_side *side = &diff->sides[i];
        const struct diff_side *other = &diff->sides[1 - i];
        const char *place = diff->at;
        if (!side->is_file || !side->patch) {
            continue;
        }
        if (place == NULL && other->is_file && other->patch) {
            continue; /* all of both */
        }
        if (place == NULL) {
            place = place_in_patch(side, other);
        }
        if (place == NULL || diff_side_open(side, place, 0) != 0) {
            return 1;
        }
    }
    return 0;
}

/* ---- One key at two moments ---- */

static int begin_moment(const struct tool *tool, const char *word, size_t len,
                        struct session *session, bool *has_session)
{
    char *moment = strndup(word, len);

    if (moment == NULL) {
        return report_status(RS_ENOMEM, NULL, "diff");
    }
    *has_session = session_begin_at(tool, "--rev", moment, session) == 0;
    free(moment);
    return *has_session ? 0 : 1;
}

static int begin_moments(struct diff *diff, const struct tool *tool, const char *range)
{
    const char *dots = strstr(range, "..");
    const char *second = dots != NULL && dots[2] != '\0' ? dots + 2 : "-1";

    if (dots == NULL) {
        return report("diff: \"%s\" is not two moments, as 12..14", range);
    }
    if (begin_moment(tool, range, (size_t)(dots - range), &diff->session, &diff->has_session) !=
            0 ||
        begin_moment(tool, second, strlen(second), &diff->later, &diff->has_later) != 0) {
        return 1;
    }
    rs_txn_errors(diff->session.txn, NULL);
    rs_txn_errors(diff->later.txn, NULL);
    return 0;
}

static bool is_there(rs_txn *txn, const char *path)
{
    rs_key key;

    return rs_key_open(txn, RS_NO_KEY, path, &key) != RS_ENOTFOUND;
}

/* Where the key was not there, an empty one stands for it. */
static int stand_in(struct diff_side *side)
{
    rs_key key;
    int status;

    if (scratch_begin(&side->scratch) != 0) {
        return 1;
    }
    side->is_file = true; /* of the scratch store */
    side->txn = side->scratch.txn;
    status = rs_key_create(side->txn, RS_NO_KEY, side->asked, &key);
    return status == RS_OK ? 0 : report_status(status, NULL, side->asked);
}

static int begin_revisions(struct diff *diff, struct tool *tool, const struct arguments *arguments)
{
    const char *path = arguments->operands[0];
    bool there[2];

    if (arguments->operands[1] != NULL || diff->at != NULL || !diff_side_is_key(path)) {
        return report("diff: --rev compares one key with itself");
    }
    if (begin_moments(diff, tool, arguments->switches[SWITCH_REVISIONS]) != 0) {
        return 1;
    }
    there[0] = is_there(diff->session.txn, path);
    there[1] = is_there(diff->later.txn, path);
    for (int i = 0; i < 2; i++) {
        struct diff_side *side = &diff->sides[i];
        side->asked = path;
        side->txn = i == 0 ? diff->session.txn : diff->later.txn;
        if (!there[i] && there[1 - i] && stand_in(side) != 0) {
            return 1;
        }
        if (diff_side_open(side, path, keypath_hidden(arguments->asked[0], path)) != 0) {
            return 1;
        }
    }
    return 0;
}

/* ---- What is printed ---- */

static int on_difference(void *context, const rs_difference *difference)
{
    struct diff *diff = context;
    struct tool *tool = diff->print.tool;
    int status = tool->json ? differ_print_json(&diff->print, difference)
                            : differ_print(&diff->print, difference);

    return status == RS_OK && output_lost(tool) ? RS_ECANCELLED : status;
}

/* Lines take the sides' paths. */
static void take_paths(struct diff *diff)
{
    diff->print.left = diff->sides[0].path;
    diff->print.right = diff->sides[1].path;
    diff->sides[0].path = (struct keypath){.text = NULL};
    diff->sides[1].path = (struct keypath){.text = NULL};
}

static int show(struct diff *diff)
{
    const struct diff_side *left = &diff->sides[0];
    const struct diff_side *right = &diff->sides[1];
    const rs_compare_options options = {
        .flags = RS_SUBTREE, .each = on_difference, .context = diff};
    uint64_t differences = 0;
    int status;

    take_paths(diff);
    status = rs_compare(left->txn, left->key, right->txn, right->key, &options, &differences);
    if (status != RS_OK) {
        return diff->print.tool->output_lost != 0 ? 1 : report_status(status, NULL, "comparing");
    }
    return differences > 0 ? 2 : 0;
}

static int stop(void *context, const rs_difference *difference)
{
    (void)context;
    (void)difference;
    return RS_ECANCELLED;
}

static void on_loss(void *context, enum rs_loss_kind kind, const char *path, const char *value)
{
    losses_note(context, kind, path, value);
}

/* A patch is printed also where there is nothing to be done: it is one without edits then. What it
 * cannot do is told beside it. */
static int write_patch(const struct diff *diff, bool utf8)
{
    const struct diff_side *left = &diff->sides[0];
    const struct diff_side *right = &diff->sides[1];
    struct losses losses = {.list = false};
    const rs_export_options format = {
        .format = utf8 ? "reg-utf8" : "reg", .loss = on_loss, .context = &losses};
    const rs_compare_options options = {.flags = RS_SUBTREE, .each = stop};
    rs_error error = RS_ERROR_INIT;
    int status =
        rs_export_patch(left->txn, left->key, right->txn, right->key, "-", &format, &error);

    losses_remark(&losses);
    losses_free(&losses);
    if (status == RS_OK) {
        status = rs_compare(left->txn, left->key, right->txn, right->key, &options, NULL);
        return status == RS_ECANCELLED ? 2 : status == RS_OK ? 0 : report_status(status, NULL, "-");
    }
    return report_status(status, &error, "standard output");
}

static int begin(struct diff *diff, struct tool *tool, const struct arguments *arguments)
{
    if (has_switch(arguments, SWITCH_REVISIONS)) {
        return begin_revisions(diff, tool, arguments);
    }
    return begin_sides(diff, tool, arguments) != 0 || import_files(diff) != 0 ? 1
                                                                              : open_patches(diff);
}

static int run(struct diff *diff, struct tool *tool, const struct arguments *arguments)
{
    if (begin(diff, tool, arguments) != 0) {
        return 1;
    }
    return has_switch(arguments, SWITCH_PATCH)
               ? write_patch(diff, has_switch(arguments, SWITCH_UTF8))
               : show(diff);
}

int cmd_diff(struct tool *tool, const struct arguments *arguments)
{
    struct diff diff = {.at = arguments->switches[SWITCH_AT],
                        .print = {.tool = tool, .out = stdout}};
    int result;

    if (tool->json && has_switch(arguments, SWITCH_PATCH)) {
        return report("--json and --reg cannot be combined");
    }
    if (has_switch(arguments, SWITCH_UTF8) && !has_switch(arguments, SWITCH_PATCH)) {
        return report("--utf8 means something only with --reg");
    }
    result = run(&diff, tool, arguments);
    diff_side_end(&diff.sides[0]);
    diff_side_end(&diff.sides[1]);
    differ_print_end(&diff.print);
    free(diff.name_of_file);
    if (diff.has_session) {
        session_end(&diff.session);
    }
    if (diff.has_later) {
        session_end(&diff.later);
    }
    return result;
}
