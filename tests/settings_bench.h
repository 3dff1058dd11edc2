/*
 * settings_bench.h - what the suites of the services' common part share: a table with a row of each
 * kind, and a store in scratch_dir() whose values are set one commit at a time.
 */
#ifndef SETTINGS_BENCH_H
#define SETTINGS_BENCH_H

#include "../services/common/service.h"

#define BENCH_KEY "HKLM\\SOFTWARE\\Test"

enum { RATE, LEVEL, SWITCH, COMMENT, SHARES, BUFFERS, ROWS };
extern const struct setting bench_table[ROWS];
extern const struct service bench_service; /* of these, with rules that bench_open() makes */
extern const char *const default_list[];   /* of SHARES */

/* The store in scratch_dir(), made if there is none. */
rs_store *bench_open(void);
rs_txn *bench_begin(rs_store *store, unsigned mode);
uint64_t bench_commit(rs_txn *txn);
/* BENCH_KEY, made if there is none. */
rs_key bench_key(rs_txn *txn);
/* Sets a value of BENCH_KEY in a transaction of its own; gives the revision. */
uint64_t bench_set_dword(rs_store *store, const char *name, uint32_t number);
uint64_t bench_set_string(rs_store *store, const char *name, const char *text);
uint64_t bench_set_multi(rs_store *store, const char *name, const char *const *strings,
                         size_t count);
uint64_t bench_set_bytes(rs_store *store, const char *name, uint32_t type, const void *data,
                         size_t size);
/* Finds the rules of the service's settings and reads these. */
int bench_load(rs_txn *txn, const struct service *service, struct settings **settings);

#endif
