/*
 * test_live_command - a service whose work is stopped and started again while its process lives: a
 * work in this process that does as the test says.
 */
#include "stores.h"

#include "live_bench.h"

#include "../services/common/live_command.h"

/* Hears the answers that come later, and where the store is. */
struct ears {
    char answer[128];
    unsigned answers;
    char dir[512];
};

static void hear_answer(void *owner, const char *answer)
{
    struct ears *ears = owner;
    snprintf(ears->answer, sizeof(ears->answer), "%s", answer);
    ears->answers++;
}

static void hear_dir(void *owner, const char *dir)
{
    struct ears *ears = owner;
    snprintf(ears->dir, sizeof(ears->dir), "%s", dir);
}

struct scene {
    struct rig rig;
    struct script script;
    struct ears ears;
    struct live_commander commander;
    struct service service;
};

/* Started with a rate of 3, and what was said until then is not looked at. */
static void begin(struct scene *scene)
{
    *scene = (struct scene){.script = {.outcome = WORK_TAKEN, .said = ""}};
    scene->service = bench_service;
    scene->service.work = &scripted_work;
    scene->commander = (struct live_commander){hear_answer, hear_dir, &scene->ears};
    rig_open(&scene->rig);
    bench_set_dword(scene->rig.store, "Rate", 3);
    scene->rig.commander = &scene->commander;
    rig_start_service(&scene->rig, &scene->service, &scene->script);
    rig_log(&scene->rig);
}

/* The answer; "" for one that comes later. */
static const char *stop(struct scene *scene)
{
    static struct line line;
    line = (struct line)LINE_INIT;
    bool answered = live_stop(&scene->rig.live, &line);
    CU_ASSERT_EQUAL(answered, line.length > 0);
    return line.text;
}

static const char *start(struct scene *scene)
{
    static struct line line;
    line = (struct line)LINE_INIT;
    bool answered = live_start(&scene->rig.live, &line);
    CU_ASSERT_EQUAL(answered, line.length > 0);
    return line.text;
}

static void set(struct scene *scene, const char *name, uint32_t number)
{
    bench_set_dword(scene->rig.store, name, number);
    live_follow(&scene->rig.live);
}

static void script(struct scene *scene, enum work_outcome outcome, const char *said)
{
    scene->script = (struct script){.outcome = outcome, .said = said};
}

/* ---- Tests ---- */

static void a_stopped_service_follows_its_settings(void)
{
    struct scene scene;
    begin(&scene);
    CU_ASSERT_STRING_EQUAL(scene.ears.dir, rs_store_dir(scene.rig.store));
    CU_ASSERT_STRING_EQUAL(live_condition(&scene.rig.live), "running");
    CU_ASSERT_STRING_EQUAL(stop(&scene), "ok stopped");
    CU_ASSERT_EQUAL(scene.script.halted, 1);
    CU_ASSERT_STRING_EQUAL(rig_log(&scene.rig), "test: stopped on request\n");
    expect_answer(&scene.rig, "1 applied 0: the service is stopped");
    CU_ASSERT_STRING_EQUAL(live_condition(&scene.rig.live), "stopped");
    set(&scene, "Rate", 4);
    CU_ASSERT_EQUAL(scene.script.taken, 1);
    expect_line(&scene.rig, "test: applied revision 2, ",
                " us after its commit: Rate 3 -> 4 ms; the service is stopped");
    expect_answer(&scene.rig, "2 applied 0: the service is stopped");
    set(&scene, "Rate", 9);
    expect_answer(&scene.rig, "3 rejected 0: Rate: 9 is given, the rule says 1 to 5 ms (Q1)");
    CU_ASSERT_STRING_EQUAL(stop(&scene), "already stopped");
    CU_ASSERT_EQUAL(scene.script.halted, 1);
    rig_close(&scene.rig);
}

static void a_start_takes_what_waits_for_a_restart(void)
{
    struct scene scene;
    begin(&scene);
    set(&scene, "Buffers", 8);
    expect_answer(&scene.rig, "2 restart 2: Buffers");
    CU_ASSERT_STRING_EQUAL(stop(&scene), "ok stopped");
    expect_answer(&scene.rig, "2 applied 2: the service is stopped");
    set(&scene, "Rate", 5);
    rig_log(&scene.rig);
    scene.script.said = "listening";
    CU_ASSERT_STRING_EQUAL(start(&scene), "ok running");
    CU_ASSERT_EQUAL(scene.script.rate, 5);
    expect_line(&scene.rig, "test: started with revision 3's settings: ",
                "2 set, 0 refused, 4 default; listening");
    expect_answer(&scene.rig, "3 applied 0: listening");
    CU_ASSERT_STRING_EQUAL(start(&scene), "already running");
    scene.script.said = "";
    set(&scene, "Rate", 2);
    CU_ASSERT_EQUAL(scene.script.rate, 2);
    expect_answer(&scene.rig, "4 applied 0: ");
    rig_close(&scene.rig);
}

