/*
 * verbs_rules.c - see verbs.h: the verbs for rules, and their table.
 */
#include "verbs.h"

#define RULED "HKLM\\Ruled\\Key"

static int judge(int status, bool right)
{
    return status != RS_OK || right ? status : VERB_WRONG;
}

/* The bytes of a list of ASCII strings, which end with a NUL each and are size bytes together. */
static size_t widen(const char *strings, size_t size, char *data)
{
    for (size_t i = 0; i <= size; i++) {
        data[2 * i] = '\0';
        data[2 * i + 1] = '\0';
        if (i < size) {
            data[2 * i] = strings[i];
        }
    }
    return 2 * (size + 1);
}

static const char size_rule[] = "type=REG_DWORD\0min=512\0max=65536\0enum=512\0enum=4356\0"
                                "default=4356\0unit=bytes\0text=How large\0source=Q161734";
static const char list_rule[] = "type=REG_MULTI_SZ\0max-count=2\0enum=A\0default=A\0text=Shares";

static const char slow_rule[] = "type=REG_DWORD\0warn-above=Size\0warning=too slow";

static int parse(const char *strings, size_t size, rs_rule **rule, rs_error *error)
{
    char data[2 * sizeof size_rule + 2];
    return rs_rule_parse("Value", data, widen(strings, size, data), rule, error);
}

static int parse_rule(struct verb_place *place)
{
    rs_rule *rule = NULL;
    int status = parse(size_rule, sizeof size_rule, &rule, &place->error);
    bool right = status == RS_OK && rule->choice_count == 2 && rule->has_default;
    rs_free(rule);
    return judge(status, right);
}

static int check_value(struct verb_place *place)
{
    rs_value wrong = {"Value", 5, REG_MULTI_SZ, "B\0\0\0\0", 6};
    rs_rule *rule = NULL;
    int status = parse(list_rule, sizeof list_rule, &rule, &place->error);
    if (status == RS_OK) {
        status = rs_rule_check(rule, &wrong, &place->error);
    }
    rs_free(rule);
    return status == RS_EREFUSED ? RS_OK : judge(status, false);
}

/* ---- In a store ---- */

static int set_rule(rs_txn *txn, rs_key key, const char *name, const char *strings, size_t size)
{
    char data[2 * sizeof size_rule + 2];
    return rs_value_set(txn, key, name, REG_MULTI_SZ, data, widen(strings, size, data));
}

int verb_add_rules(rs_txn *txn)
{
    rs_key rules, ruled;
    int status = rs_key_create(txn, RS_HKRS, "Rules\\HKLM\\Ruled\\*", &rules);
    status = status != RS_OK ? status : rs_key_create(txn, RS_NO_KEY, RULED, &ruled);
    if (status == RS_OK) {
        status = set_rule(txn, rules, "Size", size_rule, sizeof size_rule);
    }
    if (status == RS_OK) {
        status = set_rule(txn, rules, "Slow", slow_rule, sizeof slow_rule);
    }
    return status == RS_OK ? set_rule(txn, rules, "Shares", list_rule, sizeof list_rule) : status;
}

static int get_rule(struct verb_place *place)
{
    rs_rule rule = {0};
    int status = rs_rule_get(place->txn, RULED, "Size", &rule);
    return judge(status, rule.has_default && rule.key != NULL);
}

static int count_rule(void *context, const rs_rule *rule)
{
    (void)rule;
    ++*(int *)context;
    return 0;
}

static int list_rules(struct verb_place *place)
{
    int count = 0;
    int status = rs_rules(place->txn, RULED, RS_NTS, count_rule, &count);
    return judge(status, count == 3);
}

static int get_default(struct verb_place *place)
{
    uint32_t number = 0;
    int status = rs_get_dword(place->txn, place->key, "Size", &number);
    return judge(status, number == 4356);
}

static int count_violation(void *context, const rs_violation *violation)
{
    *(int *)context += violation->warning ? 100 : 1;
    return 0;
}

static int check_key(struct verb_place *place)
{
    uint64_t violations = 7;
    int count = 0;
    int status =
        rs_key_check(place->txn, RS_HKLM, RS_SUBTREE, count_violation, &count, &violations);
    return judge(status, count == 0 && violations == 0);
}

/* One violation, one warning, and a value that is allowed. */
static int change_ruled(struct verb_place *place)
{
    int status = rs_set_dword(place->txn, place->key, "Size", 7);
    status = status != RS_OK ? status : rs_set_dword(place->txn, place->key, "Slow", 5000);
    return status != RS_OK ? status : rs_multi_append(place->txn, place->key, "Shares", "A");
}

static int check_changes(struct verb_place *place)
{
    uint64_t violations = 7;
    int count = 0;
    int status = change_ruled(place);
    if (status == RS_OK) {
        status = rs_txn_check(place->txn, count_violation, &count, &violations);
    }
    return judge(status, count == 101 && violations == 1);
}

/* The commit is what can fail. */
static int set_ruled(struct verb_place *place)
{
    rs_key sub;
    int status = rs_set_dword(place->txn, place->key, "Size", 512);
    return status != RS_OK ? status
                           : rs_key_create(place->txn, RS_NO_KEY, "HKLM\\Ruled\\New", &sub);
}

/* The same: where a rule may stand is looked at by the commit. */
static int store_rule(struct verb_place *place)
{
    rs_key rules;
    int status = rs_key_create(place->txn, RS_HKRS, "Rules\\HKLM\\Ruled\\Stored", &rules);
    return status != RS_OK ? status
                           : set_rule(place->txn, rules, "Size", size_rule, sizeof size_rule);
}

static int check_forced(struct verb_place *place)
{
    int status = rs_txn_force(place->txn);
    return status != RS_OK ? status : check_changes(place);
}

static int force_change(struct verb_place *place)
{
    int status = rs_txn_force(place->txn);
    return status != RS_OK ? status : change_ruled(place);
}

const struct verb verb_rules[] = {
    {"rule-parse", 0, NULL, parse_rule},
    {"rule-check", 0, NULL, check_value},
    {"rule-get", VERB_READS, NULL, get_rule},
    {"rules", VERB_READS, NULL, list_rules},
    {"key-check", VERB_READS, NULL, check_key},
    {"txn-check", VERB_WRITES | VERB_MANY, RULED, check_forced},
    {"rule-store", VERB_WRITES | VERB_MANY, NULL, store_rule},
    {"set-ruled", VERB_WRITES | VERB_MANY, RULED, set_ruled},
    {"set-forced", VERB_WRITES | VERB_MANY, RULED, force_change},
    {"default", VERB_READS, RULED, get_default},

    {NULL, 0, NULL, NULL},
};
