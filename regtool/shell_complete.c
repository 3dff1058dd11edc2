/*
 * What Tab completes in the shell: verbs, switches, types, keys, values and files, by the table of
 * commands and what the store holds at this moment. Failures are silent: nobody asked for more than
 * a help in typing.
 */
#include <inttypes.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "arguments.h"
#include "base_key.h"
#include "keypath.h"
#include "shell.h"
#include "shell_candidates.h"
#include "line_words.h"

struct completer {
    const struct shell *shell;
    const struct command *command;     /* NULL: one of the shell's own, or none */
    const char *word;                  /* what is typed of the last word */
    size_t kept;                       /* how much of it stays as it is */
    const char *first;                 /* the first operand; NULL: the word is it */
    const char *key;                   /* the same, if it is a key; NULL: left out */
    int operands;                      /* in front of the word */
    const struct switch_row *argument; /* the switch whose argument the word is; NULL: none */
    struct tab_list candidates;
};

/* From here on the typed word is completed, without its first bytes. */
static void complete_from(struct completer *completer, size_t kept)
{
    completer->kept = kept;
    completer->candidates.typed = completer->word + kept;
    completer->candidates.typed_len = strlen(completer->word + kept);
}

static void offer(struct completer *completer, const char *name, char end)
{
    tab_list_offer(&completer->candidates, name, strlen(name), end);
}

/* ---- Words of the grammar ---- */

static void offer_verbs(struct completer *completer, bool own)
{
    for (const struct shell_builtin *row = shell_builtins; own && row->name != NULL; row++) {
        offer(completer, row->name, ' ');
    }
    for (const struct command *command = commands; command->verb != NULL; command++) {
        if (!own || shell_builtin_find(command->verb) == NULL) {
            offer(completer, command->verb, ' ');
        }
    }
}

static void offer_switch(struct completer *completer, char dash, const struct switch_row *row)
{
    char text[64];

    if (row->letters != NULL) {
        snprintf(text, sizeof(text), "%c%s", dash, row->letters);
        offer(completer, text, ' ');
    }
    if (row->name != NULL && dash == '-') {
        snprintf(text, sizeof(text), "--%s", row->name);
        offer(completer, text, ' ');
    }
}

static void offer_switches(struct completer *completer)
{
    for (const struct switch_row *row = completer->command->switches; row->help != NULL; row++) {
        offer_switch(completer, completer->word[0], row);
    }
    for (const struct switch_row *row = change_switches;
         completer->command->writes && row->help != NULL; row++) {
        if (!switch_is_hidden(completer->command, row)) {
            offer_switch(completer, completer->word[0], row);
        }
    }
    for (const struct switch_row *row = global_switches; row->help != NULL; row++) {
        offer_switch(completer, completer->word[0], row);
    }
}

static void offer_words(struct completer *completer, enum operand_kind kind)
{
    const char *const *words = command_words(kind, completer->first);

    for (; words != NULL && *words != NULL; words++) {
        offer(completer, *words, ' ');
    }
}

static void offer_types(struct completer *completer)
{
#define ROW(name, number) offer(completer, #name, ' ');
    RS_TYPE_LIST(ROW)
#undef ROW
}

static void offer_roots(struct completer *completer, char end)
{
#define ROW(alias, name) offer(completer, #alias, end);
    RS_ROOT_LIST(ROW)
#undef ROW
}

/* ---- What the store holds ---- */

typedef void offer_key(struct completer *completer, rs_txn *txn, rs_key key, char end);

static void offer_subkeys(struct completer *completer, rs_txn *txn, rs_key key, char end)
{
    rs_cursor *cursor;
    rs_key_info info;

    if (rs_subkeys(txn, key, &cursor) != RS_OK) {
        return;
    }
    while (rs_next_key(cursor, &info) == RS_OK) {
        bool writable = end != '/' || memchr(info.name, '/', info.name_len) == NULL;
        if (writable) {
            tab_list_offer(&completer->candidates, info.name, info.name_len,
                           info.subkeys > 0 || (info.flags & RS_KEY_LINK) != 0 ? end : ' ');
        }
    }
    rs_cursor_close(cursor);
}

struct ruled {
    struct completer *completer;
    rs_txn *txn;
    rs_key key;
    char end;
};

/* A value that is set was offered already. */
static int offer_ruled(void *context, const rs_rule *rule)
{
    const struct ruled *ruled = context;
    rs_value value;

    if (rule->name_len > 0 && rs_value_get_n(ruled->txn, ruled->key, rule->name, rule->name_len,
                                             &value) == RS_ENOTFOUND) {
        tab_list_offer(&ruled->completer->candidates, rule->name, rule->name_len, ruled->end);
    }
    return 0;
}

/* The values that are set, and those that rules know. */
static void offer_values(struct completer *completer, rs_txn *txn, rs_key key, char end)
{
    struct ruled ruled = {completer, txn, key, end};
    rs_cursor *cursor;
    rs_value value;
    const char *path;
    size_t len;

    if (rs_values(txn, key, &cursor) != RS_OK) {
        return;
    }
    while (rs_next_value(cursor, &value) == RS_OK) {
        if (value.name_len > 0) {
            tab_list_offer(&completer->candidates, value.name, value.name_len, end);
        }
    }
    rs_cursor_close(cursor);
    if (rs_key_path(txn, key, &path, &len) != RS_OK ||
        rs_rules(txn, path, len, offer_ruled, &ruled) != RS_OK) {
        return; /* what is set is offered all the same */
    }
}

