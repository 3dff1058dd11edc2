/*
 * schema_rule.c - the strings of a rule become the rule.
 *
 * Each field has a row in one table, with the function that takes its text. The type is looked for
 * first, as it says what the others may be. What does not hold together is refused here, so that
 * nobody meets it later: a range without a number, a default that the rule itself refuses.
 */
#include "schema.h"

#include <stdio.h>
#include <stdlib.h>

struct draft {
    struct arena *arena;
    rs_error *error;
    rs_rule *rule;
    rs_text *choices; /* room for as many as the rule has strings */
    const char **defaults;
    size_t default_count;
};

struct field {
    const char *name;
    bool repeatable;
    int (*take)(struct draft *draft, const char *text);
};

/* Says which rule it is; gives RS_ERULE. */
static int RS_PRINTF(2, 3) broken(const struct draft *draft, const char *format, ...)
{
    const struct value_quoted name = value_quote(draft->rule->name, draft->rule->name_len);
    char reason[RS_ERROR_TEXT_MAX];
    va_list args;

    va_start(args, format);
    if (vsnprintf(reason, sizeof reason, format, args) < 0) {
        reason[0] = '\0';
    }
    va_end(args);
    return fail(draft->error, RS_ERULE, "the rule of \"%.*s%s\": %s", name.len, draft->rule->name,
                name.dots, reason);
}

/* A field's text that is not what it can be. */
static int refuse(const struct draft *draft, const char *field, const char *text, const char *why)
{
    const struct value_quoted quoted = value_quote(text, strlen(text));

    return broken(draft, "%s=%.*s%s: %s", field, quoted.len, text, quoted.dots, why);
}

/* ---- What fits which type ---- */

static bool is_number(const struct draft *draft)
{
    return schema_highest(draft->rule->type) > 0;
}

static bool is_text(const struct draft *draft)
{
    return value_is_string(draft->rule->type) || draft->rule->type == REG_MULTI_SZ;
}

static int not_of_type(const struct draft *draft, const char *field)
{
    const char *type = rs_type_name(draft->rule->type);

    return broken(draft, "%s does not fit a %s", field,
                  type != NULL ? type : "type without a name");
}

/* ---- Fields ---- */

static int take_type(struct draft *draft, const char *text)
{
    (void)draft;
    (void)text; /* it was looked for before all others */
    return RS_OK;
}

static int take_bound(struct draft *draft, const char *field, const char *text, uint64_t *bound,
                      int *has)
{
    const uint64_t highest = schema_highest(draft->rule->type);

    if (!is_number(draft)) {
        return not_of_type(draft, field);
    }
    if (!schema_parse_number(text, highest, bound)) {
        return refuse(draft, field, text, "no number that the type holds");
    }
    *has = 1;
    return RS_OK;
}

static int take_min(struct draft *draft, const char *text)
{
    return take_bound(draft, "min", text, &draft->rule->min, &draft->rule->has_min);
}

static int take_max(struct draft *draft, const char *text)
{
    return take_bound(draft, "max", text, &draft->rule->max, &draft->rule->has_max);
}

static int take_choice(struct draft *draft, const char *text)
{
    uint64_t number;

    if (is_number(draft) &&
        !schema_parse_number(text, schema_highest(draft->rule->type), &number)) {
        return refuse(draft, "enum", text, "no number that the type holds");
    }
    if (!is_number(draft) && !is_text(draft)) {
        return not_of_type(draft, "enum");
    }
    draft->choices[draft->rule->choice_count++] = (rs_text){text, strlen(text)};
    return RS_OK;
}

static int take_limit(struct draft *draft, const char *field, const char *text, uint64_t *limit)
{
    if (!schema_parse_number(text, UINT64_MAX, limit) || *limit == 0) {
        return refuse(draft, field, text, "no number above 0");
    }
    return RS_OK;
}

static int take_max_length(struct draft *draft, const char *text)
{
    return is_number(draft) ? not_of_type(draft, "max-length")
                            : take_limit(draft, "max-length", text, &draft->rule->max_length);
}

