/*
 * schema.h - rules: what is known about a value, and whether a value is as its rule says.
 *
 * Gives the rule that a REG_MULTI_SZ means, a value's judgement by it, the rules of a key, and the
 * judgement of what a transaction has changed or of what is stored. Rules lie in the tree, below
 * HKRS\Rules, and are read from it in the same transaction as the values; regstore.h says what
 * their fields are and which of several fits. Needs value, path, tree, journal.
 */
#ifndef REGSTORE_SCHEMA_H
#define REGSTORE_SCHEMA_H

#include "journal.h"
#include "tree.h"
#include "value.h"

/* ---- One rule (schema_rule.c, schema_judge.c) ---- */

/* Strings that a rule has at most: what a hostile one costs is bounded so. */
#define SCHEMA_MAX_FIELDS ((size_t)1024)

/* The rule of a value by that name, with its memory from the arena and key "". RS_ERULE, described.
 */
int schema_parse(struct arena *arena, const char *name, size_t len, const void *data, size_t size,
                 rs_rule *rule, rs_error *error);
/* A copy of a rule in one block, to be released with free(). */
int schema_pack(const rs_rule *rule, rs_rule **packed);

/* RS_EREFUSED, with what was given and what the rule says in *why. value is NULL for one that is
 * not set. */
int schema_judge(const rs_rule *rule, const rs_value *value, rs_error *why);
/* The number that data of a number type means; false for other types and wrong sizes. */
bool schema_number(uint32_t type, const void *data, size_t size, uint64_t *number);
/* Decimal, or 0x and hexadecimal; up to max. */
bool schema_parse_number(const char *text, uint64_t max, uint64_t *number);
/* The most that a number of a type can be; 0 for a type that is none. */
uint64_t schema_highest(uint32_t type);

/* ---- The rules of a key (schema.c) ---- */

/* The rule keys of the keys that were asked for last, of one snapshot; belongs to a transaction. */
struct schema_cache;
void schema_cache_free(struct schema_cache *cache);
/* After the commit of the transaction that had it: what it holds counts for the next one, too, if
 * that one begins where this one ended, and the rules are as they were. */
void schema_cache_carry(struct schema_cache *cache, const struct tree *tree, uint64_t committed);

/* The rules that a transaction sees, for as long as nothing is changed. From begin to end the tree
 * describes no failures. */
struct found_rule;
struct schema {
    struct tree *tree;
    rs_error *error; /* the tree's own, which it has again after the end */
    struct schema_cache *cache;
    struct found_rule **found; /* the cache's rules that were read already */
    rs_key rules;              /* HKRS\Rules; RS_NO_KEY: there are none */
};
/* *cache is made when it is first needed. */
int schema_begin(struct schema *schema, struct tree *tree, struct schema_cache **cache);
void schema_end(struct schema *schema);

/* The keys below HKRS\Rules that hold rules of a key, the one that decides first. Starts as {0}. */
struct schema_set {
    rs_key *keys;
    size_t count;
    size_t capacity;
    bool inside; /* the key is HKRS\Rules or lies in it, so that its values are rules */
};
void schema_set_free(struct schema_set *set);
int schema_set_of(struct schema *schema, rs_key key, struct schema_set *set);
/* That of a subkey, of which the name is enough; key may be RS_NO_KEY. */
int schema_set_below(struct schema *schema, const struct schema_set *above, rs_key key,
                     const char *name, size_t len, struct schema_set *set);
/* That of a path with its root, of which nothing has to exist. */
int schema_set_at(struct schema *schema, const char *path, size_t len, struct schema_set *set);

/* The rule of a value, in the memory of the tree's arena, without its key, and the key that it is
 * in. RS_ENOTFOUND; RS_ERULE, with the reason in *why. */
int schema_find(struct schema *schema, const struct schema_set *set, const char *name, size_t len,
                rs_rule *rule, rs_key *at, rs_error *why);
/* The same, read once for all values of that name; the rule lives until the next call. */
int schema_find_again(struct schema *schema, const struct schema_set *set, const char *name,
                      size_t len, rs_rule *rule, rs_key *at);
void schema_forget_found(struct found_rule *found);
/* The rule that a stored value means. */
int schema_read(struct schema *schema, const rs_value *stored, rs_rule *rule, rs_error *why);
/* Completes a rule that was found with the path of its key. */
int schema_place(struct schema *schema, rs_key at, rs_rule *rule);
/* The names of all values that have a rule there, in order, each once; from the tree's arena. */
int schema_names(struct schema *schema, const struct schema_set *set, const rs_text **names,
                 size_t *count);
/* The default that a rule gives a value of a stored key. RS_ENOTFOUND if there is none. */
int schema_default(struct schema *schema, rs_key key, const char *name, size_t len,
                   rs_value *value);

/* ---- Judging what is stored (schema_check.c, schema_walk.c) ---- */

struct schema_check {
    /* NULL, or called for each violation and, if they are wanted, each warning; once for a value.
     * Another answer than 0 ends the check and is returned. */
    int (*each)(void *context, const rs_violation *violation);
    void *context;
    bool warnings;
    uint64_t violations; /* found, without warnings */
};
/* Changes of a transaction that are not judged: by their numbers, from first up to end, in the
 * order they were told. Starts as {0}. */
struct schema_exempt {
    struct schema_span {
        uint64_t first;
        uint64_t end;
    } * spans;
    size_t count;
};
/* Adds those behind all that were added before. */
int schema_exempt_add(struct schema_exempt *exempt, uint64_t first, uint64_t end);
void schema_exempt_free(struct schema_exempt *exempt);

/* What a write transaction has changed so far, as it is now: values that were set or deleted, and
 * all of keys that were made or have another name. The journal tells what was changed, and does so
 * whether or not there was a rule for it then: a transaction that brings rules along is judged by
 * them. */
int schema_check_changes(struct schema *schema, const struct journal *journal,
                         const struct schema_exempt *exempt, struct schema_check *check);
int schema_check_key(struct schema *schema, rs_key key, bool subtree, struct schema_check *check);

/* What both do with one value; between judge_begin() and judge_end() the tree has another arena. */
struct judge {
    struct schema *schema;
    struct schema_check *check;
    struct arena *outer; /* the tree's own arena */
    struct arena arena;  /* of one value */
    struct arena names;  /* of one key */
    struct buffer path;
    struct judged *rows; /* the values that were told */
    uint32_t count;
    uint32_t capacity;
    uint32_t *heads; /* as many as there is room for rows */
};
void judge_begin(struct judge *judge, struct schema *schema, struct schema_check *check);
void judge_end(struct judge *judge);
/* A value of a key, be it set or not. */
int judge_value(struct judge *judge, rs_key key, const struct schema_set *set, const char *name,
                size_t len);
/* The same for what a change has set it to: if that is good nothing is looked up, as whatever set
 * it later is a change of its own. */
int judge_set(struct judge *judge, rs_key key, const struct schema_set *set,
              const struct change_side *after);
/* Each value that has a rule, and each that is one. */
int judge_key(struct judge *judge, rs_key key, const struct schema_set *set);

#endif
