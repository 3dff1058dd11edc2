/* printers - the printers of this computer, as the registry describes them; see printers.h. */
#include "printers.h"

#include "../common/character.h"

#include <stdlib.h>
#include <string.h>

static const char *const text_names[PRINTER_TEXTS] = {
    [PRINTER_NAME] = "Name",
    [PRINTER_SHARE] = "Share Name",
    [PRINTER_PORT] = "Port",
    [PRINTER_DRIVER] = "Printer Driver",
    [PRINTER_COMMENT] = "Description",
    [PRINTER_LOCATION] = "Location",
    [PRINTER_SEPARATOR] = "Separator File",
    [PRINTER_PROCESSOR] = "Print Processor",
    [PRINTER_DATATYPE] = "Datatype",
    [PRINTER_PARAMETERS] = "Parameters",
    [PRINTER_CREDENTIALS] = "CredentialsFile",
};

static const char *const number_names[PRINTER_NUMBERS] = {
    [PRINTER_ATTRIBUTES] = "Attributes",
    [PRINTER_PRIORITY] = "Priority",
    [PRINTER_DEFAULT_PRIORITY] = "Default Priority",
    [PRINTER_START_TIME] = "StartTime",
    [PRINTER_UNTIL_TIME] = "UntilTime",
    [PRINTER_STATUS] = "Status",
    [PRINTER_NULL_SESSION] = "NullSession",
};

/* What a key says, before it is kept. The texts belong to the transaction. */
struct reading {
    const char *key;
    const char *texts[PRINTER_TEXTS];
    uint32_t numbers[PRINTER_NUMBERS];
    bool has_attributes;
    const char *wrong; /* the value that is, NULL: its name */
    const char *why;   /* NULL: all is right */
};

/* What is wrong with a value is not a failure: it is told, and the printer is left out. */
static int judge(struct reading *reading, int status, const char *name, const char *type)
{
    if (status == RS_ETYPE || status == RS_EDATA) {
        reading->wrong = name;
        reading->why = type;
        return RS_OK;
    }
    return status == RS_ENOTFOUND ? RS_OK : status;
}

static int read_text(rs_txn *txn, rs_key key, struct reading *reading, size_t which)
{
    const char *text = "";
    int status = rs_get_string(txn, key, text_names[which], &text);
    reading->texts[which] = text;
    size_t most = which == PRINTER_SHARE ? PRINTER_SHARE_MAX : PRINTER_TEXT_MAX;
    if (status == RS_OK && strlen(text) > most) {
        reading->wrong = text_names[which];
        reading->why = "is too long";
    }
    return judge(reading, status, text_names[which], "is no text");
}

static int read_number(rs_txn *txn, rs_key key, struct reading *reading, size_t which)
{
    int status = rs_get_dword(txn, key, number_names[which], &reading->numbers[which]);
    reading->has_attributes |= which == PRINTER_ATTRIBUTES && status == RS_OK;
    return judge(reading, status, number_names[which], "is no REG_DWORD");
}

/* A share name is one name of a UNC path, and the description of a printer joins it with commas. */
static void judge_share(struct reading *reading)
{
    const char *share = reading->texts[PRINTER_SHARE];
    if (reading->wrong != NULL || strpbrk(share, "\\/,\"<>|:*?") == NULL) {
        return;
    }
    reading->wrong = text_names[PRINTER_SHARE];
    reading->why = "has a character that no share's name has";
}

/* It is a queue's name, which is written into files and lines, and compared as a whole. */
static const char *name_problem(const char *name, size_t left)
{
    if (left > PRINTER_TEXT_MAX) {
        return "its name is too long";
    }
    while (left > 0) {
        size_t size = character_size(name, left);
        if (size == 0 || character_is_control(name, size)) {
            return size == 0 ? "its name is no UTF-8" : "its name has a control character";
        }
        name += size;
        left -= size;
    }
    return NULL;
}

static void judge_name(const rs_key_info *info, struct reading *reading)
{
    const char *why = name_problem(info->name, info->name_len);
    if (why != NULL) {
        reading->wrong = NULL;
        reading->why = why;
    }
}

static int read_key(rs_txn *txn, const rs_key_info *info, struct reading *reading)
{
    int status = RS_OK;
    *reading = (struct reading){.key = info->name};
    for (size_t i = 0; i < PRINTER_TEXTS && status == RS_OK; i++) {
        status = read_text(txn, info->key, reading, i);
    }
    for (size_t i = 0; i < PRINTER_NUMBERS && status == RS_OK; i++) {
        status = read_number(txn, info->key, reading, i);
    }
    if (status == RS_OK && reading->texts[PRINTER_NAME][0] == '\0') {
        reading->texts[PRINTER_NAME] = info->name;
    }
    if (status == RS_OK) {
        judge_share(reading);
        judge_name(info, reading);
    }
    return status;
}

