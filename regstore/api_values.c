/*
 * api_values.c - the public calls for values, raw and typed, and for the store's state.
 *
 * Gets the effective value, decodes or encodes it, and hands over. Needs everything, as api.c does.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api.h"
#include "value.h"

static inline int check(rs_txn *txn, const void *out, rs_key *key)
{
    return api_stored_key(txn, key, out != NULL);
}

/* ---- As stored ---- */

int rs_value_get_n(rs_txn *txn, rs_key key, const char *name, size_t len, rs_value *value)
{
    int status = check(txn, value, &key);
    return status == RS_OK ? tree_value_get(&txn->tree, key, name, text_length(name, len), value)
                           : status;
}

int rs_value_set_n(rs_txn *txn, rs_key key, const char *name, size_t len, uint32_t type,
                   const void *data, size_t size)
{
    int status = check(txn, size == 0 ? "" : data, &key);
    return status == RS_OK
               ? tree_value_set(&txn->tree, key, name, text_length(name, len), type, data, size)
               : status;
}

int rs_value_delete_n(rs_txn *txn, rs_key key, const char *name, size_t len)
{
    int status = check(txn, txn, &key);
    return status == RS_OK ? tree_value_delete(&txn->tree, key, name, text_length(name, len))
                           : status;
}

/* ---- Effective ---- */

static int find_default(rs_txn *txn, rs_key key, const char *name, size_t len, rs_value *value)
{
    struct schema schema;
    int status = schema_begin(&schema, &txn->tree, &txn->rules);
    if (status == RS_OK) {
        status = schema_default(&schema, key, name, len, value);
    }
    schema_end(&schema);
    return status;
}

/* Of a stored key. RS_ENOTFOUND, not described, if there is none. */
static int find_effective(rs_txn *txn, rs_key key, const char *name, size_t len, rs_value *value,
                          enum rs_origin *origin)
{
    /* That nothing is set is no failure here, so it must not be described as one. */
    rs_error *error = txn->tree.error;
    txn->tree.error = NULL;
    int status = tree_value_get(&txn->tree, key, name, len, value);
    *origin = status == RS_OK ? RS_ORIGIN_SET : RS_ORIGIN_NONE;
    if (status == RS_ENOTFOUND) {
        status = find_default(txn, key, name, len, value);
        *origin = status == RS_OK ? RS_ORIGIN_DEFAULT : RS_ORIGIN_NONE;
    }
    txn->tree.error = error;
    return status == RS_OK || status == RS_ENOTFOUND
               ? status
               : fail(error, status, "%s", rs_strerror(status));
}

int rs_effective_n(rs_txn *txn, rs_key key, const char *name, size_t len, rs_value *value,
                   enum rs_origin *origin)
{
    rs_value found;
    enum rs_origin from;
    int status = check(txn, origin, &key);
    if (status != RS_OK) {
        return status;
    }
    status = find_effective(txn, key, name, text_length(name, len), &found, &from);
    if (status != RS_OK && status != RS_ENOTFOUND) {
        return status;
    }
    if (status == RS_OK && value != NULL) {
        *value = found;
    }
    *origin = from;
    return RS_OK;
}

/* The effective value for a getter: none is a failure. */
static inline int effective(rs_txn *txn, rs_key key, const char *name, size_t len, const void *out,
                            rs_value *value)
{
    enum rs_origin origin;
    int status = check(txn, out, &key);
    if (status != RS_OK) {
        return status;
    }
    len = text_length(name, len);
    status = find_effective(txn, key, name, len, value, &origin);
    if (status == RS_ENOTFOUND && len == 0) {
        return fail(txn->tree.error, status, "the default value is not set");
    }
    return status == RS_ENOTFOUND
               ? fail(txn->tree.error, status, "no value \"%.*s\"", (int)len, name)
               : status;
}

static RS_APART int fail_decoding(rs_txn *txn, const rs_value *value, int status)
{
    const char *type = rs_type_name(value->type);
    return fail(txn->tree.error, status, "value \"%s\" (%s, %zu bytes): %s", value->name,
                type != NULL ? type : "a type without a name", value->size, rs_strerror(status));
}

