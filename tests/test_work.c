/*
 * test_work - what a service's work is handed, and what becomes of its answer: a work in this
 * process that does as the test says. test_live tests a service without one.
 */
#include "stores.h"

#include "live_bench.h"

/* Started with a rate of 3, and with what the script says to that. */
static void start(struct rig *rig, struct script *script)
{
    static struct service service;
    service = bench_service;
    service.work = &scripted_work;
    rig_open(rig);
    bench_set_dword(rig->store, "Rate", 3);
    rig_start_service(rig, &service, script);
    CU_ASSERT_EQUAL(script->taken, 1);
}

static void set_rate(struct rig *rig, uint32_t rate)
{
    bench_set_dword(rig->store, "Rate", rate);
    live_follow(&rig->live);
}

static const char *const beside[] = {"HKLM\\SOFTWARE\\Beside", NULL};

static void set_beside(struct rig *rig, const char *text)
{
    rs_txn *txn = bench_begin(rig->store, RS_WRITE);
    rs_key key;
    SUCCEEDS(rs_key_create(txn, RS_NO_KEY, "HKLM\\SOFTWARE\\Beside\\Below", &key));
    SUCCEEDS(rs_set_string(txn, key, "Name", text));
    bench_commit(txn);
    live_follow(&rig->live);
}

static int count(void *context, const rs_service *service)
{
    (void)service;
    ++*(unsigned *)context;
    return 0;
}

/* The service, and nobody else, is asked about the revision. */
static void expect_told(struct rig *rig, uint64_t revision, int status)
{
    unsigned asked = 0;
    CU_ASSERT_EQUAL(rs_wait(rig->store, revision, 0, count, &asked), status);
    CU_ASSERT_EQUAL(asked, 1);
}

/* It makes no line unless it makes a difference, and whoever made it can wait for it. */
static void a_change_beside_is_taken(void)
{
    struct script script = {.outcome = WORK_TAKEN, .said = ""};
    struct service service = bench_service;
    struct rig rig;
    service.work = &scripted_work;
    service.beside = beside;
    rig_open(&rig);
    bench_set_dword(rig.store, "Rate", 3);
    rig_start_service(&rig, &service, &script);
    CU_ASSERT_NOT_EQUAL(rig_log(&rig)[0], '\0');
    set_beside(&rig, "one");
    CU_ASSERT_EQUAL(script.taken, 2);
    CU_ASSERT_STRING_EQUAL(rig_log(&rig), "");
    expect_told(&rig, 2, RS_OK);
    script.said = "another name";
    set_beside(&rig, "two");
    CU_ASSERT_EQUAL(script.taken, 3);
    expect_line(&rig, "test: applied revision 3, ", "no setting changed; another name");
    expect_told(&rig, 3, RS_OK);
    script.said = "";
    set_rate(&rig, 4);
    expect_line(&rig, "test: applied revision 4, ", "Rate 3 -> 4 ms");
    script = (struct script){.outcome = WORK_REFUSED, .said = "no such name"};
    set_beside(&rig, "three");
    expect_told(&rig, 5, RS_EREJECTED);
    rig_close(&rig);
}

/* What there is no room to answer for is taken all the same. */
static void too_many_keys_beside_are_not_answered(void)
{
    struct script script = {.outcome = WORK_TAKEN, .said = ""};
    struct service service = bench_service;
    struct rig rig;
    char line[1200];
    char path[1000] = "HKLM\\SOFTWARE";
    for (size_t size = strlen(path); size < 900; size += 101) {
        snprintf(path + size, sizeof(path) - size, "\\%0100d", 1);
    }
    const char *const keys[] = {path, "HKLM\\SOFTWARE\\A key that is somewhat longer than most",
                                beside[0], NULL};
    service.work = &scripted_work;
    service.beside = keys;
    rig_open(&rig);
    rig_start_service(&rig, &service, &script);
    snprintf(line, sizeof(line), "test: %s cannot be answered for: ", beside[0]);
    CU_ASSERT(strncmp(rig_log(&rig), line, strlen(line)) == 0);
    set_beside(&rig, "one");
    CU_ASSERT_EQUAL(script.taken, 2);
    rig_close(&rig);
}

static void what_it_says_is_in_the_answer(void)
{
    struct script script = {.outcome = WORK_TAKEN, .said = "listening"};
    struct rig rig;
    start(&rig, &script);
    expect_line(&rig, "test: started with revision 1's settings: ",
                "1 set, 0 refused, 5 default; listening");
    expect_answer(&rig, "1 applied 0: listening");
    script.said = "no printers";
    set_rate(&rig, 4);
    CU_ASSERT_EQUAL(script.rate, 4);
    expect_line(&rig, "test: applied revision 2, ",
                " us after its commit: Rate 3 -> 4 ms; no printers");
    expect_answer(&rig, "2 applied 0: no printers");
    rig_close(&rig);
}