/* As at the start of the process, nobody else's settings are there to fall back to. */
static void a_start_has_defaults_for_what_is_refused(void)
{
    struct scene scene;
    begin(&scene);
    CU_ASSERT_STRING_EQUAL(stop(&scene), "ok stopped");
    bench_set_dword(scene.rig.store, "Rate", 9);
    CU_ASSERT_STRING_EQUAL(start(&scene), "ok running");
    CU_ASSERT_EQUAL(scene.script.rate, 2);
    expect_answer(&scene.rig, "2 rejected 0: Rate: 9 is given, the rule says 1 to 5 ms (Q1)");
    rig_log(&scene.rig);
    live_follow(&scene.rig.live); /* the watch tells what was read already */
    CU_ASSERT_STRING_EQUAL(rig_log(&scene.rig), "");
    rig_close(&scene.rig);
}

/* Rules that came while it was stopped, and that nothing has told of yet. */
static void a_start_has_the_rules_of_the_store(void)
{
    struct scene scene;
    begin(&scene);
    CU_ASSERT_STRING_EQUAL(stop(&scene), "ok stopped");
    rs_txn *txn = bench_begin(scene.rig.store, RS_WRITE);
    set_rule(txn, BENCH_KEY, "Rate", "type=REG_DWORD|min=4|max=9|default=7");
    SUCCEEDS(rs_value_delete(txn, bench_key(txn), "Rate"));
    bench_commit(txn);
    CU_ASSERT_STRING_EQUAL(start(&scene), "ok running");
    CU_ASSERT_EQUAL(scene.script.rate, 7);
    rig_close(&scene.rig);
}

static void what_cannot_be_stopped_runs_on(void)
{
    struct scene scene;
    begin(&scene);
    script(&scene, WORK_REFUSED, "smbd does not answer");
    CU_ASSERT_STRING_EQUAL(stop(&scene), "error smbd does not answer");
    CU_ASSERT_STRING_EQUAL(live_condition(&scene.rig.live), "running");
    CU_ASSERT_STRING_EQUAL(rig_log(&scene.rig), "test: cannot stop: smbd does not answer\n");
    expect_answer(&scene.rig, "1 applied 0: ");
    rig_close(&scene.rig);
}

/* As at the start of the process: it does what it can, and the next change may mend it. */
static void what_is_refused_at_a_start_is_told(void)
{
    struct scene scene;
    begin(&scene);
    stop(&scene);
    script(&scene, WORK_REFUSED, "the port is in use");
    CU_ASSERT_STRING_EQUAL(start(&scene), "ok running: the port is in use");
    CU_ASSERT_STRING_EQUAL(live_condition(&scene.rig.live), "running");
    expect_answer(&scene.rig, "1 rejected 0: the port is in use");
    script(&scene, WORK_TAKEN, "");
    set(&scene, "Rate", 4);
    CU_ASSERT_EQUAL(scene.script.rate, 4);
    expect_answer(&scene.rig, "2 applied 0: ");
    rig_close(&scene.rig);
}

static void an_answer_comes_when_the_work_is_done(void)
{
    struct scene scene;
    begin(&scene);
    script(&scene, WORK_UNDER_WAY, "");
    CU_ASSERT_STRING_EQUAL(stop(&scene), "");
    CU_ASSERT_STRING_EQUAL(live_condition(&scene.rig.live), "stopping");
    set(&scene, "Rate", 4); /* waits, as the work has the old settings */
    CU_ASSERT_EQUAL(scene.rig.live.settings->values[RATE].number, 3);
    CU_ASSERT_EQUAL(scene.ears.answers, 0);
    live_settle(&scene.rig.live, true, "");
    CU_ASSERT_STRING_EQUAL(scene.ears.answer, "ok stopped");
    expect_answer(&scene.rig, "2 applied 0: the service is stopped");
    CU_ASSERT_STRING_EQUAL(start(&scene), "");
    CU_ASSERT_STRING_EQUAL(live_condition(&scene.rig.live), "starting");
    live_settle(&scene.rig.live, true, "smbd reads it");
    CU_ASSERT_STRING_EQUAL(scene.ears.answer, "ok running");
    expect_answer(&scene.rig, "2 applied 0: smbd reads it");
    CU_ASSERT_EQUAL(scene.ears.answers, 2);
    script(&scene, WORK_UNDER_WAY, "");
    CU_ASSERT_STRING_EQUAL(stop(&scene), "");
    live_settle(&scene.rig.live, false, "smbd is gone");
    CU_ASSERT_STRING_EQUAL(scene.ears.answer, "error smbd is gone");
    CU_ASSERT_STRING_EQUAL(live_condition(&scene.rig.live), "running");
    rig_close(&scene.rig);
}

