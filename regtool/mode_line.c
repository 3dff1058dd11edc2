/* The parameters of a serial line. */
#include "mode_line.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "report.h"

enum field { FIELD_BAUD, FIELD_PARITY, FIELD_DATA, FIELD_STOP, FIELD_RETRY, FIELDS };

static const char *const field_names[FIELDS] = {
    [FIELD_BAUD] = "baud", [FIELD_PARITY] = "parity", [FIELD_DATA] = "data",
    [FIELD_STOP] = "stop", [FIELD_RETRY] = "retry",
};

/* The rates that terminal lines have; MODE knows some of them by their first two digits, too. */
static const struct {
    const char *word;
    const char *short_form;
} rates[] = {{"50", NULL},     {"75", NULL},     {"110", "11"},    {"134", NULL},
             {"150", "15"},    {"200", NULL},    {"300", "30"},    {"600", "60"},
             {"1200", "12"},   {"1800", NULL},   {"2400", "24"},   {"4800", "48"},
             {"9600", "96"},   {"19200", "19"},  {"38400", NULL},  {"57600", NULL},
             {"115200", NULL}, {"230400", NULL}, {"460800", NULL}, {"921600", NULL}};

static bool is_word(const char *text, size_t len, const char *word)
{
    return word != NULL && strlen(word) == len && strncmp(word, text, len) == 0;
}

static bool take_baud(struct mode_line *line, const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        if (is_word(text, len, rates[i].word) || is_word(text, len, rates[i].short_form)) {
            line->baud = rates[i].word;
            return true;
        }
    }
    return false;
}

static bool take_stop(struct mode_line *line, const char *text, size_t len)
{
    static const char *const bits[] = {"1", "1.5", "2"};

    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        if (is_word(text, len, bits[i])) {
            line->stop = bits[i];
            return true;
        }
    }
    return false;
}

/* Whether a text is one for the field. An empty one leaves it as it is. */
static bool take(struct mode_line *line, enum field field, const char *text, size_t len)
{
    int letter = len == 1 ? tolower((unsigned char)text[0]) : '\0';

    if (len == 0) {
        return true;
    }
    switch (field) {
    case FIELD_BAUD:
        return take_baud(line, text, len);
    case FIELD_PARITY:
        line->parity = (char)letter;
        return letter != '\0' && strchr("neoms", letter) != NULL;
    case FIELD_DATA:
        line->data = (unsigned)(letter - '0');
        return letter >= '5' && letter <= '8';
    case FIELD_STOP:
        return take_stop(line, text, len);
    case FIELD_RETRY:
        line->retry = letter == 'p';
        return letter == 'p' || letter == 'n';
    case FIELDS:
        break;
    }
    return false;
}

/* The first field that is wrong; FIELDS: none is. */
static enum field take_list(struct mode_line *line, const char *text)
{
    for (int field = 0;; field++) {
        size_t len = strcspn(text, ",");
        if (field == FIELDS || !take(line, (enum field)field, text, len)) {
            return field == FIELDS ? FIELD_RETRY : (enum field)field;
        }
        if (text[len] == '\0') {
            return FIELDS;
        }
        text += len + 1;
    }
}

bool mode_line_read(const char *text, struct mode_line *line)
{
    static const struct mode_line usual = {"9600", 'e', 7, NULL, false};

    *line = usual;
    if (text != NULL && text[0] != '\0' && take_list(line, text) == FIELDS) {
        return true;
    }
    *line = usual;
    return false;
}

static int report_field(enum field field, const char *word)
{
    static const char *const allowed[FIELDS] = {
        [FIELD_BAUD] = "a rate that lines have, such as 9600",
        [FIELD_PARITY] = "n, e, o, m or s",
        [FIELD_DATA] = "5, 6, 7 or 8",
        [FIELD_STOP] = "1, 1.5 or 2",
        [FIELD_RETRY] = "p or n, and is the last",
    };

    return report("mode: \"%s\": %s= takes %s", word, field_names[field], allowed[field]);
}

int mode_line_take(struct mode_line *line, const char *word)
{
    size_t name_len = strcspn(word, "=");

    if (word[name_len] == '\0') {
        enum field wrong = take_list(line, word);
        return wrong == FIELDS ? 0 : report_field(wrong, word);
    }
    for (int field = 0; field < FIELDS; field++) {
        const char *value = word + name_len + 1;
        if (strlen(field_names[field]) == name_len &&
            strncasecmp(field_names[field], word, name_len) == 0) {
            return value[0] != '\0' && take(line, (enum field)field, value, strlen(value))
                       ? 0
                       : report_field((enum field)field, word);
        }
    }
    return report("mode: \"%s\" is none of baud=, parity=, data=, stop= and retry=", word);
}

const char *mode_line_stop(const struct mode_line *line)
{
    if (line->stop != NULL) {
        return line->stop;
    }
    return strcmp(line->baud, "110") == 0 ? "2" : "1";
}

void mode_line_put(const struct mode_line *line, char text[MODE_LINE_SIZE])
{
    snprintf(text, MODE_LINE_SIZE, "%s,%c,%u,%s%s", line->baud, line->parity, line->data % 10,
             mode_line_stop(line), line->retry ? ",p" : "");
}

const char *mode_line_parity(const struct mode_line *line)
{
    static const char *const names[] = {"None", "Even", "Odd", "Mark", "Space"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (tolower((unsigned char)names[i][0]) == line->parity) {
            return names[i];
        }
    }
    return names[0];
}