/* Opens the store for as long as one listing takes. */
static void with_key(struct completer *completer, const char *path, offer_key *each, char end)
{
    rs_store *store;
    rs_txn *txn;
    rs_key key;

    if (rs_open(completer->shell->tool->dir, RS_READONLY, &store, NULL) != RS_OK) {
        return;
    }
    if (rs_begin(store, RS_READ, &txn) == RS_OK) {
        if (rs_key_open(txn, RS_NO_KEY, path, &key) == RS_OK) {
            each(completer, txn, key, end);
        }
        rs_abort(txn);
    }
    rs_close(store);
}

static void complete_value(struct completer *completer)
{
    const char *word = completer->key != NULL ? completer->key : ".";
    char *path = base_key_join(completer->shell->current, word);

    if (path != NULL) {
        with_key(completer, path, offer_values, ' ');
    }
    free(path);
}

/* The names below what is typed of a path up to its last separator. */
static void complete_below(struct completer *completer, size_t kept, char separator)
{
    char *typed = strndup(completer->word, kept);
    char *path = typed != NULL ? base_key_join(completer->shell->current, typed) : NULL;
    size_t len = path != NULL ? strlen(path) : 0;

    complete_from(completer, kept);
    if (len > 1 && path[len - 1] == separator) {
        path[len - 1] = '\0';
    }
    if (path != NULL && path[0] == '\0') {
        offer_roots(completer, separator);
    } else if (path != NULL) {
        with_key(completer, path, offer_subkeys, separator);
    }
    free(path);
    free(typed);
}

static void complete_key(struct completer *completer)
{
    const char *word = completer->word;
    bool slashed = word[0] == '/';
    const char *last = strrchr(word, slashed ? '/' : '\\');

    if (slashed && last == word) {
        complete_from(completer, 1);
        offer_roots(completer, '/');
        return;
    }
    complete_below(completer, last != NULL ? (size_t)(last + 1 - word) : 0, slashed ? '/' : '\\');
    if (last == NULL && completer->shell->current[0] != '\0' && word[0] != '\0') {
        offer_roots(completer, '\\');
    }
}

/* More are no help to anybody. */
#define MOST_REVISIONS 50

static int offer_revision(void *context, const rs_revision_info *revision)
{
    char number[24];

    snprintf(number, sizeof(number), "%" PRIu64, revision->revision);
    offer(context, number, ' ');
    return 0;
}

static void offer_revisions(struct completer *completer, rs_txn *txn)
{
    uint64_t latest = rs_revision(txn);
    uint64_t oldest = latest > MOST_REVISIONS ? latest - MOST_REVISIONS + 1 : 0;

    if (rs_history(txn, latest, oldest, offer_revision, completer) != RS_OK) {
        tab_list_free(&completer->candidates); /* half of them would look like all */
    }
}

static void complete_revision(struct completer *completer)
{
    rs_store *store;
    rs_txn *txn;

    if (rs_open(completer->shell->tool->dir, RS_READONLY, &store, NULL) != RS_OK) {
        return;
    }
    if (rs_begin(store, RS_READ, &txn) == RS_OK) {
        offer_revisions(completer, txn);
        rs_abort(txn);
    }
    rs_close(store);
}

/* ---- Files ---- */

static void complete_file(struct completer *completer)
{
    const char *last = strrchr(completer->word, '/');
    size_t kept = last != NULL ? (size_t)(last + 1 - completer->word) : 0;
    char *dir = kept > 0 ? strndup(completer->word, kept) : strdup(".");
    DIR *open = dir != NULL ? opendir(dir) : NULL;
    const struct dirent *entry;

    complete_from(completer, kept);
    while (open != NULL && (entry = readdir(open)) != NULL) {
        if (entry->d_name[0] != '.' || completer->word[kept] == '.') {
            offer(completer, entry->d_name, entry->d_type == DT_DIR ? '/' : ' ');
        }
    }
    if (open != NULL) {
        closedir(open);
    }
    free(dir);
}

/* ---- What is due ---- */

/* The row of a switch if the word is one. */
static bool read_switch(struct completer *completer, const char *word)
{
    const struct operand_row *due = &completer->command->operands[completer->operands];
    bool is_long = word[0] == '-' && word[1] == '-';
    const char *name = word + (is_long ? 2 : 1);
    const struct switch_row *row;

    if (!arguments_is_switch(word, due->name != NULL ? due : NULL)) {
        return false;
    }
    row = arguments_find_switch(completer->command, name, strlen(name), is_long);
    completer->argument = row != NULL && switch_takes_word(row) ? row : NULL;
    return true;
}

