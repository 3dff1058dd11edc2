/* What a command line can be completed to. */
#include "complete.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <regstore.h>

#include "arguments.h"
#include "complete_names.h"
#include "keypath.h"
#include "show.h"

/* What the words in front of the last one mean. */
struct line {
    const struct command *command;    /* NULL: not named yet */
    const struct switch_row *pending; /* a switch that lacks its argument */
    const char *store;
    const char *operands[MAX_OPERANDS];
    size_t count; /* of operands */
    bool view32;
    bool only_operands;
};

struct completion {
    struct line line;
    struct candidates candidates;
    const char *word; /* the last one */
    rs_store *store;
    rs_txn *txn;
};

/* ---- The words in front ---- */

static const struct operand_row *due(const struct line *line)
{
    return line->command != NULL ? command_operand(line->command, line->count) : NULL;
}

static void note_switch(struct line *line, const struct switch_row *row, const char *argument)
{
    if (row == NULL) {
        return;
    }
    if (switch_takes_word(row) && argument == NULL) {
        line->pending = row;
    }
    if (row->id == SWITCH_STORE) {
        line->store = argument;
    }
    line->view32 = line->view32 || row->id == SWITCH_VIEW_32;
}

static void read_switch(struct line *line, const char *word)
{
    bool is_long = word[0] == '-' && word[1] == '-';
    const char *name = word + (is_long ? 2 : 1);
    size_t len = is_long ? strcspn(name, "=") : strlen(name);
    const struct switch_row *row = arguments_find_switch(line->command, name, len, is_long);

    note_switch(line, row, name[len] == '=' ? name + len + 1 : NULL);
}

static void read_word(struct line *line, const char *word)
{
    if (line->pending != NULL) {
        if (line->pending->id == SWITCH_STORE) {
            line->store = word;
        }
        line->pending = NULL;
    } else if (!line->only_operands && strcmp(word, "--") == 0) {
        line->only_operands = true;
    } else if (!line->only_operands && arguments_is_switch(word, due(line))) {
        read_switch(line, word);
    } else if (line->command == NULL) {
        line->command = command_find(word);
    } else if (due(line) != NULL) {
        line->operands[line->count++] = word;
    }
}

/* ---- The store ---- */

static int open_store(struct completion *completion)
{
    int status;

    if (completion->txn != NULL) {
        return RS_OK;
    }
    status = rs_open(completion->line.store, RS_READONLY, &completion->store, NULL);
    return status == RS_OK ? rs_begin(completion->store, RS_READ, &completion->txn) : status;
}

static int open_key(struct completion *completion, const char *path, rs_key *key)
{
    char *made = NULL;
    int status = open_store(completion);

    if (status == RS_OK && completion->line.view32 && rs_path_view32(path, RS_NTS) != 0) {
        made = keypath_view32(path);
        status = made != NULL ? RS_OK : RS_ENOMEM;
    }
    if (status == RS_OK) {
        status = rs_key_open(completion->txn, RS_NO_KEY, made != NULL ? made : path, key);
    }
    free(made);
    return status;
}

/* ---- Keys ---- */

/* Offers a name below another one, which may be empty. */
static int offer_joined(struct completion *completion, struct keypath *above, char separator,
                        const char *name, size_t name_len)
{
    size_t len = above->len;
    int status = keypath_add(above, name, name_len);

    if (status != RS_OK) {
        return status;
    }
    if (len > 0) {
        above->text[len] = separator;
    }
    status = candidates_offer(&completion->candidates, above->text, above->len);
    keypath_cut(above, len);
    return status;
}

