/* Reads a command line by the table of commands. */
#include "arguments.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base_key.h"
#include "foreign.h"
#include "keypath.h"
#include "nearest.h"
#include "report.h"

struct reader {
    char *const *next; /* the words that are left; ends with NULL */
    struct arguments *arguments;
    const char *base;                             /* of the shell; NULL: none */
    int operands;                                 /* read so far */
    bool only_operands;                           /* after "--" */
    const char *help;                             /* the short switch for help, if it was given */
    const struct switch_row *groups[GROUP_COUNT]; /* the switch that was given of each group */
};

static bool named(const char *name, const char *word, size_t len)
{
    return name != NULL && strlen(name) == len && strncasecmp(name, word, len) == 0;
}

/* The row of a switch by its letters or by its long name. */
static const struct switch_row *find_row(const struct switch_row *rows, const char *word,
                                         size_t len, bool is_long)
{
    for (; rows->help != NULL; rows++) {
        if (named(is_long ? rows->name : rows->letters, word, len)) {
            return rows;
        }
    }
    return NULL;
}

const struct switch_row *arguments_find_switch(const struct command *command, const char *name,
                                               size_t len, bool is_long)
{
    const struct switch_row *row = NULL;
    if (command != NULL) {
        row = find_row(command->switches, name, len, is_long);
    }
    if (row == NULL && command != NULL && command->writes) {
        row = find_row(change_switches, name, len, is_long);
    }
    return row != NULL ? row : find_row(global_switches, name, len, is_long);
}

bool arguments_is_switch(const char *word, const struct operand_row *due)
{
    bool file = due != NULL && (due->kind == OPERAND_FILE || due->kind == OPERAND_EITHER);
    bool data = due != NULL && (due->kind == OPERAND_DATA || due->kind == OPERAND_PARAMETER);

    bool number = due != NULL && (due->kind == OPERAND_DATA || due->kind == OPERAND_REVISION);

    if (word[0] == '-') {
        return !(file && word[1] == '\0') && !(number && isdigit((unsigned char)word[1]));
    }
    if (word[0] != '/') {
        return false;
    }
    if (keypath_is_slashed(word)) {
        return false;
    }
    if ((file || data) && strpbrk(word + 1, "/.") != NULL) {
        return false;
    }
    return true;
}

static void offer_rows(struct nearest *nearest, const struct switch_row *rows)
{
    for (; rows->help != NULL; rows++) {
        if (rows->letters != NULL) {
            nearest_offer(nearest, rows->letters);
        }
        if (rows->name != NULL) {
            nearest_offer(nearest, rows->name);
        }
    }
}

/* Reports a switch that the command does not have; word is without its prefix. */
static int unknown_switch(const struct command *command, const char *whole, const char *word)
{
    const char *verb = command != NULL ? command->verb : NULL;
    const char *prefix = "--";
    const char *advice = foreign_switch(command, whole);
    struct nearest nearest;

    if (advice != NULL) {
        return report("%s: %s", verb, advice);
    }
    nearest_begin(&nearest, word);
    if (command != NULL) {
        offer_rows(&nearest, command->switches);
    }
    if (command != NULL && command->writes) {
        offer_rows(&nearest, change_switches);
    }
    offer_rows(&nearest, global_switches);
    if (nearest.best == NULL) {
        return report("%s%sunknown switch \"%s\"%s", verb ? verb : "", verb ? ": " : "", whole,
                      verb ? "" : " before the command");
    }
    if (arguments_find_switch(command, nearest.best, strlen(nearest.best), true) == NULL) {
        prefix = whole[0] == '/' ? "/" : "-";
    }
    return report("%s%sunknown switch \"%s\", did you mean \"%s%s\"?", verb ? verb : "",
                  verb ? ": " : "", whole, prefix, nearest.best);
}

/* Whether one of the words is the switch with this number. */
static bool comes(const struct command *command, char *const *words, enum switch_id id)
{
    for (; *words != NULL; words++) {
        const char *word = *words;
        bool is_long = word[0] == '-' && word[1] == '-';
        const char *name = word + (is_long ? 2 : 1);
        const struct switch_row *row = NULL;
        if (word[0] == '-' || word[0] == '/') {
            row = arguments_find_switch(command, name, strcspn(name, is_long ? "=" : ""), is_long);
        }
        if (row != NULL && row->id == id) {
            return true;
        }
    }
    return false;
}

/* As in reg.exe, /v stands alone before another switch or at the end, where the line holds /f TEXT:
 * the search is in the names of values then. */
static bool is_search_of_names(const struct reader *reader, const struct switch_row *row)
{
    const struct command *command = reader->arguments->command;
    const char *next = *reader->next;

    if (row->id != SWITCH_VALUE || (!has_switch(reader->arguments, SWITCH_SEARCH) &&
                                    !comes(command, reader->next, SWITCH_SEARCH))) {
        return false;
    }
    return next == NULL ||
           ((next[0] == '/' || next[0] == '-') &&
            arguments_find_switch(command, next + 1, strlen(next + 1), false) != NULL);
}

