#include "writers.h"

void write_regstore(void *context, unsigned long count)
{
    struct writer *writer = context;
    rs_txn *txn;
    while (count-- > 0) {
        writer->number++;
        need(rs_begin(writer->store, RS_WRITE, &txn), "begin");
        for (size_t i = 0; i < writer->sets; i++) {
            const struct probe *probe = &writer->probes->list[i % writer->probes->count];
            need(rs_set_dword_n(txn, probe->id, probe->name, probe->name_len, writer->number),
                 probe->name);
        }
        need(rs_commit(txn, NULL), "commit");
    }
}

void write_raw(void *context, unsigned long count)
{
    struct writer *writer = context;
    while (count-- > 0) {
        raw_commit(&writer->raw, &writer->records, ++writer->commits);
    }
}

void writer_learn(const struct bench *bench, struct writer *writer, const char *from)
{
    const char *dir = bench_copy(bench, from, "learn");
    writer->store = open_store(dir);
    write_regstore(writer, 1);
    rs_close(writer->store);
    raw_changes(from, dir, &writer->records);
    remove_tree(dir);
}

void writer_check(struct writer *writer)
{
    const struct probe *probe = &writer->probes->list[0];
    struct raw_probe *raw_probe = raw_probes_new(writer->probes);
    rs_txn *txn;
    uint32_t number;
    writer->number = 1000000;
    write_regstore(writer, 1);
    need(rs_begin(writer->store, RS_READ, &txn), "begin");
    need(rs_get_dword_n(txn, probe->id, probe->name, probe->name_len, &number), probe->name);
    rs_abort(txn);
    size_t before = raw_count(&writer->raw);
    write_raw(writer, 1);
    raw_renew(&writer->raw);
    uint32_t raw_now = raw_number(&writer->raw, raw_probe);
    raw_reset(&writer->raw);
    if (number != 1000001 || raw_now != 1 || raw_count(&writer->raw) <= before) {
        die("a contender did not write what it was to write");
    }
    raw_probes_free(raw_probe, writer->probes->count);
}