/* Each subkey that can be named in a path with this separator. */
static int offer_subkeys(struct completion *completion, rs_key key, struct keypath *above,
                         char separator)
{
    rs_cursor *cursor;
    rs_key_info info;
    int status = rs_subkeys(completion->txn, key, &cursor);

    if (status != RS_OK) {
        return status;
    }
    while ((status = rs_next_key(cursor, &info)) == RS_OK) {
        if (memchr(info.name, separator, info.name_len) == NULL) {
            status = offer_joined(completion, above, separator, info.name, info.name_len);
        }
        if (status != RS_OK) {
            break;
        }
    }
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

static int open_below(struct completion *completion, const char *front, const char *name,
                      rs_key *key)
{
    char *path;
    int status;

    if (asprintf(&path, "%s%s", front, name) < 0) {
        return RS_ENOMEM;
    }
    status = open_key(completion, path, key);
    free(path);
    return status;
}

/* A candidate that stands alone and has keys below it: itself with a separator and those keys are
 * offered in its place, so that the shell neither ends the word there nor closes its quotes. */
static int look_below(struct completion *completion, const char *front, char separator)
{
    struct names *names = &completion->candidates.names;
    struct keypath above = {.text = NULL};
    rs_key_info info = {.subkeys = 0};
    rs_key key;
    int status;

    if (names->count != 1) {
        return RS_OK;
    }
    status = open_below(completion, front, names->each[0].text, &key);
    if (status == RS_OK) {
        status = rs_key_info_get(completion->txn, key, &info);
    }
    if (status != RS_OK || info.subkeys == 0) {
        return status;
    }
    status = keypath_add(&above, names->each[0].text, names->each[0].len);
    if (status == RS_OK) {
        names_free(names);
        status = offer_joined(completion, &above, separator, "", 0);
    }
    if (status == RS_OK) {
        status = offer_subkeys(completion, key, &above, separator);
    }
    keypath_free(&above);
    return status;
}

/* The short names of roots, and where none of them fits the long ones. */
static int offer_roots(struct completion *completion)
{
    static const char *const roots[][2] = {
#define ROW(alias, name) {#alias, name},
        RS_ROOT_LIST(ROW)
#undef ROW
    };
    struct candidates *candidates = &completion->candidates;
    int status = RS_OK;

    for (size_t form = 0; form < 2 && candidates->names.count == 0; form++) {
        for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]) && status == RS_OK; i++) {
            status = candidates_offer_text(candidates, roots[i][form]);
        }
    }
    return status;
}

/* The keys in a directory of the path: front is the word up to its last separator. */
static int offer_keys_below(struct completion *completion, const char *front, char separator)
{
    struct keypath above = {.text = NULL};
    rs_key key;
    int status = open_key(completion, front, &key);

    if (status == RS_OK) {
        status = offer_subkeys(completion, key, &above, separator);
    }
    keypath_free(&above);
    return status;
}

static int offer_keys(struct completion *completion, const char *line, const char *tail,
                      size_t begin)
{
    const char *word = completion->word + begin;
    char separator = word[0] == '/' ? '/' : '\\';
    const char *last = strrchr(word + (word[0] == '/'), separator);
    size_t front_len = last != NULL ? (size_t)(last - word) : 0;
    size_t kept = last != NULL ? front_len + 1 : word[0] == '/';
    char *front = strndup(word, kept);
    int status;

    if (front == NULL) {
        return RS_ENOMEM;
    }
    candidates_begin(&completion->candidates, completion->candidates.words, line, tail,
                     begin + kept);
    if (last == NULL) {
        status = offer_roots(completion);
    } else {
        front[front_len] = '\0';
        status = offer_keys_below(completion, front, separator);
        front[front_len] = separator;
    }
    if (status == RS_OK) {
        status = look_below(completion, front, separator);
    }
    free(front);
    return status;
}

/* ---- Other words ---- */

static int offer_set(struct completion *completion, rs_key key)
{
    rs_cursor *cursor;
    rs_value value;
    int status = rs_values(completion->txn, key, &cursor);

    if (status != RS_OK) {
        return status;
    }
    while ((status = rs_next_value(cursor, &value)) == RS_OK) {
        if (value.name_len > 0) {
            status = candidates_offer(&completion->candidates, value.name, value.name_len);
        }
        if (status != RS_OK) {
            break;
        }
    }
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

/* What a value's rule is offered to. */
struct ruled {
    struct completion *completion;
    rs_key key; /* RS_NO_KEY: there is none */
};

static int offer_ruled(void *context, const rs_rule *rule)
{
    const struct ruled *ruled = context;
    rs_value value;

    if (rule->name_len == 0 ||
        (ruled->key != RS_NO_KEY && rs_value_get_n(ruled->completion->txn, ruled->key, rule->name,
                                                   rule->name_len, &value) == RS_OK)) {
        return RS_OK; /* it was offered as one that is set */
    }
    return candidates_offer(&ruled->completion->candidates, rule->name, rule->name_len);
}

/* The values that are set, and those that rules know, also of a key that is not there. */
static int offer_values(struct completion *completion)
{
    const char *path = completion->line.operands[0];
    struct ruled ruled = {completion, RS_NO_KEY};
    int status = path != NULL ? open_key(completion, path, &ruled.key) : RS_ENOTFOUND;

    if (status == RS_OK) {
        status = offer_set(completion, ruled.key);
    }
    if (completion->txn != NULL && path != NULL && (status == RS_OK || status == RS_ENOTFOUND)) {
        status = rs_rules(completion->txn, path, RS_NTS, offer_ruled, &ruled);
    }
    return status;
}

static int offer_verbs(struct completion *completion)
{
    int status = RS_OK;

    for (const struct command *command = commands; command->verb != NULL; command++) {
        if (status == RS_OK) {
            status = candidates_offer_text(&completion->candidates, command->verb);
        }
    }
    return status;
}

static int offer_types(struct completion *completion)
{
    static const char *const names[] = {
#define ROW(name, number) #name,
        RS_TYPE_LIST(ROW)
#undef ROW
    };
    int status = RS_OK;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && status == RS_OK; i++) {
        status = candidates_offer_text(&completion->candidates, names[i]);
    }
    return status;
}

