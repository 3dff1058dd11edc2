/*
 * test_queues - the queues of the LPD service: how they come and go with the registry's printers,
 * and that their jobs stay, in their order, whatever happens to the printer.
 */
#include "stores.h"

#include "settings_bench.h"

#include "../services/lpdsvc/queues.h"

#include <stdio.h>
#include <stdlib.h>

#define PRINTERS "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print\\Printers\\"

static rs_key printer(rs_txn *txn, const char *name, const char *port)
{
    char path[512];
    rs_key key;
    snprintf(path, sizeof(path), PRINTERS "%s", name);
    SUCCEEDS(rs_key_create(txn, RS_NO_KEY, path, &key));
    SUCCEEDS(rs_set_string(txn, key, "Port", port));
    return key;
}

static void remove_printer(rs_txn *txn, const char *name)
{
    char path[512];
    rs_key key;
    snprintf(path, sizeof(path), PRINTERS "%s", name);
    SUCCEEDS(rs_key_open(txn, RS_NO_KEY, path, &key));
    SUCCEEDS(rs_key_delete(txn, key, 0));
}

static void take(rs_store *store, struct queues *queues)
{
    struct line problems = LINE_INIT;
    struct queue_shapes *shapes;
    rs_txn *txn = bench_begin(store, RS_READ);
    SUCCEEDS(queue_shapes_load(txn, &problems, &shapes));
    rs_abort(txn);
    EQUAL_TEXT(problems.text, "");
    SUCCEEDS(queues_prepare(queues, shapes));
    queues_take(queues, shapes);
    CU_ASSERT_EQUAL(shapes->count, 0);
    queue_shapes_free(shapes);
}

static bool released(struct queue *queue)
{
    return queue->printing == NULL;
}

static struct queue *add(struct queues *queues, const char *queue, const char *name)
{
    struct job_facts facts = {.number = 7, .count = 2};
    snprintf(facts.queue, sizeof(facts.queue), "%s", queue);
    snprintf(facts.user, sizeof(facts.user), "bob");
    snprintf(facts.documents[0].name, sizeof(facts.documents[0].name), "a.txt");
    facts.documents[0].size = 10;
    facts.documents[0].copies = 3;
    facts.documents[1].size = UINT64_C(5000000000);
    facts.documents[1].copies = 1;
    struct queue *found = queues_add_job(queues, name, &facts);
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    return found;
}

/* The names of a queue's jobs, joined by " ". */
static const char *jobs_of(const struct queue *queue)
{
    static char names[256];
    names[0] = '\0';
    for (const struct queue_job *job = queue->jobs; job != NULL; job = job->next) {
        CU_ASSERT_TRUE_FATAL(strlen(names) + JOB_NAME + 1 < sizeof(names));
        strcat(names, names[0] != '\0' ? " " : "");
        strcat(names, job->name);
    }
    return names;
}

static void printers_are_queues(void)
{
    struct queues queues = {0};
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_WRITE);
    rs_key key = printer(txn, "Laser", "/dev/null");
    SUCCEEDS(rs_set_string(txn, key, "Name", "Second Floor"));
    SUCCEEDS(rs_set_string(txn, key, "Share Name", "LASER2"));
    key = printer(txn, "Fax", "nowhere");
    SUCCEEDS(rs_set_dword(txn, key, "Status", 1));
    SUCCEEDS(rs_set_string(txn, key, "Share Name", "laser"));
    bench_commit(txn);
    take(store, &queues);
    CU_ASSERT_EQUAL_FATAL(queues.count, 2);
    struct queue *laser = queues_by_key(&queues, "LASER");
    CU_ASSERT_PTR_NOT_NULL_FATAL(laser);
    EQUAL_TEXT(laser->key, "Laser");
    CU_ASSERT_PTR_EQUAL(queues_find(&queues, "laser"), laser);
    CU_ASSERT_PTR_EQUAL(queues_find(&queues, "SECOND floor"), laser);
    CU_ASSERT_PTR_EQUAL(queues_find(&queues, "Laser2"), laser);
    CU_ASSERT_PTR_NULL(queues_find(&queues, "lase"));
    CU_ASSERT_PTR_NULL(queues_find(&queues, ""));
    CU_ASSERT_PTR_NULL(queues_by_key(&queues, "Second Floor"));
    CU_ASSERT_TRUE(laser->shape->leads);
    CU_ASSERT_TRUE(queue_is_open(laser));
    EQUAL_TEXT(laser->shape->target.text, "/dev/null");
    struct queue *fax = queues_by_key(&queues, "fax");
    CU_ASSERT_PTR_NOT_NULL_FATAL(fax);
    CU_ASSERT_FALSE(fax->shape->leads);
    CU_ASSERT_NOT_EQUAL(fax->shape->why[0], '\0');
    CU_ASSERT_TRUE(queue_is_paused(fax));
    CU_ASSERT_FALSE(queue_is_open(fax));
    queues_free(&queues);
    rs_close(store);
}

