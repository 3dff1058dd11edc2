/* shares - the file server's shares, as NT keeps them; see shares.h. */
#include "shares.h"

#include "conf_text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TYPE_DIRECTORY, TYPE_PRINTER, TYPE_PIPES = 3 };
#define TYPE_MASK 0x3fffffffu /* the other two bits say special and temporary */
#define MAY_WRITE 2u

/* ---- One share ------------------------------------------------------------------------------- */

/* The text behind KEY= in the first string that has it; NULL if none has. */
static const char *find(const char *const *strings, const char *key)
{
    size_t size = strlen(key);
    for (; *strings != NULL; strings++) {
        if (strncasecmp(*strings, key, size) == 0 && (*strings)[size] == '=') {
            return *strings + size + 1;
        }
    }
    return NULL;
}

/* Says why the share cannot be one of Samba's, if there is a reason, and where that is. */
static void blame(struct share *share, const char *where, const char *problem)
{
    if (share->problem == NULL && problem != NULL) {
        share->problem = problem;
        share->where = where;
    }
}

static void read_number(struct share *share, const char *const *strings, const char *key,
                        uint32_t *number)
{
    const char *text = find(strings, key);
    char *end;
    if (text == NULL) {
        return;
    }
    unsigned long long given = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || given > UINT32_MAX) {
        blame(share, key, "it is no number of 32 bits");
        return;
    }
    *number = (uint32_t)given;
}

static void check_name(struct share *share, const char *again)
{
    blame(share, "name", conf_name_problem(share->name));
    if (again != NULL &&
        rs_name_compare(again, strlen(again), share->name, strlen(share->name)) != 0) {
        blame(share, "ShareName", "it is another name");
    }
}

/* A name has to be kept to the letter. */
static const char *printer_problem(const char *printer, size_t size)
{
    char name[CONF_TEXT_MAX + 1];
    char plain[CONF_TEXT_MAX + 1];
    if (size == 0 || size > CONF_TEXT_MAX) {
        return "it names no printer";
    }
    memcpy(name, printer, size);
    name[size] = '\0';
    const char *problem = conf_plain_text(name, plain);
    return problem == NULL && strcmp(name, plain) != 0 ? "it has loose blanks" : problem;
}

/* A printer's name stands before the comma. A path tells where its jobs go, and it has the share's
 * name. */
static void read_printer(struct share *share, const char *path)
{
    bool is_path = path[0] == '/';
    share->path = is_path ? path : NULL;
    share->printer = is_path ? share->name : path;
    share->printer_size = is_path ? strlen(share->name) : strcspn(path, ",");
    blame(share, "Path",
          is_path ? conf_path_problem(path) : printer_problem(path, share->printer_size));
}

static void read_place(struct share *share, uint32_t type, const char *path)
{
    if (type != TYPE_DIRECTORY && type != TYPE_PRINTER) {
        blame(share, "Type",
              type == TYPE_PIPES ? "Samba has its pipes by itself" : "it is neither 0 nor 1");
    } else if (path == NULL || path[0] == '\0') {
        blame(share, "Path", "there is none");
    } else if (type == TYPE_PRINTER) {
        read_printer(share, path);
    } else {
        share->path = path;
        blame(share, "Path", conf_path_problem(path));
    }
}

void share_read(const char *name, const char *const *strings, struct share *share)
{
    uint32_t type = 0;
    uint32_t permissions = 0;
    uint32_t caching = 0;
    const char *remark = find(strings, "Remark");
    *share = (struct share){.name = name, .max_uses = SHARES_UNLIMITED, .where = ""};
    check_name(share, find(strings, "ShareName"));
    read_number(share, strings, "Type", &type);
    read_number(share, strings, "Permissions", &permissions);
    read_number(share, strings, "MaxUses", &share->max_uses);
    read_number(share, strings, "CSCFlags", &caching);
    share->remark = remark != NULL ? remark : "";
    share->writable = (permissions & MAY_WRITE) != 0;
    share->caching = caching >> 4 & 3;
    read_place(share, type & TYPE_MASK, find(strings, "Path"));
}

/* ---- All of them ----------------------------------------------------------------------------- */

static struct share *add(struct shares *shares)
{
    if ((shares->count & (shares->count - 1)) == 0) {
        size_t capacity = shares->count == 0 ? 1 : shares->count * 2;
        struct share *list = realloc(shares->list, capacity * sizeof(*list));
        if (list == NULL) {
            return NULL;
        }
        shares->list = list;
    }
    return &shares->list[shares->count++];
}

/* A cursor's texts live until its next step. */
static int take_share(struct shares *shares, const rs_value *value, const char *const *strings)
{
    struct share *share = add(shares);
    char *name = share != NULL ? strndup(value->name, value->name_len) : NULL;
    if (name == NULL) {
        shares->count -= share != NULL;
        return RS_ENOMEM;
    }
    if (strings != NULL) {
        share_read(name, strings, share);
    } else {
        *share = (struct share){.name = name};
        blame(share, "value", "it is no REG_MULTI_SZ");
    }
    if (strlen(name) != value->name_len) {
        blame(share, "name", "it has a control character");
    }
    share->kept = name;
    return RS_OK;
}

static int load_share(rs_txn *txn, rs_key key, const rs_value *value, struct shares *shares)
{
    const char *const *strings = NULL;
    size_t count;
    int status = rs_get_multi_n(txn, key, value->name, value->name_len, &strings, &count);
    if (status == RS_OK || status == RS_ETYPE || status == RS_EDATA) {
        status = take_share(shares, value, status == RS_OK ? strings : NULL);
    }
    return status;
}

static int load_values(rs_txn *txn, rs_key key, struct shares *shares)
{
    rs_cursor *cursor;
    rs_value value;
    int status = rs_values(txn, key, &cursor);
    if (status != RS_OK) {
        return status;
    }
    while ((status = rs_next_value(cursor, &value)) == RS_OK) {
        if ((status = load_share(txn, key, &value, shares)) != RS_OK) {
            break;
        }
    }
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

static int find_guards(rs_txn *txn, rs_key key, struct shares *shares)
{
    rs_key security;
    rs_value value;
    int status = rs_key_open(txn, key, "Security", &security);
    for (size_t i = 0; status == RS_OK && i < shares->count; i++) {
        status = rs_value_get(txn, security, shares->list[i].name, &value);
        shares->list[i].guarded = status == RS_OK;
        status = status == RS_ENOTFOUND ? RS_OK : status;
    }
    return status == RS_ENOTFOUND ? RS_OK : status;
}

static int compare_names(const void *a, const void *b)
{
    const struct share *first = a;
    const struct share *second = b;
    return rs_name_compare(first->name, strlen(first->name), second->name, strlen(second->name));
}

int shares_load(rs_txn *txn, struct shares *shares)
{
    struct shares loaded = {NULL, 0};
    rs_key key;
    int status = rs_key_open(txn, RS_NO_KEY, SHARES_KEY, &key);
    if (status == RS_OK) {
        status = load_values(txn, key, &loaded);
    }
    if (status == RS_OK) {
        status = find_guards(txn, key, &loaded);
    }
    if (status != RS_OK && status != RS_ENOTFOUND) {
        shares_free(&loaded);
        return status;
    }
    if (loaded.count > 0) {
        qsort(loaded.list, loaded.count, sizeof(*loaded.list), compare_names);
    }
    *shares = loaded;
    return RS_OK;
}

void shares_free(struct shares *shares)
{
    for (size_t i = 0; i < shares->count; i++) {
        free(shares->list[i].kept);
    }
    free(shares->list);
    *shares = (struct shares){NULL, 0};
}