/* Notes a switch whose name was spelled as whole; argument is NULL if the word holds none. */
static int take_switch(struct reader *reader, const struct switch_row *row, const char *whole,
                       const char *argument)
{
    const struct switch_row **other = &reader->groups[row->group];

    if (row->later) {
        return report("%s is not available yet", whole);
    }
    if (has_switch(reader->arguments, row->id)) {
        return report("%s is given twice", whole);
    }
    if (row->group != GROUP_NONE && *other != NULL) {
        return report("%s and %s%s cannot be combined", whole, (*other)->letters ? "/" : "--",
                      (*other)->letters ? (*other)->letters : (*other)->name);
    }
    if (row->argument == NULL && argument != NULL) {
        return report("%s takes no argument", whole);
    }
    if (argument == NULL && is_search_of_names(reader, row)) {
        reader->arguments->switches[SWITCH_SEARCH_NAMES] = "";
    } else if (switch_takes_word(row) && argument == NULL) {
        argument = *reader->next;
        if (argument == NULL) {
            return report("%s lacks its argument %s", whole, row->argument);
        }
        reader->next++;
    }
    *other = row;
    reader->arguments->switches[row->id] = argument != NULL ? argument : "";
    return 0;
}

static int read_long(struct reader *reader, const char *word)
{
    const struct command *command = reader->arguments->command;
    const char *equals = strchr(word, '=');
    size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
    const struct switch_row *row = arguments_find_switch(command, word + 2, len - 2, true);

    if (row == NULL) {
        return unknown_switch(command, word, word + 2);
    }
    return take_switch(reader, row, word, equals != NULL ? equals + 1 : NULL);
}

/* diff takes one key where it compares two moments. */
static bool is_one_key(const struct arguments *arguments)
{
    return has_switch(arguments, SWITCH_REVISIONS);
}

/* The operand that is due; NULL if the command takes no more. */
static const struct operand_row *due(const struct reader *reader)
{
    const struct command *command = reader->arguments->command;

    if (command == NULL || (reader->operands > 0 && is_one_key(reader->arguments))) {
        return NULL;
    }
    return command_operand(command, (size_t)reader->operands);
}

/* In reg.exe's grammar an operand that must be there stands before all switches; in the shell it
 * may be left out. */
static bool is_early(const struct reader *reader)
{
    const struct command *command = reader->arguments->command;
    const struct operand_row *operand = due(reader);

    return command != NULL && command->reg && reader->base == NULL && operand != NULL &&
           !operand->optional;
}

static int read_short(struct reader *reader, const char *word)
{
    const struct command *command = reader->arguments->command;
    const struct switch_row *row =
        arguments_find_switch(command, word + 1, strlen(word + 1), false);

    if (row == NULL) {
        return unknown_switch(command, word, word + 1);
    }
    if (row->id == SWITCH_HELP) {
        reader->help = word;
    } else if (is_early(reader)) {
        return report("%s: %s comes before %s", command->verb, due(reader)->name, word);
    }
    return take_switch(reader, row, word, NULL);
}

/* In the shell a file may come first, where the key in front of it is left out. */
static bool is_file_after_key(const struct reader *reader, const char *word)
{
    const struct operand_row *row = due(reader);

    return reader->base != NULL && reader->operands == 0 && row != NULL &&
           row->kind == OPERAND_KEY && row[1].name != NULL && row[1].kind == OPERAND_FILE &&
           !arguments_is_switch(word, row + 1);
}

static bool is_switch(const struct reader *reader, const char *word)
{
    return !reader->only_operands && arguments_is_switch(word, due(reader)) &&
           !is_file_after_key(reader, word);
}

static int read_verb(struct reader *reader, const char *word)
{
    const char *nearest;

    reader->arguments->command = command_find(word);
    if (reader->arguments->command != NULL) {
        return 0;
    }
    nearest = command_nearest(word);
    if (nearest != NULL) {
        return report("unknown command \"%s\", did you mean \"%s\"?", word, nearest);
    }
    return report("unknown command \"%s\" (%s help lists the commands)", word, program_name());
}

static int read_operand(struct reader *reader, const char *word)
{
    const struct command *command = reader->arguments->command;
    const char *advice;

    if (command == NULL) {
        return read_verb(reader, word);
    }
    if (due(reader) == NULL) {
        advice = foreign_operand(reader->arguments);
        if (advice != NULL) {
            return report("%s: %s", command->verb, advice);
        }
        return report("%s: unexpected argument \"%s\"", command->verb, word);
    }
    reader->arguments->asked[reader->operands] = word;
    reader->arguments->operands[reader->operands++] = word;
    return 0;
}

static int read_word(struct reader *reader, const char *word)
{
    const struct command *command = reader->arguments->command;

    if (command != NULL && command->reg && reader->help != NULL) {
        return report("%s: nothing comes after %s", command->verb, reader->help);
    }
    if (!reader->only_operands && strcmp(word, "--") == 0) {
        reader->only_operands = true;
        return 0;
    }
    if (!is_switch(reader, word)) {
        return read_operand(reader, word);
    }
    if (word[0] == '-' && word[1] == '-') {
        return read_long(reader, word);
    }
    return read_short(reader, word);
}