/* Its jobs wait, but the name belongs to the printer that is there. */
static void a_printer_that_is_gone_keeps_no_name(void)
{
    static const char *const values[] = {"Name", "Share Name"};
    for (size_t i = 0; i < 2; i++) {
        struct queues queues = {0};
        rs_store *store = bench_open();
        struct queue *gone = add(&queues, "Laser", "00000001");
        CU_ASSERT_PTR_EQUAL(queues_find(&queues, "laser"), gone);
        rs_txn *txn = bench_begin(store, RS_WRITE);
        rs_key key = printer(txn, "Fax", "/dev/null");
        SUCCEEDS(rs_set_string(txn, key, values[i], "LASER"));
        bench_commit(txn);
        take(store, &queues);
        CU_ASSERT_PTR_EQUAL(queues_find(&queues, "laser"), queues_by_key(&queues, "fax"));
        CU_ASSERT_PTR_EQUAL(queues_by_key(&queues, "laser"), gone);
        EQUAL_TEXT(jobs_of(gone), "00000001");
        txn = bench_begin(store, RS_WRITE);
        printer(txn, "Laser", "/dev/null");
        bench_commit(txn);
        take(store, &queues);
        CU_ASSERT_PTR_EQUAL(queues_find(&queues, "laser"), gone);
        txn = bench_begin(store, RS_WRITE);
        remove_printer(txn, "Laser");
        remove_printer(txn, "Fax");
        bench_commit(txn);
        queues_free(&queues);
        rs_close(store);
    }
}

static void a_name_may_have_blanks(void)
{
    static const struct {
        const char *operand;
        size_t size;
    } rows[] = {
        {"", 0},
        {"none of all", 0},
        {"hp", 2},
        {"HP laser", 2},
        {"hp laserjet 4", 13},
        {"hp laserjet 4 joe 7", 13},
        {"hp laserjet 40", 2},
        {"hp laserjet\t4", 2},
        {"Second Floor", 12},
        {"second floor joe and all of his jobs", 12},
        {"TWO  BLANKS 1", 11},
        {"two blanks 1", 0},
        {"hpx laserjet 4", 0},
    };
    struct queues queues = {0};
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_WRITE);
    rs_key key = printer(txn, "HP", "/dev/null");
    SUCCEEDS(rs_set_string(txn, key, "Name", "Second Floor"));
    key = printer(txn, "HP LaserJet 4", "/dev/null");
    SUCCEEDS(rs_set_string(txn, key, "Share Name", "two  blanks"));
    bench_commit(txn);
    take(store, &queues);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CU_ASSERT_EQUAL(queues_name_size(&queues, rows[i].operand), rows[i].size);
    }
    queues_free(&queues);
    rs_close(store);
}

static void jobs_keep_their_order(void)
{
    struct queues queues = {0};
    struct queue *queue = add(&queues, "Laser", "00000001");
    add(&queues, "Fax", "00000002");
    CU_ASSERT_PTR_EQUAL(add(&queues, "laser", "00000003"), queue);
    add(&queues, "Laser", "00000004");
    EQUAL_TEXT(jobs_of(queue), "00000001 00000003 00000004");
    CU_ASSERT_EQUAL(queue->jobs->size, UINT64_C(5000000030));
    EQUAL_TEXT(queue->jobs->documents[0].name, "a.txt");
    EQUAL_TEXT(queue->jobs->documents[1].name, "");
    queue_drop_job(queue, queue->jobs->next->next);
    add(&queues, "Laser", "00000005");
    EQUAL_TEXT(jobs_of(queue), "00000001 00000003 00000005");
    queue_drop_job(queue, queue->jobs);
    queue_drop_job(queue, queue->jobs);
    queue_drop_job(queue, queue->jobs);
    CU_ASSERT_PTR_NULL(queue->jobs);
    add(&queues, "Laser", "00000006");
    EQUAL_TEXT(jobs_of(queue), "00000006");
    queues_free(&queues);
}