/* Goes over the words in front of the one that is typed. */
static void read_before(struct completer *completer, const struct line_words *words)
{
    for (size_t i = 1; i + 1 < words->count; i++) {
        const char *word = words->words[i];
        if (completer->argument != NULL) {
            completer->argument = NULL;
        } else if (!read_switch(completer, word)) {
            if (completer->operands == 0) {
                completer->first = word;
            }
            if (completer->operands == 0 && completer->command->operands[0].kind == OPERAND_KEY) {
                completer->key = word;
            }
            completer->operands += completer->command->operands[completer->operands].name != NULL;
        }
    }
}

static void complete_kind(struct completer *completer, enum operand_kind kind)
{
    switch (kind) {
    case OPERAND_KEY:
        complete_key(completer);
        break;
    case OPERAND_FILE:
        complete_file(completer);
        break;
    case OPERAND_VALUE:
        complete_value(completer);
        break;
    case OPERAND_VERB:
        offer_verbs(completer, false);
        break;
    case OPERAND_REVISION:
        complete_revision(completer);
        break;
    default:
        offer_words(completer, kind);
        break;
    }
}

static void complete_argument(struct completer *completer)
{
    if (completer->argument->id == SWITCH_VALUE) {
        complete_value(completer);
    } else if (completer->argument->id == SWITCH_TYPE) {
        offer_types(completer);
    } else if (completer->argument->id == SWITCH_PAST ||
               completer->argument->id == SWITCH_REVISIONS ||
               completer->argument->id == SWITCH_SINCE) {
        complete_revision(completer);
    } else if (completer->argument->id == SWITCH_STORE) {
        complete_file(completer);
    }
}

static void complete_command(struct completer *completer, const struct line_words *words)
{
    const struct operand_row *rows = completer->command->operands;
    bool left_out;

    read_before(completer, words);
    if (completer->argument != NULL) {
        complete_argument(completer);
        return;
    }
    if (rows[completer->operands].name != NULL) {
        complete_kind(completer, rows[completer->operands].kind);
    }
    left_out = completer->operands == 0 && rows[0].name != NULL && rows[0].kind == OPERAND_KEY &&
               rows[1].name != NULL;
    if (left_out && completer->candidates.count == 0) {
        complete_from(completer, 0);
        complete_kind(completer, rows[1].kind);
    }
    if ((completer->word[0] == '-' || completer->word[0] == '/') &&
        completer->candidates.count == 0) {
        complete_from(completer, 0);
        offer_switches(completer);
    }
}

static void complete_words(struct completer *completer, const struct line_words *words)
{
    const struct shell_builtin *row;

    if (words->count == 1) {
        offer_verbs(completer, true);
        return;
    }
    row = shell_builtin_find(words->words[0]);
    if (row != NULL && (row->verb == NULL || row->kind == OPERAND_VALUE) && words->count == 2) {
        complete_kind(completer, row->kind);
        if (completer->candidates.count > 0 || row->verb == NULL) {
            return;
        }
    }
    completer->command = command_find(row != NULL && row->verb ? row->verb : words->words[0]);
    if (completer->command != NULL) {
        complete_command(completer, words);
    }
}

/* ---- The result ---- */

static bool needs_quotes(const char *text)
{
    return text[strcspn(text, " \t'\"")] != '\0' || text[0] == '#';
}

/* The whole word in its quotes, which stay open where more is to come. */
static char *quote_word(const struct line_words *words, const char *word, size_t kept,
                        const char *common, char end)
{
    char *plain = NULL, *quoted = NULL;
    char quote[2] = {words->quote, '\0'};
    const char *after = end == ' ' ? " " : "";
    char separator[2] = {end != ' ' ? end : '\0', '\0'};

    if (asprintf(&plain, "%.*s%s%s", (int)kept, word, common, separator) < 0) {
        return NULL;
    }
    if (quote[0] == '\0' && needs_quotes(plain)) {
        quote[0] = strchr(plain, '"') != NULL ? '\'' : '"';
    }
    if (asprintf(&quoted, "%s%s%s%s", quote, plain, end == ' ' ? quote : "", after) < 0) {
        quoted = NULL;
    }
    free(plain);
    return quoted;
}

static size_t terminal_width(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static void give(struct completer *completer, const struct line_words *words,
                 struct shell_completion *completion)
{
    struct tab_list *candidates = &completer->candidates;
    char end;
    char *common = tab_list_common(candidates, &end);

    if (common == NULL) {
        return;
    }
    completion->start = words->last;
    completion->insert = quote_word(words, completer->word, completer->kept, common, end);
    if (candidates->count > 1 && strlen(common) == candidates->typed_len) {
        completion->shown = tab_list_show(candidates, terminal_width());
    }
    free(common);
}

void shell_complete_line(void *context, const char *line, size_t len,
                         struct shell_completion *completion)
{
    struct completer completer = {.shell = context};
    struct line_words words;

    if (line_words_split(&words, line, len, true) == RS_OK && !words.comment && words.count > 0) {
        completer.word = words.words[words.count - 1];
        complete_from(&completer, 0);
        complete_words(&completer, &words);
        give(&completer, &words, completion);
    }
    tab_list_free(&completer.candidates);
    line_words_free(&words);
}