static void what_it_refuses_is_not_taken(void)
{
    struct script script = {.outcome = WORK_TAKEN, .said = ""};
    struct rig rig;
    start(&rig, &script);
    rig_log(&rig);
    script = (struct script){.outcome = WORK_REFUSED, .said = "the port is in use"};
    set_rate(&rig, 4);
    CU_ASSERT_EQUAL(script.rate, 4);
    CU_ASSERT_EQUAL(rig.live.settings->values[RATE].number, 3);
    expect_line(&rig,
                "test: refused revision 2: ", "the port is in use; keeping revision 1's settings");
    expect_answer(&rig, "2 rejected 0: the port is in use");
    script = (struct script){.outcome = WORK_TAKEN, .said = ""};
    set_rate(&rig, 5);
    expect_line(&rig, "test: applied revision 3, ", "all values are allowed again, Rate 3 -> 5 ms");
    rig_close(&rig);
}

/* Nothing of a revision that the rules refuse comes to it. */
static void it_is_not_asked_about_what_rules_refuse(void)
{
    struct script script = {.outcome = WORK_TAKEN, .said = ""};
    struct rig rig;
    start(&rig, &script);
    set_rate(&rig, 9);
    CU_ASSERT_EQUAL(script.taken, 1);
    expect_answer(&rig, "2 rejected 0: Rate: 9 is given, the rule says 1 to 5 ms (Q1)");
    rig_close(&rig);
}

static void a_change_waits_while_it_is_under_way(void)
{
    struct script script = {.outcome = WORK_TAKEN, .said = ""};
    struct rig rig;
    start(&rig, &script);
    rig_log(&rig);
    script.outcome = WORK_UNDER_WAY;
    set_rate(&rig, 4);
    set_rate(&rig, 5);
    live_read_again(&rig.live);
    CU_ASSERT_EQUAL(script.taken, 2);
    CU_ASSERT_STRING_EQUAL(rig_log(&rig), "");
    expect_answer(&rig, "1 applied 0: ");
    live_settle(&rig.live, true, "smbd reads it");
    CU_ASSERT_EQUAL(rig.live.settings->values[RATE].number, 4);
    expect_answer(&rig, "2 applied 0: smbd reads it");
    CU_ASSERT_EQUAL(script.taken, 3); /* the one that came meanwhile */
    CU_ASSERT_EQUAL(script.rate, 5);
    rig_log(&rig);
    live_settle(&rig.live, false, "smbd is gone");
    CU_ASSERT_EQUAL(rig.live.settings->values[RATE].number, 4);
    expect_answer(&rig, "3 rejected 0: smbd is gone");
    rig_close(&rig);
}

static void a_start_that_is_refused_is_told(void)
{
    struct script script = {.outcome = WORK_REFUSED, .said = "no testparm"};
    struct rig rig;
    start(&rig, &script);
    CU_ASSERT_EQUAL(rig.live.settings->values[RATE].number, 3);
    expect_answer(&rig, "1 rejected 0: no testparm");
    script = (struct script){.outcome = WORK_TAKEN, .said = ""};
    set_rate(&rig, 4);
    expect_answer(&rig, "2 applied 0: ");
    rig_close(&rig);
}

static void a_start_may_be_under_way(void)
{
    struct script script = {.outcome = WORK_UNDER_WAY, .said = ""};
    struct rig rig;
    start(&rig, &script);
    expect_line(&rig, "test: started with revision 1's settings: ", "1 set, 0 refused, 5 default");
    expect_answer(&rig, "0 none 0: ");
    live_settle(&rig.live, true, "");
    expect_answer(&rig, "1 applied 0: ");
    CU_ASSERT_STRING_EQUAL(rig_log(&rig), "");
    rig_close(&rig);
}

static void an_end_while_under_way_leaves_nothing(void)
{
    struct script script = {.outcome = WORK_TAKEN, .said = ""};
    struct rig rig;
    start(&rig, &script);
    script.outcome = WORK_UNDER_WAY;
    set_rate(&rig, 4);
    CU_ASSERT_EQUAL(script.taken, 2);
    rig_close(&rig); /* the sanitizers say whether that is so */
}

static const struct test_case cases[] = {
    {"a change beside is taken", a_change_beside_is_taken},
    {"too many keys beside are not answered", too_many_keys_beside_are_not_answered},
    {"what it says is in the answer", what_it_says_is_in_the_answer},
    {"what it refuses is not taken", what_it_refuses_is_not_taken},
    {"it is not asked about what rules refuse", it_is_not_asked_about_what_rules_refuse},
    {"a change waits while it is under way", a_change_waits_while_it_is_under_way},
    {"a start that is refused is told", a_start_that_is_refused_is_told},
    {"a start may be under way", a_start_may_be_under_way},
    {"an end while under way leaves nothing", an_end_while_under_way_leaves_nothing},
    {NULL, NULL},
};

const struct test_suite suite_work = {"work", cases};