/* More are no help to anybody. */
#define MOST_REVISIONS 50

/* With its message; where it has none, with its time. */
static int offer_revision(void *context, const rs_revision_info *revision)
{
    struct completion *completion = context;
    char number[24];
    char time[SHOW_TIME_SIZE];

    snprintf(number, sizeof(number), "%" PRIu64, revision->revision);
    show_local_time(revision->time, time);
    return candidates_offer_noted(&completion->candidates, number,
                                  revision->message[0] != '\0' ? revision->message : time);
}

/* The latest ones. */
static int offer_revisions(struct completion *completion)
{
    int status = open_store(completion);
    uint64_t latest;

    if (status != RS_OK) {
        return status;
    }
    latest = rs_revision(completion->txn);
    return rs_history(completion->txn, latest,
                      latest > MOST_REVISIONS ? latest - MOST_REVISIONS + 1 : 0, offer_revision,
                      completion);
}

static int offer_switch(struct completion *completion, const char *prefix, const char *name)
{
    char text[64];

    if (name == NULL) {
        return RS_OK;
    }
    snprintf(text, sizeof(text), "%s%s", prefix, name);
    return candidates_offer_text(&completion->candidates, text);
}

/* Those of one table that can be written as the word begins. */
static int offer_rows(struct completion *completion, const struct switch_row *row)
{
    const char *word = completion->word;
    char prefix[2] = {word[0], '\0'};
    int status = RS_OK;

    for (; row->help != NULL && status == RS_OK; row++) {
        if (row->later || switch_is_hidden(completion->line.command, row) ||
            (row->letters != NULL && row->letters[0] == '?')) {
            continue;
        }
        if (word[0] == '-') {
            status = offer_switch(completion, "--", row->name);
        }
        if (status == RS_OK && word[1] != '-') {
            status = offer_switch(completion, prefix, row->letters);
        }
    }
    return status;
}

static int offer_switches(struct completion *completion)
{
    int status = RS_OK;

    if (completion->line.command != NULL) {
        status = offer_rows(completion, completion->line.command->switches);
    }
    if (status == RS_OK && completion->line.command != NULL && completion->line.command->writes) {
        status = offer_rows(completion, change_switches);
    }
    return status == RS_OK ? offer_rows(completion, global_switches) : status;
}

/* ---- What fits ---- */

enum fitting {
    FITS_NOTHING,
    FITS_FILES,
    FITS_KEYS,
    FITS_VALUES,
    FITS_VERBS,
    FITS_TYPES,
    FITS_WORDS,
    FITS_REVISIONS,
    FITS_SWITCHES
};

/* What an argument is called in the table tells what it is. */
static enum fitting fits_argument(const struct switch_row *row)
{
    static const struct {
        const char *argument;
        enum fitting fitting;
    } kinds[] = {{"DIR", FITS_FILES},        {"FILE", FITS_FILES},    {"KEY", FITS_KEYS},
                 {"NAME", FITS_VALUES},      {"OLD", FITS_VALUES},    {"TYPE", FITS_TYPES},
                 {"MOMENT", FITS_REVISIONS}, {"REV", FITS_REVISIONS}, {"M..N", FITS_REVISIONS}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(row->argument, kinds[i].argument) == 0) {
            return kinds[i].fitting;
        }
    }
    return FITS_NOTHING;
}