static inline int decoded(rs_txn *txn, const rs_value *value, int status)
{
    return status == RS_OK ? RS_OK : fail_decoding(txn, value, status);
}

int rs_get_dword_n(rs_txn *txn, rs_key key, const char *name, size_t len, uint32_t *number)
{
    rs_value value;
    int status = effective(txn, key, name, len, number, &value);
    return status == RS_OK
               ? decoded(txn, &value, value_to_dword(value.type, value.data, value.size, number))
               : status;
}

int rs_get_qword_n(rs_txn *txn, rs_key key, const char *name, size_t len, uint64_t *number)
{
    rs_value value;
    int status = effective(txn, key, name, len, number, &value);
    return status == RS_OK
               ? decoded(txn, &value, value_to_qword(value.type, value.data, value.size, number))
               : status;
}

int rs_get_bool_n(rs_txn *txn, rs_key key, const char *name, size_t len, int *truth)
{
    uint32_t number;
    if (truth == NULL) {
        return api_check(txn, false);
    }
    int status = rs_get_dword_n(txn, key, name, len, &number);
    if (status == RS_OK) {
        *truth = number != 0;
    }
    return status;
}

typedef int (*text_decoder)(struct arena *arena, uint32_t type, const void *data, size_t size,
                            const char **text, size_t *len);

static int get_text(rs_txn *txn, rs_key key, const char *name, size_t len, text_decoder decode,
                    const char **text, size_t *text_len)
{
    rs_value value;
    size_t found_len;
    int status = effective(txn, key, name, len, text, &value);
    if (status == RS_OK && value.type != REG_SZ && value.type != REG_EXPAND_SZ) {
        status = decoded(txn, &value, RS_ETYPE);
    }
    if (status == RS_OK) {
        status = decoded(txn, &value,
                         decode(&txn->arena, value.type, value.data, value.size, text, &found_len));
    }
    if (status == RS_OK && text_len != NULL) {
        *text_len = found_len;
    }
    return status;
}

int rs_get_string_n(rs_txn *txn, rs_key key, const char *name, size_t len, const char **text,
                    size_t *text_len)
{
    return get_text(txn, key, name, len, value_to_text, text, text_len);
}

int rs_get_expanded_n(rs_txn *txn, rs_key key, const char *name, size_t len, const char **text,
                      size_t *text_len)
{
    return get_text(txn, key, name, len, value_to_expanded, text, text_len);
}

int rs_get_multi_n(rs_txn *txn, rs_key key, const char *name, size_t len,
                   const char *const **strings, size_t *count)
{
    rs_value value;
    int status = effective(txn, key, name, len, count != NULL ? strings : NULL, &value);
    if (status != RS_OK) {
        return status;
    }
    return decoded(txn, &value,
                   value_to_list(&txn->arena, value.type, value.data, value.size, strings, count));
}

int rs_get_binary_n(rs_txn *txn, rs_key key, const char *name, size_t len, const void **data,
                    size_t *size)
{
    rs_value value;
    int status = effective(txn, key, name, len, size != NULL ? data : NULL, &value);
    if (status == RS_OK && value.type != REG_BINARY && value.type != REG_NONE) {
        status = decoded(txn, &value, RS_ETYPE);
    }
    if (status == RS_OK) {
        *data = value.data;
        *size = value.size;
    }
    return status;
}

/* ---- Setting ---- */

/* Stores what was encoded into a buffer, and releases it. */
static int set_encoded(rs_txn *txn, rs_key key, const char *name, size_t len, uint32_t type,
                       struct buffer *buffer, int status)
{
    if (status == RS_OK) {
        status = rs_value_set_n(txn, key, name, len, type, buffer->data, buffer->size);
    } else if (txn != NULL) {
        fail(txn->tree.error, status, "value \"%.*s\": %s", (int)text_length(name, len), name,
             rs_strerror(status));
    }
    buffer_free(buffer);
    return status;
}

int rs_set_dword_n(rs_txn *txn, rs_key key, const char *name, size_t len, uint32_t number)
{
    struct buffer buffer = BUFFER_INIT;
    return set_encoded(txn, key, name, len, REG_DWORD, &buffer, value_from_dword(&buffer, number));
}

