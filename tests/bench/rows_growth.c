/*
 * rows_growth.c - rows: reading by path in a small store and in one of ten thousand times its size.
 *
 * With --keys 100000, which is the default, the stores have 1,000 and 1,000,000 keys. Needs readers
 * and measure.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "measure.h"
#include "readers.h"
#include "rows.h"

#define FEWEST 200u
#define SHRINK 100u
#define GROW 10u

struct side {
    struct dataset *data;
    struct probes probes;
    struct raw_probe *raw_probes;
    struct reader reader;
};

/* Nobody writes here, so raw LMDB gets the same file and not a copy, which may be a large one. By a
 * symbolic link: a file that has two names is refused. */
static void link_store(const char *from, const char *to)
{
    char source[4200];
    char target[4200];
    snprintf(source, sizeof source, "%s/data.mdb", from);
    snprintf(target, sizeof target, "%s/data.mdb", to);
    if (mkdir(to, 0750) != 0 || symlink(source, target) != 0) {
        die("%s: %s", to, strerror(errno));
    }
}

static void open_side(struct bench *bench, struct side *side, size_t keys, const char *name)
{
    char raw_name[64];
    const char *dir = bench_path(bench, name);
    snprintf(raw_name, sizeof raw_name, "%s-raw", name);
    const char *raw_dir = bench_path(bench, raw_name);
    side->data = data_make(keys);
    remove_tree(dir);
    remove_tree(raw_dir);
    store_make(dir, side->data);
    link_store(dir, raw_dir);
    side->reader = (struct reader){.probes = &side->probes, .store = open_store(dir)};
    raw_open(&side->reader.raw, raw_dir, false);
}

static void choose(struct side *side, size_t count)
{
    side->probes = probes_choose(side->data, PROBE_DEPTH, count, 0);
    side->raw_probes = raw_probes_new(&side->probes);
    side->reader.raw_probes = side->raw_probes;
    check_reader(&side->reader, read_path, "regstore");
    check_reader(&side->reader, read_path_raw, "raw LMDB");
}

static void close_side(struct bench *bench, struct side *side, const char *name)
{
    char raw_name[64];
    snprintf(raw_name, sizeof raw_name, "%s-raw", name);
    raw_probes_free(side->raw_probes, side->probes.count);
    probes_free(&side->probes);
    raw_close(&side->reader.raw);
    rs_close(side->reader.store);
    data_free(side->data);
    remove_tree(bench_path(bench, name));
    remove_tree(bench_path(bench, raw_name));
}

static void take(struct result *result, const struct times *times, const struct side *small,
                 const struct side *large)
{
    struct result raw = {0};
    result->regstore = median(times->ns[0], times->rounds);
    result->raw = median(times->ns[2], times->rounds);
    result_ratio(result, times->ns[0], times->ns[1], times->rounds);
    result_ratio(&raw, times->ns[2], times->ns[3], times->rounds);
    snprintf(result->note, sizeof result->note,
             "%zu keys against %zu with %.0f ns; raw LMDB's ratio is %.2f",
             large->data->key_count - 1, small->data->key_count - 1,
             median(times->ns[1], times->rounds), raw.ratio);
}

void row_growth(struct bench *bench, const struct row *row, struct result *result)
{
    size_t keys = bench->options.keys;
    struct side small = {0};
    struct side large = {0};
    struct times times;
    open_side(bench, &small, keys / SHRINK > FEWEST ? keys / SHRINK : FEWEST, "small");
    open_side(bench, &large, keys * GROW, "large");
    choose(&small, row->variant);
    choose(&large, row->variant);
    times_new(&times, 4, rounds_of(bench, 25));
    times_measure(&times,
                  (struct contender[]){{read_path, &large.reader},
                                       {read_path, &small.reader},
                                       {read_path_raw, &large.reader},
                                       {read_path_raw, &small.reader}},
                  20);
    take(result, &times, &small, &large);
    times_free(&times);
    close_side(bench, &small, "small");
    close_side(bench, &large, "large");
}
