#include "readers.h"

rs_store *open_store(const char *dir)
{
    rs_store *store;
    rs_error error = RS_ERROR_INIT;
    if (rs_open(dir, 0, &store, &error) != RS_OK) {
        die("%s", error.text);
    }
    return store;
}

static size_t step(struct reader *reader)
{
    size_t at = reader->next;
    reader->next = at + 1 < reader->probes->count ? at + 1 : 0;
    return at;
}

static rs_txn *begin(const struct reader *reader)
{
    rs_txn *txn;
    need(rs_begin(reader->store, RS_READ, &txn), "begin");
    return txn;
}

void read_held(void *context, unsigned long count)
{
    struct reader *reader = context;
    uint32_t number = 0;
    while (count-- > 0) {
        const struct probe *probe = &reader->probes->list[step(reader)];
        rs_txn *txn = begin(reader);
        need(rs_get_dword_n(txn, probe->id, probe->name, probe->name_len, &number), probe->name);
        rs_abort(txn);
        reader->sink = number;
    }
}

void read_path(void *context, unsigned long count)
{
    struct reader *reader = context;
    uint32_t number = 0;
    rs_key key;
    while (count-- > 0) {
        const struct probe *probe = &reader->probes->list[step(reader)];
        rs_txn *txn = begin(reader);
        need(rs_key_open_n(txn, RS_HKLM, probe->path, probe->path_len, 0, &key), probe->path);
        need(rs_get_dword_n(txn, key, probe->name, probe->name_len, &number), probe->name);
        rs_abort(txn);
        reader->sink = number;
    }
}

void read_held_raw(void *context, unsigned long count)
{
    struct reader *reader = context;
    while (count-- > 0) {
        const struct raw_probe *probe = &reader->raw_probes[step(reader)];
        raw_renew(&reader->raw);
        reader->sink = raw_number(&reader->raw, probe);
        raw_reset(&reader->raw);
    }
}

void read_path_raw(void *context, unsigned long count)
{
    struct reader *reader = context;
    while (count-- > 0) {
        const struct raw_probe *probe = &reader->raw_probes[step(reader)];
        raw_renew(&reader->raw);
        reader->sink = raw_number_by_path(&reader->raw, probe);
        raw_reset(&reader->raw);
    }
}

void read_path_sqlite(void *context, unsigned long count)
{
    struct reader *reader = context;
    while (count-- > 0) {
        reader->sink = sql_number(&reader->sql, &reader->probes->list[step(reader)]);
    }
}

void check_reader(struct reader *reader, void (*read)(void *reader, unsigned long count),
                  const char *who)
{
    reader->next = 0;
    for (size_t i = 0; i < reader->probes->count; i++) {
        read(reader, 1);
        if (reader->sink != reader->probes->list[i].number) {
            die("%s reads %u of %s, %s, where %u is", who, reader->sink,
                reader->probes->list[i].path, reader->probes->list[i].name,
                reader->probes->list[i].number);
        }
    }
}
