/* Which keys a rule key speaks of. */
#include "rule_reach.h"

#include <stdbool.h>
#include <string.h>

#include <regstore.h>

/* The names of a path that are left. */
struct names_left {
    const char *at;
    const char *end;
};

static bool take(struct names_left *names, const char **name, size_t *len)
{
    const char *separator;

    if (names->at == names->end) {
        return false;
    }
    separator = memchr(names->at, '\\', (size_t)(names->end - names->at));
    *name = names->at;
    *len = (size_t)((separator != NULL ? separator : names->end) - names->at);
    names->at = separator != NULL ? separator + 1 : names->end;
    return true;
}

static bool is_name(const char *name, size_t len, const char *text)
{
    return rs_name_compare(name, len, text, strlen(text)) == 0;
}

static bool is_control_set(const char *name, size_t len)
{
    static const char head[] = "ControlSet";
    size_t at = sizeof(head) - 1;

    if (len != at + 3 || rs_name_compare(name, at, head, at) != 0) {
        return false;
    }
    while (at < len && name[at] >= '0' && name[at] <= '9') {
        at++;
    }
    return at == len;
}

static bool stands_for(const char *rule, size_t rule_len, const char *name, size_t len)
{
    return rs_name_compare(rule, rule_len, name, len) == 0 || is_name(rule, rule_len, "*") ||
           (is_name(rule, rule_len, "CurrentControlSet") && is_control_set(name, len));
}

enum keypath_relation rule_reach(const char *path, size_t len, const char *key, size_t key_len)
{
    static const char *const above[] = {"HKEY_REGSTORE", "Rules"};
    struct names_left rule = {path, path + len};
    struct names_left wanted = {key, key + key_len};
    const char *name;
    const char *own;
    size_t name_len;
    size_t own_len;

    for (size_t i = 0; i < sizeof(above) / sizeof(above[0]); i++) {
        if (!take(&rule, &name, &name_len)) {
            return KEYPATH_ABOVE;
        }
        if (!is_name(name, name_len, above[i])) {
            return KEYPATH_APART;
        }
    }
    for (bool root = true; take(&rule, &name, &name_len); root = false) {
        if (!take(&wanted, &own, &own_len)) {
            return KEYPATH_BELOW;
        }
        if (root ? !keypath_same_root(name, name_len, own, own_len)
                 : !stands_for(name, name_len, own, own_len)) {
            return KEYPATH_APART;
        }
    }
    return wanted.at == wanted.end ? KEYPATH_SAME : KEYPATH_ABOVE;
}
