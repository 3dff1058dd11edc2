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

void writer_learn(struct bench *bench, struct writer *writer)
{
    const char *dir = bench_copy(bench, "learn");
    writer->store = open_store(dir);
    write_regstore(writer, 1);
    rs_close(writer->store);
    raw_changes(bench_raw(bench), dir, &writer->records);
    remove_tree(dir);
}