static int take_max_count(struct draft *draft, const char *text)
{
    return draft->rule->type != REG_MULTI_SZ
               ? not_of_type(draft, "max-count")
               : take_limit(draft, "max-count", text, &draft->rule->max_count);
}

static int take_required(struct draft *draft, const char *text)
{
    draft->rule->required = 1;
    return strcmp(text, "yes") == 0 ? RS_OK
                                    : refuse(draft, "required", text, "yes is all it takes");
}

static int take_default(struct draft *draft, const char *text)
{
    if (draft->default_count > 0 && draft->rule->type != REG_MULTI_SZ) {
        return broken(draft, "more than one default");
    }
    draft->defaults[draft->default_count++] = text;
    return RS_OK;
}

static int take_unit(struct draft *draft, const char *text)
{
    draft->rule->unit = text;
    return RS_OK;
}

static int take_text(struct draft *draft, const char *text)
{
    draft->rule->text = text;
    return RS_OK;
}

static int take_source(struct draft *draft, const char *text)
{
    draft->rule->source = text;
    return RS_OK;
}

static int take_applies(struct draft *draft, const char *text)
{
    static const char *const names[] = {[RS_APPLIES_LIVE] = "live",
                                        [RS_APPLIES_RELOAD] = "reload",
                                        [RS_APPLIES_RESTART] = "restart"};

    for (unsigned i = RS_APPLIES_LIVE; i <= RS_APPLIES_RESTART; i++) {
        if (strcmp(text, names[i]) == 0) {
            draft->rule->applies = (enum rs_applies)i;
            return RS_OK;
        }
    }
    return refuse(draft, "applies", text, "live, reload and restart are all it takes");
}

static int take_warn_above(struct draft *draft, const char *text)
{
    const rs_rule *rule = draft->rule;

    draft->rule->warn_above = text;
    if (!is_number(draft)) {
        return not_of_type(draft, "warn-above");
    }
    return *text != '\0' && text_compare(text, strlen(text), rule->name, rule->name_len) != 0
               ? RS_OK
               : refuse(draft, "warn-above", text, "names no other value");
}

static int take_warning(struct draft *draft, const char *text)
{
    draft->rule->warning = text;
    return RS_OK;
}

static const struct field fields[] = {
    {"type", false, take_type},
    {"min", false, take_min},
    {"max", false, take_max},
    {"enum", true, take_choice},
    {"max-length", false, take_max_length},
    {"max-count", false, take_max_count},
    {"required", false, take_required},
    {"default", true, take_default},
    {"unit", false, take_unit},
    {"text", false, take_text},
    {"source", false, take_source},
    {"applies", false, take_applies},
    {"warn-above", false, take_warn_above},
    {"warning", false, take_warning},
};
#define FIELDS (sizeof fields / sizeof *fields)

/* ---- All fields ---- */

/* The row of the field that a string is of, and its text; FIELDS if there is none. */
static size_t find_field(const char *string, const char **text)
{
    const char *equals = strchr(string, '=');
    const size_t len = equals != NULL ? (size_t)(equals - string) : 0;
    size_t i = 0;

    while (i < FIELDS && !(strlen(fields[i].name) == len && equals != NULL &&
                           memcmp(fields[i].name, string, len) == 0)) {
        i++;
    }
    *text = equals != NULL ? equals + 1 : string;
    return i;
}

static int no_field(const struct draft *draft, const char *string)
{
    const struct value_quoted quoted = value_quote(string, strlen(string));

    return broken(draft, "\"%.*s%s\" is no field of a rule", quoted.len, string, quoted.dots);
}

/* Where there is none, a field that is misspelt is told first: it may be this one. */
static int find_type(struct draft *draft, const char *const *strings, size_t count)
{
    const char *text;

    for (size_t i = 0; i < count; i++) {
        if (find_field(strings[i], &text) != 0) {
            continue;
        }
        return rs_type_parse(text, &draft->rule->type) == RS_OK
                   ? RS_OK
                   : refuse(draft, "type", text, "no type of values");
    }
    for (size_t i = 0; i < count; i++) {
        if (*strings[i] != '\0' && find_field(strings[i], &text) == FIELDS) {
            return no_field(draft, strings[i]);
        }
    }
    return broken(draft, "no type= in it");
}

