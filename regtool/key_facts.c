/* What is known about the values of a key. */
#include "key_facts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int add_name(void *context, const rs_rule *rule)
{
    return names_add(context, rule->name, rule->name_len);
}

static int read_facts(struct session *session, const char *path, const struct names *names,
                      struct key_facts *known)
{
    int status = RS_OK;

    known->facts = calloc(names->count + 1, sizeof(*known->facts));
    if (known->facts == NULL) {
        return RS_ENOMEM;
    }
    while (status == RS_OK && known->count < names->count) {
        const struct name *name = &names->each[known->count];
        status = value_facts_read(session, path, known->key, name->text, name->len,
                                  &known->facts[known->count++]);
    }
    if (status == RS_OK && known->key != RS_NO_KEY) {
        status = value_facts_history(session, known->key, known->facts, known->count);
    }
    return status;
}

static bool is_described(const struct key_facts *known, const rs_value *value)
{
    for (size_t i = 0; i < known->count; i++) {
        const struct value_facts *facts = &known->facts[i];
        if (rs_name_compare(facts->name, facts->name_len, value->name, value->name_len) == 0) {
            return true;
        }
    }
    return false;
}

static int find_others(rs_txn *txn, struct key_facts *known)
{
    rs_cursor *cursor;
    rs_value value;
    int status = rs_values(txn, known->key, &cursor);

    if (status != RS_OK) {
        return status;
    }
    while ((status = rs_next_value(cursor, &value)) == RS_OK) {
        if (!is_described(known, &value)) {
            status = names_add(&known->others, value.name, value.name_len);
        }
        if (status != RS_OK) {
            break;
        }
    }
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

int key_facts_read(struct session *session, const char *path, rs_key key, const char *name,
                   struct key_facts *known)
{
    struct names names = {.each = NULL};
    int status;

    *known = (struct key_facts){.key = key};
    status = name != NULL ? names_add(&names, name, strlen(name))
                          : rs_rules(session->txn, path, RS_NTS, add_name, &names);
    if (status == RS_OK) {
        status = read_facts(session, path, &names, known);
    }
    if (status == RS_OK && name == NULL && key != RS_NO_KEY) {
        status = find_others(session->txn, known);
    }
    names_free(&names);
    return status;
}

void key_facts_free(struct key_facts *known)
{
    for (size_t i = 0; i < known->count; i++) {
        value_facts_free(&known->facts[i]);
    }
    free(known->facts);
    names_free(&known->others);
    *known = (struct key_facts){.key = RS_NO_KEY};
}
