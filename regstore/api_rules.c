/*
 * api_rules.c - the public calls for rules.
 *
 * Arguments are checked and handed over, nothing else. Needs everything, as api.c does.
 */
#include "api.h"
#include "schema.h"

int rs_rule_parse(const char *name, const void *data, size_t size, rs_rule **rule, rs_error *error)
{
    struct arena arena = ARENA_INIT;
    rs_rule parsed;
    if (name == NULL || (data == NULL && size > 0) || rule == NULL) {
        return fail(error, RS_EINVAL, "invalid argument");
    }
    int status = schema_parse(&arena, name, strlen(name), data, size, &parsed, error);
    if (status == RS_OK) {
        status = schema_pack(&parsed, rule);
    }
    arena_free(&arena);
    return status == RS_OK ? RS_OK : fail(error, status, "%s", rs_strerror(status));
}

int rs_rule_check(const rs_rule *rule, const rs_value *value, rs_error *why)
{
    if (rule == NULL || (value != NULL && value->data == NULL && value->size > 0)) {
        return fail(why, RS_EINVAL, "invalid argument");
    }
    return schema_judge(rule, value, why);
}