static int take_fields(struct draft *draft, const char *const *strings, size_t count)
{
    bool seen[FIELDS] = {false};
    int status = RS_OK;

    for (size_t i = 0; status == RS_OK && i < count; i++) {
        const char *text;
        const size_t row = find_field(strings[i], &text);

        if (row == FIELDS) {
            return no_field(draft, strings[i]);
        }
        if (seen[row] && !fields[row].repeatable) {
            return broken(draft, "%s= is in it twice", fields[row].name);
        }
        seen[row] = true;
        status = fields[row].take(draft, text);
    }
    return status;
}

/* ---- The default value ---- */

static int encode_default(struct draft *draft, struct buffer *data)
{
    const uint32_t type = draft->rule->type;
    const char *text = draft->defaults[0];
    uint64_t number;
    void *parsed;
    size_t size;
    int status;

    if (type == REG_MULTI_SZ) {
        const bool empty = draft->default_count == 1 && *text == '\0';
        return value_from_list(data, draft->defaults, empty ? 0 : draft->default_count);
    }
    if (is_number(draft)) {
        if (!schema_parse_number(text, schema_highest(type), &number)) {
            return refuse(draft, "default", text, "no number that the type holds");
        }
        return type == REG_DWORD ? value_from_dword(data, (uint32_t)number)
                                 : value_from_qword(data, number);
    }
    status = rs_data_parse(type, text, strlen(text), NULL, &parsed, &size, NULL);
    if (status != RS_OK) {
        return status == RS_ENOMEM ? status
                                   : refuse(draft, "default", text, "no data of that type");
    }
    status = buffer_append(data, parsed, size);
    rs_free(parsed);
    return status;
}

static int take_default_value(struct draft *draft)
{
    rs_rule *rule = draft->rule;
    struct buffer data = BUFFER_INIT;
    const void *copy = NULL;
    int status = encode_default(draft, &data);

    if (status == RS_OK) {
        copy = arena_copy(draft->arena, data.data, data.size);
        status = copy != NULL ? RS_OK : RS_ENOMEM;
    }
    if (status == RS_OK) {
        rule->has_default = 1;
        rule->default_value = (rs_value){rule->name, rule->name_len, rule->type, copy, data.size};
    }
    buffer_free(&data);
    return status;
}

/* ---- What has to hold between fields ---- */

static int check_choices(const struct draft *draft)
{
    const rs_rule *rule = draft->rule;

    for (size_t i = 0; i < rule->choice_count; i++) {
        const rs_text *choice = &rule->choices[i];
        uint64_t number = 0;
        size_t units = 0;

        if (is_number(draft)) {
            schema_parse_number(choice->text, UINT64_MAX, &number);
            if ((rule->has_min && number < rule->min) || (rule->has_max && number > rule->max)) {
                return refuse(draft, "enum", choice->text, "not between min and max");
            }
        } else if (text_units(choice->text, choice->len, &units) != RS_OK ||
                   (rule->max_length > 0 && units > rule->max_length)) {
            return refuse(draft, "enum", choice->text, "longer than max-length");
        }
    }
    return RS_OK;
}

static int check_default(const struct draft *draft)
{
    rs_error why = RS_ERROR_INIT;
    int status = draft->rule->has_default
                     ? schema_judge(draft->rule, &draft->rule->default_value, &why)
                     : RS_OK;

    return status == RS_EREFUSED ? broken(draft, "its own default: %s", why.text) : status;
}

static int check_whole(const struct draft *draft)
{
    const rs_rule *rule = draft->rule;

    if (rule->has_min && rule->has_max && rule->min > rule->max) {
        return broken(draft, "min=%llu is above max=%llu", (unsigned long long)rule->min,
                      (unsigned long long)rule->max);
    }
    if (*rule->warning != '\0' && *rule->warn_above == '\0') {
        return broken(draft, "warning= without warn-above=");
    }
    int status = check_choices(draft);
    return status == RS_OK ? check_default(draft) : status;
}