static void a_start_under_way_may_be_refused(void)
{
    struct scene scene;
    begin(&scene);
    stop(&scene);
    script(&scene, WORK_UNDER_WAY, "");
    CU_ASSERT_STRING_EQUAL(start(&scene), "");
    live_settle(&scene.rig.live, false, "smbd is gone");
    CU_ASSERT_STRING_EQUAL(scene.ears.answer, "ok running: smbd is gone");
    CU_ASSERT_STRING_EQUAL(live_condition(&scene.rig.live), "running");
    expect_answer(&scene.rig, "1 rejected 0: smbd is gone");
    rig_close(&scene.rig);
}

static void a_command_waits_for_what_is_under_way(void)
{
    struct scene scene;
    begin(&scene);
    script(&scene, WORK_UNDER_WAY, "");
    set(&scene, "Rate", 4);
    CU_ASSERT_STRING_EQUAL(stop(&scene), "");
    CU_ASSERT_EQUAL(scene.script.halted, 0);
    scene.script.outcome = WORK_TAKEN;
    live_settle(&scene.rig.live, true, "");
    CU_ASSERT_EQUAL(scene.script.halted, 1);
    CU_ASSERT_STRING_EQUAL(scene.ears.answer, "ok stopped");
    expect_answer(&scene.rig, "2 applied 0: the service is stopped");
    rig_close(&scene.rig);
}

/* All who wait hear how it ended. */
static void the_last_command_counts(void)
{
    struct scene scene;
    begin(&scene);
    script(&scene, WORK_UNDER_WAY, "");
    CU_ASSERT_STRING_EQUAL(stop(&scene), "");
    CU_ASSERT_STRING_EQUAL(start(&scene), "");
    scene.script.outcome = WORK_TAKEN;
    live_settle(&scene.rig.live, true, "");
    CU_ASSERT_EQUAL(scene.script.taken, 1);
    CU_ASSERT_STRING_EQUAL(scene.ears.answer, "ok running");
    script(&scene, WORK_UNDER_WAY, "");
    CU_ASSERT_STRING_EQUAL(stop(&scene), "");
    CU_ASSERT_STRING_EQUAL(start(&scene), "");
    CU_ASSERT_STRING_EQUAL(stop(&scene), "");
    live_settle(&scene.rig.live, true, "");
    CU_ASSERT_STRING_EQUAL(scene.ears.answer, "ok stopped");
    CU_ASSERT_EQUAL(scene.script.halted, 1);
    CU_ASSERT_EQUAL(scene.ears.answers, 2);
    rig_close(&scene.rig);
}

static void a_service_without_work_can_be_stopped(void)
{
    struct scene scene;
    begin(&scene);
    scene.service.work = NULL;
    CU_ASSERT_STRING_EQUAL(stop(&scene), "ok stopped");
    CU_ASSERT_STRING_EQUAL(start(&scene), "ok running");
    rig_close(&scene.rig);
}

static void an_end_while_it_is_being_stopped_leaves_nothing(void)
{
    struct scene scene;
    begin(&scene);
    script(&scene, WORK_UNDER_WAY, "");
    CU_ASSERT_STRING_EQUAL(stop(&scene), "");
    rig_close(&scene.rig);
    begin(&scene);
    stop(&scene);
    script(&scene, WORK_UNDER_WAY, "");
    CU_ASSERT_STRING_EQUAL(start(&scene), "");
    rig_close(&scene.rig); /* the sanitizers say whether that is so */
}

static const struct test_case cases[] = {
    {"a stopped service follows its settings", a_stopped_service_follows_its_settings},
    {"a start takes what waits for a restart", a_start_takes_what_waits_for_a_restart},
    {"a start has defaults for what is refused", a_start_has_defaults_for_what_is_refused},
    {"a start has the rules of the store", a_start_has_the_rules_of_the_store},
    {"what cannot be stopped runs on", what_cannot_be_stopped_runs_on},
    {"what is refused at a start is told", what_is_refused_at_a_start_is_told},
    {"an answer comes when the work is done", an_answer_comes_when_the_work_is_done},
    {"a start under way may be refused", a_start_under_way_may_be_refused},
    {"a command waits for what is under way", a_command_waits_for_what_is_under_way},
    {"the last command counts", the_last_command_counts},
    {"a service without work can be stopped", a_service_without_work_can_be_stopped},
    {"an end while it is being stopped leaves nothing",
     an_end_while_it_is_being_stopped_leaves_nothing},
    {NULL, NULL},
};

const struct test_suite suite_live_command = {"live_command", cases};