/* Copies a text to *at, which goes on behind it. */
static const char *put(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*at, text, size);
    *at += size;
    return copy;
}

/* One block, so that a printer is released at once. */
static struct printer *keep(const struct reading *reading)
{
    size_t size = strlen(reading->key) + 1;
    for (size_t i = 0; i < PRINTER_TEXTS; i++) {
        size += strlen(reading->texts[i]) + 1;
    }
    struct printer *printer = malloc(sizeof(*printer) + size);
    if (printer == NULL) {
        return NULL;
    }
    char *at = printer->kept;
    printer->key = put(&at, reading->key);
    for (size_t i = 0; i < PRINTER_TEXTS; i++) {
        printer->texts[i] = put(&at, reading->texts[i]);
    }
    memcpy(printer->numbers, reading->numbers, sizeof(printer->numbers));
    printer->paused = (printer->numbers[PRINTER_STATUS] & PRINTER_STATUS_PAUSED) != 0;
    printer->null_session = printer->numbers[PRINTER_NULL_SESSION] != 0;
    printer->shared = reading->texts[PRINTER_SHARE][0] != '\0' &&
                      (!reading->has_attributes ||
                       (reading->numbers[PRINTER_ATTRIBUTES] & PRINTER_ATTRIBUTE_SHARED) != 0);
    if (printer->shared) {
        printer->numbers[PRINTER_ATTRIBUTES] |= PRINTER_ATTRIBUTE_SHARED;
    } else {
        printer->numbers[PRINTER_ATTRIBUTES] &= ~PRINTER_ATTRIBUTE_SHARED;
    }
    return printer;
}

static int add(rs_txn *txn, const rs_key_info *info, struct line *problems,
               struct printers *printers)
{
    struct reading reading;
    int status = read_key(txn, info, &reading);
    if (status != RS_OK) {
        return status;
    }
    if (reading.why != NULL) {
        line_separate(problems, 0, "; ");
        line_add(problems, "printer ");
        line_add_quoted(problems, info->name);
        line_add(problems, " is left out: ");
        if (reading.wrong != NULL) {
            line_add(problems, "\"%s\" ", reading.wrong);
        }
        line_add(problems, "%s", reading.why);
        return RS_OK;
    }
    struct printer *printer = keep(&reading);
    if (printer == NULL) {
        return RS_ENOMEM;
    }
    printers->rows[printers->count++] = printer;
    return RS_OK;
}

static int add_all(rs_txn *txn, rs_key key, struct line *problems, struct printers *printers)
{
    rs_cursor *cursor;
    rs_key_info info;
    int status = rs_subkeys(txn, key, &cursor);
    if (status != RS_OK) {
        return status;
    }
    while ((status = rs_next_key(cursor, &info)) == RS_OK) {
        if (printers->count == PRINTERS_MAX) {
            line_separate(problems, 0, "; ");
            line_add(problems, "there are more than %d printers: those from ", PRINTERS_MAX);
            line_add_quoted(problems, info.name);
            line_add(problems, " on are left out");
            status = RS_END;
            break;
        }
        status = add(txn, &info, problems, printers);
        if (status != RS_OK) {
            break;
        }
    }
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

int printers_load(rs_txn *txn, const char *path, struct line *problems, struct printers **printers)
{
    rs_key key;
    struct printers *read = calloc(1, sizeof(*read));
    if (read == NULL) {
        return RS_ENOMEM;
    }
    int status = rs_key_open(txn, RS_NO_KEY, path, &key);
    if (status == RS_OK) {
        status = add_all(txn, key, problems, read);
    } else if (status == RS_ENOTFOUND) {
        status = RS_OK;
    }
    if (status != RS_OK) {
        printers_free(read);
        return status;
    }
    *printers = read;
    return RS_OK;
}

void printers_free(struct printers *printers)
{
    if (printers != NULL) {
        for (size_t i = 0; i < printers->count; i++) {
            free(printers->rows[i]);
        }
        free(printers);
    }
}

static int compare_key(const void *name, const void *row)
{
    const struct printer *const *printer = row;
    return rs_name_compare(name, RS_NTS, (*printer)->key, RS_NTS);
}

static bool is_called(const char *its, const char *name)
{
    return its[0] != '\0' && rs_name_compare(its, RS_NTS, name, RS_NTS) == 0;
}

const struct printer *printers_find(const struct printers *printers, const char *name)
{
    struct printer *const *by_key =
        bsearch(name, printers->rows, printers->count, sizeof(printers->rows[0]), compare_key);
    if (by_key != NULL) {
        return *by_key;
    }
    const struct printer *by_share = NULL;
    for (size_t i = 0; i < printers->count; i++) {
        const struct printer *printer = printers->rows[i];
        if (is_called(printer->texts[PRINTER_NAME], name)) {
            return printer;
        }
        if (by_share == NULL && is_called(printer->texts[PRINTER_SHARE], name)) {
            by_share = printer;
        }
    }
    return by_share;
}
