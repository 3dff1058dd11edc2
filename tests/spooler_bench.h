/*
 * spooler_bench.h - what the suites of the spooler share: its RPC interface in the test's own
 * process, called without a connection, in a time that the test sets.
 */
#ifndef SPOOLER_BENCH_H
#define SPOOLER_BENCH_H

#include "harness.h"

#include "../services/spooler/spoolss.h"

#define BENCH_SERVER "NTSERVER"
#define BENCH_PERIOD 3600000
#define BENCH_MOST 10

struct spooler_bench {
    struct loop loop; /* never runs: only its time and its timers are there */
    struct log log;
    int pipe[2];
    char text[4096]; /* the log since it was last read */
    struct printers *printers;
    struct own *own;
    struct spoolss spoolss;
    struct ndr_push arguments;
    struct ndr_push answer;
};

/* Without any printer. */
void spooler_bench_open(struct spooler_bench *bench);
void spooler_bench_close(struct spooler_bench *bench);
/* A printer of this computer; "" as share: it is not shared. */
void spooler_bench_add(struct spooler_bench *bench, const char *name, const char *share);
/* The time goes on, and what is due is called. */
void spooler_bench_pass(struct spooler_bench *bench, int64_t ms);
const char *spooler_bench_log(struct spooler_bench *bench);

/* Makes a call with the arguments that were pushed; gives the fault or 0. */
uint32_t spooler_bench_call(struct spooler_bench *bench, unsigned opnum);
/* Another print server announces a printer; gives the error. */
uint32_t spooler_bench_announce(struct spooler_bench *bench, const char *name,
                                const char *description, const char *comment);

struct listed {
    uint32_t fault;
    uint32_t needed;
    uint32_t returned;
    uint32_t error;
    const uint8_t *buffer; /* belongs to the bench until the next call; NULL: there is none */
    uint32_t size;         /* of it */
};
/* Asks with a buffer of capacity bytes; without one if there are to be none. */
struct listed spooler_bench_list(struct spooler_bench *bench, uint32_t flags, const char *name,
                                 uint32_t level, uint32_t capacity);
/* The same with a buffer that is just large enough, after asking how large that is. */
struct listed spooler_bench_list_all(struct spooler_bench *bench, uint32_t flags, const char *name,
                                     uint32_t level);
/* A number, and a text, of a listed structure's field; the text lives until the next but three. */
uint32_t listed_number(const struct listed *listed, size_t stride, size_t row, size_t field);
const char *listed_text(const struct listed *listed, size_t stride, size_t row, size_t field);
/* The names at level 1, joined by " ". */
const char *listed_names(const struct listed *listed);

#endif
