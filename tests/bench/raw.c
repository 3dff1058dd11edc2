#include <ctype.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "raw.h"

#define MAP_SIZE ((size_t)1 << 40)
#define HKLM_ID 1u

void raw_need(int rc, const char *what)
{
    if (rc != 0) {
        die("raw LMDB: %s: %s", what, mdb_strerror(rc));
    }
}

/* As regstore opens its own: same flags, same size of the map. */
void raw_open(struct raw *raw, const char *dir, bool create)
{
    static const char *const names[RAW_TABLES] = {"meta", "tree", "journal"};
    MDB_txn *txn;
    raw_need(mdb_env_create(&raw->env), "mdb_env_create");
    raw_need(mdb_env_set_maxdbs(raw->env, RAW_TABLES), "mdb_env_set_maxdbs");
    raw_need(mdb_env_set_mapsize(raw->env, MAP_SIZE), "mdb_env_set_mapsize");
    raw_need(mdb_env_open(raw->env, dir, MDB_NOTLS, 0600), dir);
    raw_need(mdb_txn_begin(raw->env, NULL, create ? 0 : MDB_RDONLY, &txn), "mdb_txn_begin");
    for (int i = 0; i < RAW_TABLES; i++) {
        raw_need(mdb_dbi_open(txn, names[i], create ? MDB_CREATE : 0, &raw->tables[i]), names[i]);
    }
    raw_need(mdb_txn_commit(txn), "mdb_txn_commit");
    raw_need(mdb_txn_begin(raw->env, NULL, MDB_RDONLY, &raw->reader), "mdb_txn_begin");
    mdb_txn_reset(raw->reader);
}

void raw_close(struct raw *raw)
{
    mdb_txn_abort(raw->reader);
    mdb_env_close(raw->env);
}

/* ---- Reading ---- */

static size_t put_head(unsigned char *key, rs_key id, unsigned char tag)
{
    uint64_t number = htobe64(id);
    memcpy(key, &number, sizeof number);
    key[sizeof number] = tag;
    return sizeof number + 1;
}

static char *fold(char *at, const char *name, size_t *size)
{
    char *start = at;
    for (; *name != '\0'; name++) {
        *at++ = (char)toupper((unsigned char)*name);
    }
    *size = (size_t)(at - start);
    return at;
}

static void prepare(struct raw_probe *raw, const struct probe *probe)
{
    char *at = raw->folded = malloc(probe->path_len + probe->name_len + 1);
    if (at == NULL || probe->name_len + 16 > sizeof raw->key) {
        die("raw LMDB: a probe does not fit");
    }
    raw->depth = probe->depth;
    for (unsigned i = 0; i < probe->depth; i++) {
        raw->parts[i] = at;
        at = fold(at, probe->parts[i], &raw->part_sizes[i]);
    }
    raw->name = at;
    fold(at, probe->name, &raw->name_size);
    raw->key_size = put_head(raw->key, probe->id, 2);
    memcpy(raw->key + raw->key_size, raw->name, raw->name_size);
    raw->key_size += raw->name_size;
}

struct raw_probe *raw_probes_new(const struct probes *probes)
{
    struct raw_probe *list = calloc(probes->count, sizeof *list);
    if (list == NULL) {
        die("out of memory");
    }
    for (size_t i = 0; i < probes->count; i++) {
        prepare(&list[i], &probes->list[i]);
    }
    return list;
}

void raw_probes_free(struct raw_probe *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(list[i].folded);
    }
    free(list);
}

void raw_renew(struct raw *raw)
{
    raw_need(mdb_txn_renew(raw->reader), "mdb_txn_renew");
}

void raw_reset(struct raw *raw)
{
    mdb_txn_reset(raw->reader);
}

static MDB_val get(struct raw *raw, void *key, size_t size)
{
    MDB_val k = {size, key};
    MDB_val value;
    raw_need(mdb_get(raw->reader, raw->tables[RAW_TREE], &k, &value), "mdb_get");
    return value;
}

/* A value's record ends with its data and a NUL. */
static uint32_t number_of(MDB_val value)
{
    uint32_t number;
    memcpy(&number, (const char *)value.mv_data + value.mv_size - 5, sizeof number);
    return le32toh(number);
}

uint32_t raw_number(struct raw *raw, const struct raw_probe *probe)
{
    unsigned char key[sizeof probe->key];
    memcpy(key, probe->key, probe->key_size);
    return number_of(get(raw, key, probe->key_size));
}

uint32_t raw_number_by_path(struct raw *raw, const struct raw_probe *probe)
{
    unsigned char key[256];
    uint64_t id = HKLM_ID;
    for (unsigned i = 0; i < probe->depth; i++) {
        size_t size = put_head(key, id, 1);
        memcpy(key + size, probe->parts[i], probe->part_sizes[i]);
        memcpy(&id, get(raw, key, size + probe->part_sizes[i]).mv_data, sizeof id);
        id = le64toh(id);
    }
    size_t size = put_head(key, id, 2);
    memcpy(key + size, probe->name, probe->name_size);
    return number_of(get(raw, key, size + probe->name_size));
}

size_t raw_list(MDB_cursor *cursor, rs_key id, size_t *bytes)
{
    unsigned char head[16];
    size_t head_size = put_head(head, id, 2);
    size_t count = 0;
    MDB_val key = {head_size, head};
    MDB_val value;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (rc == 0 && key.mv_size >= head_size && memcmp(key.mv_data, head, head_size) == 0) {
        *bytes += value.mv_size;
        count++;
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    raw_need(rc == MDB_NOTFOUND ? 0 : rc, "mdb_cursor_get");
    return count;
}