static void a_queue_waits_for_its_printer(void)
{
    struct queues queues = {0};
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_WRITE);
    printer(txn, "Laser", "/dev/null");
    printer(txn, "Fax", "/dev/null");
    bench_commit(txn);
    take(store, &queues);
    struct queue *laser = add(&queues, "Laser", "00000001");
    txn = bench_begin(store, RS_WRITE);
    remove_printer(txn, "Laser");
    remove_printer(txn, "Fax");
    bench_commit(txn);
    take(store, &queues);
    queues_sweep(&queues, released);
    CU_ASSERT_EQUAL_FATAL(queues.count, 1);
    CU_ASSERT_PTR_EQUAL(queues.rows[0], laser);
    CU_ASSERT_PTR_NULL(laser->shape);
    CU_ASSERT_FALSE(queue_is_open(laser));
    CU_ASSERT_FALSE(queue_is_paused(laser));
    CU_ASSERT_PTR_EQUAL(queues_find(&queues, "laser"), laser);
    txn = bench_begin(store, RS_WRITE);
    printer(txn, "LASER", "/dev/zero");
    bench_commit(txn);
    take(store, &queues);
    CU_ASSERT_PTR_NOT_NULL_FATAL(laser->shape);
    EQUAL_TEXT(laser->key, "LASER");
    EQUAL_TEXT(laser->shape->target.text, "/dev/zero");
    EQUAL_TEXT(jobs_of(laser), "00000001");
    queues_free(&queues);
    rs_close(store);
}

static void set_status(rs_store *store, struct queues *queues, uint32_t status)
{
    rs_txn *txn = bench_begin(store, RS_WRITE);
    rs_key key = printer(txn, "Laser", "/dev/null");
    SUCCEEDS(rs_set_dword(txn, key, "Status", status));
    bench_commit(txn);
    take(store, queues);
}

/* A client's resuming holds until the registry says something new. */
static void resuming_ends_with_the_next_status(void)
{
    struct queues queues = {0};
    rs_store *store = bench_open();
    set_status(store, &queues, 1);
    struct queue *laser = queues_by_key(&queues, "Laser");
    CU_ASSERT_PTR_NOT_NULL_FATAL(laser);
    laser->resumed = true;
    CU_ASSERT_TRUE(queue_is_open(laser));
    set_status(store, &queues, 1);
    CU_ASSERT_TRUE(queue_is_open(laser));
    set_status(store, &queues, 0);
    CU_ASSERT_TRUE(queue_is_open(laser));
    set_status(store, &queues, 1);
    CU_ASSERT_TRUE(queue_is_paused(laser));
    laser->resumed = true;
    set_status(store, &queues, 3);
    CU_ASSERT_TRUE(queue_is_paused(laser));
    queues_free(&queues);
    rs_close(store);
}

static void many_are_found(void)
{
    struct queues queues = {0};
    char name[32];
    for (unsigned i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "q%u", i * 7919 % 300);
        add(&queues, name, "00000001");
    }
    CU_ASSERT_EQUAL(queues.count, 300);
    for (unsigned i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "Q%u", i);
        const struct queue *queue = queues_by_key(&queues, name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(queue);
        CU_ASSERT_EQUAL(strtoul(queue->key + 1, NULL, 10), i);
    }
    queues_free(&queues);
}

static const struct test_case cases[] = {
    {"printers are queues", printers_are_queues},
    {"a printer that is gone keeps no name", a_printer_that_is_gone_keeps_no_name},
    {"a name may have blanks", a_name_may_have_blanks},
    {"jobs keep their order", jobs_keep_their_order},
    {"a queue waits for its printer", a_queue_waits_for_its_printer},
    {"resuming ends with the next status", resuming_ends_with_the_next_status},
    {"many are found", many_are_found},
    {NULL, NULL},
};

const struct test_suite suite_queues = {"queues", cases};