static bool can_be_key(enum operand_kind kind)
{
    return kind == OPERAND_KEY || kind == OPERAND_EITHER;
}

/* Puts the shell's key in the place of a key that was left out. A whole key is not deleted that
 * nobody named. */
static void imply_key(struct reader *reader)
{
    struct arguments *arguments = reader->arguments;
    const struct operand_row *operand = due(reader);

    if (reader->base == NULL || operand == NULL || operand->optional ||
        !can_be_key(arguments->command->operands[0].kind)) {
        return;
    }
    if (arguments->command->run == cmd_delete && reader->groups[GROUP_WHICH_VALUE] == NULL) {
        return;
    }
    for (int i = reader->operands++; i > 0; i--) {
        arguments->asked[i] = arguments->operands[i] = arguments->operands[i - 1];
    }
    arguments->asked[0] = arguments->operands[0] = ".";
}

/* What only the whole line can tell. */
static int check(const struct reader *reader)
{
    const struct arguments *arguments = reader->arguments;
    const struct operand_row *operand = due(reader);

    if (has_switch(arguments, SWITCH_HELP) || has_switch(arguments, SWITCH_VERSION)) {
        return 0;
    }
    if (arguments->command == NULL) {
        return report("no command is given (%s help lists the commands)", program_name());
    }
    if (operand != NULL && !operand->optional) {
        return report("%s: %s is missing (%s help %s shows the usage)", arguments->command->verb,
                      operand->name, program_name(), arguments->command->verb);
    }
    if (has_switch(arguments, SWITCH_JSON) && !arguments->command->json) {
        return report("%s: --json is not available for this command", arguments->command->verb);
    }
    return 0;
}

/* \\MACHINE\HKLM\...; a root in the machine's place is a mistake in the path. */
int arguments_refuse_machine(const char *path)
{
    size_t len;

    if (path[0] != '\\' || path[1] != '\\') {
        return 0;
    }
    path += 2;
    len = strcspn(path, "\\");
    if (len == 0 || keypath_root_length(path) == len) {
        return 0;
    }
    return report("remote registry is not available: %.*s", (int)len, path);
}

/* What a key operand means: here, and in the view that was asked for. */
static int find_place(struct arguments *arguments, int index)
{
    const char *path = arguments->operands[index];

    if (arguments_refuse_machine(path) != 0) {
        return 1;
    }
    if (!has_switch(arguments, SWITCH_VIEW_32) || rs_path_view32(path, RS_NTS) == 0) {
        return 0;
    }
    arguments->made[index] = keypath_view32(path);
    arguments->operands[index] = arguments->made[index];
    return arguments->made[index] != NULL ? 0 : report_status(RS_ENOMEM, NULL, path);
}

/* Makes a key that is relative to the shell's a whole one. */
static int find_whole(struct arguments *arguments, const char *base, int index)
{
    const char *word = arguments->asked[index];

    if (base == NULL || base_key_is_whole(word)) {
        return 0;
    }
    arguments->joined[index] = base_key_join(base, word);
    if (arguments->joined[index] == NULL) {
        return report_status(RS_ENOMEM, NULL, word);
    }
    if (arguments->joined[index][0] == '\0') {
        return report("%s: a key is missing: at the top there are only the roots",
                      arguments->command->verb);
    }
    arguments->asked[index] = arguments->operands[index] = arguments->joined[index];
    return 0;
}

/* Where a key or a file can stand, a word that is no whole key is a file if it looks like a path to
 * one, or if there is one. */
static bool is_file(const char *word)
{
    struct stat about;

    return strchr(word, '/') != NULL || strcmp(word, "-") == 0 ||
           (stat(word, &about) == 0 && !S_ISDIR(about.st_mode));
}

static int find_places(struct arguments *arguments, const char *base)
{
    const struct command *command = arguments->command;

    for (int i = 0; command != NULL && i < MAX_OPERANDS && arguments->operands[i] != NULL; i++) {
        enum operand_kind kind = command_operand(command, (size_t)i)->kind;
        bool key =
            kind == OPERAND_KEY || (kind == OPERAND_EITHER && !is_file(arguments->operands[i]));
        if (key && find_whole(arguments, base, i) != 0) {
            return 1;
        }
        if (can_be_key(kind) && find_place(arguments, i) != 0) {
            return 1;
        }
    }
    return 0;
}

void arguments_free(struct arguments *arguments)
{
    for (int i = 0; i < MAX_OPERANDS; i++) {
        free(arguments->made[i]);
        free(arguments->joined[i]);
    }
}

int arguments_read(char *const argv[], const char *base, struct arguments *arguments)
{
    struct reader reader = {.next = argv, .arguments = arguments, .base = base};

    *arguments = (struct arguments){.command = NULL};
    while (*reader.next != NULL) {
        const char *word = *reader.next++;
        if (read_word(&reader, word) != 0) {
            return 1;
        }
    }
    imply_key(&reader);
    return check(&reader) == 0 ? find_places(arguments, base) : 1;
}
