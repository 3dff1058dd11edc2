/* vet - whether a text may be included by a smb.conf that root's smbd reads; see vet.h. */
#include "vet.h"

#include "conf_text.h"

#include <string.h>

#define LONGEST_LINE 2048 /* more than an option and its value can have */

/* How a value has to be. */
enum kind { TEXT, PATH, NUMBER, WORD };

struct option {
    const char *name;
    enum kind kind;
};

static const struct option global_options[] = {
    {"server string", TEXT}, {"browse list", WORD},    {"multicast dns register", WORD},
    {"lm announce", WORD},   {"lm interval", NUMBER},  {"deadtime", NUMBER},
    {"oplocks", WORD},       {"level2 oplocks", WORD}, {"read raw", WORD},
    {"write raw", WORD},     {"max mux", NUMBER},      {NULL, TEXT},
};

static const struct option share_options[] = {
    {"comment", TEXT},           {"path", PATH},       {"printable", WORD},  {"printer name", TEXT},
    {"read only", WORD},         {"guest ok", WORD},   {"browseable", WORD}, {"available", WORD},
    {"max connections", NUMBER}, {"csc policy", WORD}, {NULL, TEXT},
};

/* Of all options that take a word. */
static const char *const option_words[] = {"yes",      "no",      "manual", "documents",
                                           "programs", "disable", NULL};

static bool is_number(const char *value)
{
    size_t length = strlen(value);
    return length > 0 && length <= 10 && strspn(value, "0123456789") == length;
}

static bool is_word(const char *value)
{
    size_t i = 0;
    while (option_words[i] != NULL && strcmp(option_words[i], value) != 0) {
        i++;
    }
    return option_words[i] != NULL;
}

static const char *judge_value(enum kind kind, const char *value)
{
    char plain[CONF_TEXT_MAX + 1];
    const char *problem;
    switch (kind) {
    case NUMBER:
        return is_number(value) ? NULL : "it is no number";
    case WORD:
        return is_word(value) ? NULL : "it is none of the words that are allowed";
    case PATH:
        return conf_path_problem(value);
    default:
        problem = conf_plain_text(value, plain);
        if (problem == NULL && strcmp(plain, value) != 0) {
            return "it has blanks at its end or beside each other";
        }
        return problem;
    }
}

/* "\tNAME = VALUE", or "\tNAME =" for a text that is empty. */
static const char *judge_option(const struct option *options, char *line)
{
    char *equals = strstr(line, " =");
    if (line[0] != '\t' || equals == NULL) {
        return "it is no line of an option";
    }
    char *value = equals + 2;
    if (value[0] == ' ') {
        value++;
    } else if (value[0] != '\0') {
        return "it is no line of an option";
    }
    *equals = '\0';
    while (options->name != NULL && strcmp(options->name, line + 1) != 0) {
        options++;
    }
    return options->name != NULL ? judge_value(options->kind, value)
                                 : "its option is not one that the service sets";
}

/* "[NAME]"; *options become those that may follow. */
static const char *judge_section(char *line, const struct option **options)
{
    size_t length = strlen(line);
    if (length < 2 || line[length - 1] != ']') {
        return "it is no section";
    }
    line[length - 1] = '\0';
    *options = strcmp(line + 1, "global") == 0 ? global_options : share_options;
    return *options == global_options ? NULL : conf_name_problem(line + 1);
}

/* Samba takes a comment that ends with a backslash on to the next line. */
static const char *judge_line(char *line, const struct option **options)
{
    size_t length = strlen(line);
    if (length > 0 && line[length - 1] == '\\') {
        return "it ends with a backslash";
    }
    if (line[0] == '#') {
        return NULL;
    }
    if (line[0] == '[') {
        return judge_section(line, options);
    }
    return *options != NULL ? judge_option(*options, line) : "it stands in no section";
}

/* Copies the line at text to line, which has LONGEST_LINE bytes, and judges it. */
static const char *judge_next(const char *text, size_t left, char *line, size_t *length,
                              const struct option **options)
{
    const char *end = memchr(text, '\n', left);
    if (end == NULL) {
        return "it has no end";
    }
    *length = (size_t)(end - text);
    if (*length >= LONGEST_LINE) {
        return "it is too long";
    }
    if (memchr(text, '\0', *length) != NULL) {
        return "it has a NUL";
    }
    memcpy(line, text, *length);
    line[*length] = '\0';
    return judge_line(line, options);
}

bool vet(const char *text, size_t size, struct vet_problem *problem)
{
    const struct option *options = NULL;
    size_t at = 0;
    problem->line = 0;
    while (at < size) {
        char line[LONGEST_LINE];
        size_t length = 0;
        problem->line++;
        problem->why = judge_next(text + at, size - at, line, &length, &options);
        if (problem->why != NULL) {
            return false;
        }
        at += length + 1;
    }
    /* What stands behind the include in smb.conf would come into a share. */
    problem->why = "the text does not end in [global]";
    return options == global_options;
}
