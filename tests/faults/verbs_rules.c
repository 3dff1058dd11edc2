/*
 * verbs_rules.c - see verbs.h: the verbs for rules, and their table.
 */
#include "verbs.h"

#include <stdio.h>
#include <string.h>

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

const struct verb verb_rules[] = {
    {"rule-parse", 0, NULL, parse_rule},
    {"rule-check", 0, NULL, check_value},

    {NULL, 0, NULL, NULL},
};