int rs_set_qword_n(rs_txn *txn, rs_key key, const char *name, size_t len, uint64_t number)
{
    struct buffer buffer = BUFFER_INIT;
    return set_encoded(txn, key, name, len, REG_QWORD, &buffer, value_from_qword(&buffer, number));
}

int rs_set_bool_n(rs_txn *txn, rs_key key, const char *name, size_t len, int truth)
{
    return rs_set_dword_n(txn, key, name, len, truth != 0);
}

static int set_text(rs_txn *txn, rs_key key, const char *name, size_t len, uint32_t type,
                    const char *text)
{
    struct buffer buffer = BUFFER_INIT;
    if (text == NULL) {
        return api_check(txn, false);
    }
    return set_encoded(txn, key, name, len, type, &buffer,
                       value_from_text(&buffer, text, strlen(text)));
}

int rs_set_string_n(rs_txn *txn, rs_key key, const char *name, size_t len, const char *text)
{
    return set_text(txn, key, name, len, REG_SZ, text);
}

int rs_set_expanded_n(rs_txn *txn, rs_key key, const char *name, size_t len, const char *text)
{
    return set_text(txn, key, name, len, REG_EXPAND_SZ, text);
}

int rs_set_multi_n(rs_txn *txn, rs_key key, const char *name, size_t len,
                   const char *const *strings, size_t count)
{
    struct buffer buffer = BUFFER_INIT;
    if (strings == NULL && count > 0) {
        return api_check(txn, false);
    }
    return set_encoded(txn, key, name, len, REG_MULTI_SZ, &buffer,
                       value_from_list(&buffer, strings, count));
}

int rs_set_binary_n(rs_txn *txn, rs_key key, const char *name, size_t len, const void *data,
                    size_t size)
{
    return rs_value_set_n(txn, key, name, len, REG_BINARY, data, size);
}

/* ---- Lists ---- */

static bool same_text(const char *a, const char *b)
{
    return text_compare(a, strlen(a), b, strlen(b)) == 0;
}

static int append_to(rs_txn *txn, rs_key key, const char *name, size_t len, const char *text,
                     int *changed)
{
    const char *const *strings = NULL;
    size_t count = 0;
    enum rs_origin origin;
    int status = rs_effective_n(txn, key, name, len, NULL, &origin);
    if (status == RS_OK && origin != RS_ORIGIN_NONE) {
        status = rs_get_multi_n(txn, key, name, len, &strings, &count);
    }
    for (size_t i = 0; status == RS_OK && i < count; i++) {
        if (same_text(strings[i], text)) {
            *changed = 0;
            return RS_OK;
        }
    }
    const char **longer =
        status == RS_OK ? arena_alloc(&txn->arena, (count + 1) * sizeof *longer) : NULL;
    if (longer == NULL) {
        return status == RS_OK ? RS_ENOMEM : status;
    }
    for (size_t i = 0; i < count; i++) {
        longer[i] = strings[i];
    }
    longer[count] = text;
    *changed = 1;
    return rs_set_multi_n(txn, key, name, len, longer, count + 1);
}

static int remove_from(rs_txn *txn, rs_key key, const char *name, size_t len, const char *text,
                       int *changed)
{
    const char *const *strings;
    size_t count;
    int status = rs_get_multi_n(txn, key, name, len, &strings, &count);
    const char **shorter =
        status == RS_OK ? arena_alloc(&txn->arena, (count + 1) * sizeof *shorter) : NULL;
    if (shorter == NULL) {
        return status == RS_OK ? RS_ENOMEM : status;
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!same_text(strings[i], text)) {
            shorter[kept++] = strings[i];
        }
    }
    *changed = kept != count;
    return *changed ? rs_set_multi_n(txn, key, name, len, shorter, kept) : RS_OK;
}

typedef int (*list_editor)(rs_txn *txn, rs_key key, const char *name, size_t len, const char *text,
                           int *changed);

static int edit_list(rs_txn *txn, rs_key key, const char *name, size_t len, const char *text,
                     list_editor edit, int *changed)
{
    int did = 0;
    int status = api_check(txn, text != NULL);
    if (status == RS_OK) {
        status = tree_writable(&txn->tree);
    }
    if (status == RS_OK) {
        status = edit(txn, key, name, len, text, &did);
    }
    if (status == RS_OK && changed != NULL) {
        *changed = did;
    }
    return status;
}