static enum fitting fits_operand(const struct operand_row *row, const char *word)
{
    /* All roots begin like this, and few files. */
    bool root = strncasecmp(word + strspn(word, "/"), "HK", 2) == 0;
    static const enum fitting kinds[] = {
        [OPERAND_KEY] = FITS_KEYS,           [OPERAND_FILE] = FITS_FILES,
        [OPERAND_VALUE] = FITS_VALUES,       [OPERAND_DATA] = FITS_NOTHING,
        [OPERAND_VERB] = FITS_VERBS,         [OPERAND_SHELL] = FITS_WORDS,
        [OPERAND_WORD] = FITS_NOTHING,       [OPERAND_EITHER] = FITS_FILES,
        [OPERAND_REVISION] = FITS_REVISIONS, [OPERAND_NET] = FITS_WORDS,
        [OPERAND_SERVICE] = FITS_WORDS,      [OPERAND_DEVICE] = FITS_WORDS,
        [OPERAND_LPT] = FITS_WORDS,          [OPERAND_PORT] = FITS_WORDS,
        [OPERAND_PARAMETER] = FITS_NOTHING,
    };

    return row->kind == OPERAND_EITHER && root ? FITS_KEYS : kinds[row->kind];
}

static enum fitting fits(const struct completion *completion)
{
    const struct line *line = &completion->line;
    const struct operand_row *operand = due(line);
    const char *word = completion->word;

    if (line->pending != NULL) {
        return fits_argument(line->pending);
    }
    if (!line->only_operands && (word[0] == '-' || word[0] == '/') &&
        arguments_is_switch(word, operand)) {
        return FITS_SWITCHES;
    }
    if (line->command == NULL) {
        return FITS_VERBS;
    }
    return operand != NULL ? fits_operand(operand, word) : FITS_NOTHING;
}

static int offer(struct completion *completion, enum fitting fitting, const char *line,
                 const char *tail, size_t begin)
{
    switch (fitting) {
    case FITS_KEYS:
        return offer_keys(completion, line, tail, begin);
    case FITS_VALUES:
        return offer_values(completion);
    case FITS_VERBS:
        return offer_verbs(completion);
    case FITS_TYPES:
        return offer_types(completion);
    case FITS_WORDS:
        return candidates_offer_words(
            &completion->candidates,
            command_words(due(&completion->line)->kind, completion->line.operands[0]));
    case FITS_REVISIONS:
        return offer_revisions(completion);
    case FITS_SWITCHES:
        return offer_switches(completion);
    case FITS_NOTHING:
    case FITS_FILES:
        break;
    }
    return RS_OK;
}

/* Where the argument of a long switch begins in the word that holds both; 0 if it does not. */
static size_t argument_begins(struct completion *completion)
{
    const char *word = completion->word;
    const char *equals = strchr(word, '=');
    const struct switch_row *row;

    if (equals == NULL || strncmp(word, "--", 2) != 0 || completion->line.pending != NULL ||
        completion->line.only_operands) {
        return 0;
    }
    row = arguments_find_switch(completion->line.command, word + 2, (size_t)(equals - word) - 2,
                                true);
    if (row == NULL || row->argument == NULL) {
        return 0;
    }
    completion->line.pending = row;
    return (size_t)(equals - word) + 1;
}

/* A slash may begin a switch, or the root of a key. */
static bool begins_both(const struct completion *completion)
{
    const struct operand_row *operand = due(&completion->line);

    return completion->word[0] == '/' && operand != NULL &&
           (operand->kind == OPERAND_KEY || operand->kind == OPERAND_EITHER);
}

static void answer(struct completion *completion, const char *line, const char *tail)
{
    size_t begin = argument_begins(completion);
    enum fitting fitting = fits(completion);

    puts(fitting == FITS_FILES ? "files" : "words");
    candidates_begin(&completion->candidates, completion->candidates.words, line, tail, begin);
    if (offer(completion, fitting, line, tail, begin) == RS_OK) {
        candidates_put(&completion->candidates);
    }
    candidates_free(&completion->candidates);
    if (fitting == FITS_SWITCHES && begins_both(completion) &&
        offer_keys(completion, line, tail, 0) == RS_OK) {
        candidates_put(&completion->candidates);
    }
    candidates_free(&completion->candidates);
}

void complete(char *const words[])
{
    const char *line = words[0] != NULL ? words[0] : "";
    const char *tail = words[0] != NULL && words[1] != NULL ? words[1] : "";
    struct completion completion = {.store = NULL};
    struct shell_words read;

    if (shell_words_read(line, &read) != 0) {
        return;
    }
    for (size_t i = 1; i + 1 < read.count; i++) {
        read_word(&completion.line, read.words[i]);
    }
    completion.word = read.words[read.count - 1];
    completion.candidates.words = &read;
    if (read.count > 1) {
        answer(&completion, line, tail);
    }
    rs_abort(completion.txn);
    rs_close(completion.store);
    shell_words_free(&read);
}