/* ---- The whole ---- */

static int read_fields(struct draft *draft, const char *const *strings, size_t count)
{
    int status;

    if (count > SCHEMA_MAX_FIELDS) {
        return broken(draft, "%zu fields, at most %zu are possible", count, SCHEMA_MAX_FIELDS);
    }
    draft->choices = arena_alloc(draft->arena, (count + 1) * sizeof *draft->choices);
    draft->defaults = arena_alloc(draft->arena, (count + 1) * sizeof *draft->defaults);
    if (draft->choices == NULL || draft->defaults == NULL) {
        return RS_ENOMEM;
    }
    draft->rule->choices = draft->choices;
    status = find_type(draft, strings, count);
    if (status == RS_OK) {
        status = take_fields(draft, strings, count);
    }
    if (status == RS_OK && draft->default_count > 0) {
        status = take_default_value(draft);
    }
    return status == RS_OK ? check_whole(draft) : status;
}

int schema_parse(struct arena *arena, const char *name, size_t len, const void *data, size_t size,
                 rs_rule *rule, rs_error *error)
{
    rs_rule made = {.key = "",
                    .name_len = len,
                    .unit = "",
                    .text = "",
                    .source = "",
                    .applies = RS_APPLIES_LIVE,
                    .warn_above = "",
                    .warning = ""};
    struct draft draft = {.arena = arena, .error = error, .rule = &made};
    const char *const *strings;
    size_t count;
    int status = RS_OK;

    made.name = arena_copy(arena, name, len);
    if (made.name == NULL) {
        status = RS_ENOMEM;
    }
    if (status == RS_OK) {
        status = value_to_list(arena, REG_MULTI_SZ, data, size, &strings, &count);
    }
    if (status == RS_OK) {
        status = read_fields(&draft, strings, count);
    }
    if (status == RS_OK) {
        *rule = made;
        return RS_OK;
    }
    return fail(error, status, "%s", rs_strerror(status));
}

/* ---- One block ---- */

/* Counts what it is given, and copies it there once at is set. */
struct packer {
    char *at;
    size_t size;
};

static const char *pack(struct packer *packer, const void *data, size_t size)
{
    char *copy = packer->at;

    packer->size += size + 1;
    if (copy != NULL) {
        memcpy(copy, data, size);
        copy[size] = '\0';
        packer->at += size + 1;
    }
    return copy;
}

static void pack_all(struct packer *packer, const rs_rule *rule, rs_rule *to, rs_text *choices)
{
    const char *const texts[] = {rule->key,    rule->unit,       rule->text,
                                 rule->source, rule->warn_above, rule->warning};
    const char **const places[] = {&to->key,    &to->unit,       &to->text,
                                   &to->source, &to->warn_above, &to->warning};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *places[i] = pack(packer, texts[i], strlen(texts[i]));
    }
    to->name = pack(packer, rule->name, rule->name_len);
    for (size_t i = 0; i < rule->choice_count; i++) {
        const char *text = pack(packer, rule->choices[i].text, rule->choices[i].len);
        if (choices != NULL) {
            choices[i] = (rs_text){text, rule->choices[i].len};
        }
    }
    if (rule->has_default) {
        to->default_value.name = to->name;
        to->default_value.data = pack(packer, rule->default_value.data, rule->default_value.size);
    }
}

int schema_pack(const rs_rule *rule, rs_rule **packed)
{
    struct packer packer = {NULL, 0};
    rs_rule made = *rule;
    const size_t head = sizeof made + rule->choice_count * sizeof(rs_text);

    pack_all(&packer, rule, &made, NULL);
    rs_rule *block = malloc(head + packer.size);
    if (block == NULL) {
        return RS_ENOMEM;
    }
    rs_text *choices = (rs_text *)(block + 1);
    packer.at = (char *)block + head;
    *block = *rule;
    block->choices = choices;
    pack_all(&packer, rule, block, choices);
    *packed = block;
    return RS_OK;
}