int rs_multi_append_n(rs_txn *txn, rs_key key, const char *name, size_t len, const char *text,
                      int *changed)
{
    return edit_list(txn, key, name, len, text, append_to, changed);
}

int rs_multi_remove_n(rs_txn *txn, rs_key key, const char *name, size_t len, const char *text,
                      int *changed)
{
    return edit_list(txn, key, name, len, text, remove_from, changed);
}

/* ---- Names ---- */

int rs_name_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return text_compare(a, text_length(a, a_len), b, text_length(b, b_len));
}

/* ---- State ---- */

int rs_stat_get(rs_txn *txn, rs_stat *stat)
{
    struct store_state state;
    struct env_size size;
    struct journal_reader reader = {0};
    struct journal_head head = {0};
    uint64_t first = 0;
    int status = api_check(txn, stat != NULL);
    if (status != RS_OK) {
        return status;
    }
    status = store_state_read(&txn->env, &state);
    if (status == RS_OK) {
        status = env_size(&txn->env, &size);
    }
    if (status == RS_OK) {
        status = journal_first(&txn->env, &first);
    }
    if (status == RS_OK && first != 0) {
        status = journal_open(&reader, &txn->env, state.revision, &head);
        journal_close(&reader);
    }
    if (status != RS_OK) {
        return fail(txn->tree.error, status, "%s", rs_strerror(status));
    }
    if (txn->env.write) {
        state.tree = txn->tree.state;
    }
    *stat = (rs_stat){
        .revision = state.revision,
        .written = head.time,
        .first_revision = first,
        .keys = state.tree.keys,
        .values = state.tree.values,
        .file_size = size.file,
        .used_size = size.used,
        .map_size = size.map,
        .format = ENV_FORMAT,
        .max_readers = size.max_readers,
        .journal_size = state.journal_bytes,
    };
    return RS_OK;
}

/* ---- Readers ---- */

struct reader_walk {
    rs_txn *txn;
    struct store_state state;
    bool own_seen;
    int (*each)(void *context, const rs_reader *reader);
    void *context;
};

/* How long a snapshot has been out of date: since the revision after it was made. */
static uint64_t age_of(rs_txn *txn, uint64_t revision)
{
    struct journal_reader reader = {0};
    struct journal_head head;
    uint64_t now = store_now();
    int status = journal_open(&reader, &txn->env, revision + 1, &head);
    journal_close(&reader);
    return status == RS_OK && head.time < now ? now - head.time : 0;
}

static int give_reader(void *context, uint32_t pid, uint64_t txn_number)
{
    struct reader_walk *walk = context;
    uint64_t own = env_txn_number(&walk->txn->env);
    if (!walk->own_seen && pid == (uint32_t)getpid() && txn_number == own) {
        walk->own_seen = true;
        return 0;
    }
    uint64_t behind = txn_number < walk->state.txn_number ? walk->state.txn_number - txn_number : 0;
    if (behind > walk->state.revision) {
        behind = walk->state.revision;
    }
    rs_reader reader = {.pid = pid, .revision = walk->state.revision - behind, .behind = behind};
    /* It is this transaction that is behind. Its own number can be higher than that of the latest
     * revision: history that is shortened for want of room makes none. */
    if (txn_number > own) {
        reader.revision += txn_number - own;
    }
    reader.age = behind > 0 ? age_of(walk->txn, reader.revision) : 0;
    int status = RS_OK;
    if (!walk->txn->env.write) {
        status = env_held(&walk->txn->env, txn_number, &reader.held);
    }
    return status == RS_OK ? walk->each(walk->context, &reader) : status;
}

int rs_readers(rs_txn *txn, int (*each)(void *context, const rs_reader *reader), void *context)
{
    struct reader_walk walk = {.txn = txn, .each = each, .context = context};
    int status = api_check(txn, each != NULL);
    if (status == RS_OK) {
        walk.own_seen = txn->env.write; /* a writer is none of the readers */
        status = store_state_read(&txn->env, &walk.state);
    }
    return status == RS_OK ? env_readers(txn->store->env, give_reader, &walk) : status;
}
