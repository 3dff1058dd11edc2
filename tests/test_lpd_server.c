/* test_lpd_server - clients of RFC 1179, good and bad, with the spool that stands behind. */
#include "lpd_rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONTROL "Hclient\nPjoe\nJletter\nldfA007client\nNletter.txt\nUdfA007client\n"

static void expect_document(struct lpd_rig *rig, unsigned number, const char *expected)
{
    size_t size;
    const char *bytes = lpd_rig_document(rig, number, &size);
    CU_ASSERT_EQUAL(size, strlen(expected));
    CU_ASSERT_STRING_EQUAL(bytes, expected);
}

static bool is_quiet(struct lpd_rig *rig)
{
    return strcmp(lpd_rig_logged(rig), "") == 0;
}

/* ---- Jobs ------------------------------------------------------------------------------------ */

static void a_job_is_in_the_spool_when_it_is_acknowledged(void)
{
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    int fd = lpd_connect(&rig);
    LPD_EXPECT(&rig, fd, "\2LP\n", 0);
    lpd_send_file(&rig, fd, 2, "cfA007client", CONTROL);
    CU_ASSERT_EQUAL(lpd_rig_count("jobs"), 0);
    lpd_send_file(&rig, fd, 3, "dfA007client", "Dear Sir");
    CU_ASSERT_EQUAL_FATAL(rig.received, 1);
    CU_ASSERT_EQUAL(lpd_rig_count("jobs"), 1);
    lpd_rig_wait_cleared(&rig);
    expect_document(&rig, 1, "Dear Sir");
    CU_ASSERT_STRING_EQUAL(rig.facts.queue, "lp");
    CU_ASSERT_STRING_EQUAL(rig.facts.address, "127.0.0.1");
    CU_ASSERT_STRING_EQUAL(rig.facts.host, "client");
    CU_ASSERT_STRING_EQUAL(rig.facts.user, "joe");
    CU_ASSERT_STRING_EQUAL(rig.facts.title, "letter");
    CU_ASSERT_STRING_EQUAL(rig.facts.documents[0].name, "letter.txt");
    CU_ASSERT(rig.facts.number == 7 && rig.facts.count == 1 && rig.facts.time > 1700000000);
    CU_ASSERT(rig.facts.documents[0].size == 8 && rig.facts.documents[0].format == 'l');
    close(fd);
    lpd_rig_turn(&rig);
    CU_ASSERT_EQUAL(lpd_server_clients(rig.server), 0);
    CU_ASSERT(is_quiet(&rig));
    lpd_rig_close(&rig);
}

static void several_files_are_printed_in_the_control_files_order(void)
{
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    int fd = lpd_connect(&rig);
    LPD_EXPECT(&rig, fd, "\2lp\n", 0);
    lpd_send_file(&rig, fd, 3, "dfA001h", "one");
    lpd_send_file(&rig, fd, 3, "dfB001h", "two");
    lpd_send_file(&rig, fd, 2, "cfA001h", "Pjoe\nfdfB001h\nfdfA001h\nfdfB001h\n");
    CU_ASSERT_EQUAL_FATAL(rig.received, 1);
    CU_ASSERT_EQUAL(rig.facts.count, 2);
    CU_ASSERT(rig.facts.documents[0].copies == 2 && rig.facts.documents[1].copies == 1);
    CU_ASSERT_STRING_EQUAL(rig.facts.host, "127.0.0.1"); /* it told no other */
    expect_document(&rig, 1, "two");
    expect_document(&rig, 2, "one");
    close(fd);
    lpd_rig_close(&rig);
}

static void several_jobs_come_by_one_connection(void)
{
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    int fd = lpd_connect(&rig);
    LPD_EXPECT(&rig, fd, "\2lp\n", 0);
    lpd_send_file(&rig, fd, 2, "cfA001h", "fdfA001h\n");
    lpd_send_file(&rig, fd, 3, "dfA001h", "one");
    lpd_send_file(&rig, fd, 3, "dfA002h", "two");
    lpd_send_file(&rig, fd, 2, "cfA002h", "fdfA002h\n");
    LPD_EXPECT(&rig, fd, "\2lp\n", 0);
    lpd_send_file(&rig, fd, 2, "cfA001h", "fdfA001h\n");
    lpd_send_file(&rig, fd, 3, "dfA001h", "three");
    CU_ASSERT_EQUAL(rig.received, 3);
    expect_document(&rig, 1, "three");
    close(fd);
    lpd_rig_turn(&rig);
    CU_ASSERT(is_quiet(&rig));
    lpd_rig_close(&rig);
}

/* A client that does not wait for answers gets them all the same, and in their order. */
static void answers_need_not_be_waited_for(void)
{
    struct lpd_rig rig;
    char answers[16];
    lpd_rig_open(&rig);
    int fd = lpd_connect(&rig);
    LPD_SAY(&rig, fd,
            "\2lp\n\0029 cfA001h\nfdfA001h\n\0\0033 dfA001h\none\0"
            "\0029 cfA002h\nfdfA002h\n\0\0033 dfA002h\ntwo\0\0039 dfA003h\n");
    CU_ASSERT_EQUAL(shutdown(fd, SHUT_WR), 0);
    CU_ASSERT_EQUAL(lpd_hear(&rig, fd, answers, sizeof(answers)), 11);
    CU_ASSERT_EQUAL(memcmp(answers, "\0\0\0\0\0\0\0\0\0\0\1", 11), 0);
    CU_ASSERT_EQUAL(rig.received, 2);
    lpd_rig_wait_cleared(&rig);
    close(fd);
    lpd_rig_close(&rig);
}

static void a_job_of_no_bytes_is_one(void)
{
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    int fd = lpd_connect(&rig);
    LPD_EXPECT(&rig, fd, "\2lp\n", 0);
    lpd_send_file(&rig, fd, 2, "cfA001h", "fdfA001h\n");
    lpd_send_file(&rig, fd, 3, "dfA001h", "");
    CU_ASSERT_EQUAL(rig.received, 1);
    expect_document(&rig, 1, "");
    close(fd);
    lpd_rig_close(&rig);
}

static void an_unknown_size_ends_with_the_connection(void)
{
    static const char *const lines[] = {"\0030 dfA001h\n", "\003125899906843000 dfA001h\n",
                                        "\0034294967295 dfA001h\n"};
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    for (unsigned i = 0; i < 3; i++) {
        int fd = lpd_connect(&rig);
        LPD_EXPECT(&rig, fd, "\2lp\n", 0);
        lpd_send_file(&rig, fd, 2, "cfA001h", "fdfA001h\n");
        lpd_expect(&rig, fd, lines[i], strlen(lines[i]), 0);
        LPD_SAY(&rig, fd, "as much as there is");
        CU_ASSERT_EQUAL(rig.received, i);
        CU_ASSERT_EQUAL(shutdown(fd, SHUT_WR), 0);
        CU_ASSERT_EQUAL(lpd_answer_of(&rig, fd), 0);
        CU_ASSERT_EQUAL(lpd_answer_of(&rig, fd), -1);
        CU_ASSERT_EQUAL(rig.received, i + 1);
        expect_document(&rig, 1, "as much as there is");
        close(fd);
    }
    lpd_rig_close(&rig);
}

/* Windows does not wait for the answer. */
static void a_client_may_leave_before_the_last_answer(void)
{
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    int fd = lpd_connect(&rig);
    LPD_EXPECT(&rig, fd, "\2lp\n", 0);
    lpd_send_file(&rig, fd, 2, "cfA001h", "fdfA001h\n");
    LPD_EXPECT(&rig, fd, "\0033 dfA001h\n", 0);
    LPD_SAY(&rig, fd, "one");
    close(fd);
    lpd_rig_wait(&rig, 1);
    lpd_rig_turn(&rig);
    CU_ASSERT_EQUAL(lpd_server_clients(rig.server), 0);
    expect_document(&rig, 1, "one");
    lpd_rig_close(&rig);
}

static void a_large_job_arrives_byte_for_byte(void)
{
    enum { SIZE = 3 * 1024 * 1024 + 17 };
    struct lpd_rig rig;
    char line[64];
    char *sent = malloc(SIZE + 1);
    size_t size;
    lpd_rig_open(&rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sent);
    for (size_t i = 0; i < SIZE; i++) {
        sent[i] = (char)(i * 2654435761U >> 13);
    }
    sent[SIZE] = 0;
    int fd = lpd_connect(&rig);
    LPD_EXPECT(&rig, fd, "\2lp\n", 0);
    lpd_send_file(&rig, fd, 2, "cfA001h", "odfA001h\n");
    int length = snprintf(line, sizeof(line), "\3%d dfA001h\n", SIZE);
    lpd_expect(&rig, fd, line, (size_t)length, 0);
    lpd_expect(&rig, fd, sent, SIZE + 1, 0);
    const char *got = lpd_rig_document(&rig, 1, &size);
    CU_ASSERT_EQUAL(size, SIZE);
    CU_ASSERT_EQUAL(memcmp(got, sent, SIZE), 0);
    free(sent);
    close(fd);
    lpd_rig_close(&rig);
}

/* ---- Jobs that are not taken ----------------------------------------------------------------- */

static void an_aborted_job_leaves_nothing(void)
{
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    int fd = lpd_connect(&rig);
    LPD_EXPECT(&rig, fd, "\2lp\n", 0);
    lpd_send_file(&rig, fd, 3, "dfA001h", "one");
    CU_ASSERT_EQUAL(lpd_rig_count("incoming"), 1);
    LPD_EXPECT(&rig, fd, "\1\n", 0);
    lpd_rig_wait_cleared(&rig);
    lpd_send_file(&rig, fd, 3, "dfA001h", "two");
    lpd_send_file(&rig, fd, 2, "cfA001h", "fdfA001h\n");
    CU_ASSERT_EQUAL(rig.received, 1);
    expect_document(&rig, 1, "two");
    CU_ASSERT(is_quiet(&rig));
    close(fd);
    lpd_rig_close(&rig);
}

static void a_client_that_stops_in_the_middle_leaves_nothing(void)
{
    static const char bytes[] = "\2lp\n\0033 dfA001h\none\0\0029 cfA001h\nfdfA001h\n";
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    for (size_t size = 1; size < sizeof(bytes) - 2; size++) {
        int fd = lpd_connect(&rig);
        lpd_say(&rig, fd, bytes, size);
        lpd_rig_turn(&rig);
        close(fd);
        for (unsigned i = 0; i < 3; i++) {
            lpd_rig_turn(&rig);
        }
        CU_ASSERT_EQUAL(lpd_server_clients(rig.server), 0);
        lpd_rig_wait_cleared(&rig);
    }
    CU_ASSERT_EQUAL(rig.received, 0);
    CU_ASSERT_EQUAL(lpd_rig_count("jobs"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(lpd_rig_logged(&rig), "left before its job was complete"));
    lpd_rig_close(&rig);
}

static void another_queue_is_refused(void)
{
    static const char *const names[] = {"\2\n", "\2nobody\n", "\2..\\..\\lp\n", "\2lp/../lp\n",
                                        "\2HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print\n"};
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        int fd = lpd_connect(&rig);
        lpd_expect(&rig, fd, names[i], strlen(names[i]), LPD_NO);
        CU_ASSERT_EQUAL(lpd_answer_of(&rig, fd), -1);
        close(fd);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(lpd_rig_logged(&rig),
                                  "client \"127.0.0.1\" sends a job for \"\" that is refused: "
                                  "no such printer"));
    lpd_rig_close(&rig);
}

/* Each a conversation after "receive job", the last line of which is refused. */
static void jobs_that_lie_are_refused(void)
{
    static const struct lie {
        const char *bytes;
        size_t size;
        const char *why;
    } lies[] = {
#define LIE(bytes, why) {bytes, sizeof(bytes) - 1, why}
        LIE("\00265537 cfA001h\n", "its control file is too large"),
        LIE("\0029 cfA001h\nfdfA001h\n\0\0029 cfA002h\n", "it has a second control file"),
        LIE("\0029 cfA001h\nfdfA001h\n\0\0031 dfB001h\n", "it has a file that its control file"),
        LIE("\0031 dfA001h\nx\0\0031 dfA001h\n", "it has two files of one name"),
        LIE("\0031 dfA001h\nx\0\0029 cfA001h\nfdfB001h\n\0", "it does not name all files"),
        LIE("\0023 cfA001h\nHh\n\0", "its control file is wrong: it names no file to print"),
        LIE("\00212 cfA001h\nf/etc/passwd\0",
            "its control file is wrong: it names \"/etc/passwd\""),
        LIE("\0020 cfA001h\n\0", "its control file is wrong: it names no file"),
        LIE("\003-1 dfA001h\n", "sent a file's size that is none"),
        LIE("\0031 dfA001/../../x\n", "sent a file's name with \"/\""),
        LIE("\7\n", "sent no sub-command of RFC 1179"),
    };
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct lpd_rig rig;
        char answers[64];
        lpd_rig_open(&rig);
        int fd = lpd_connect(&rig);
        LPD_SAY(&rig, fd, "\2lp\n");
        lpd_say(&rig, fd, lies[i].bytes, lies[i].size);
        CU_ASSERT_EQUAL(shutdown(fd, SHUT_WR), 0);
        size_t count = lpd_hear(&rig, fd, answers, sizeof(answers));
        CU_ASSERT(count > 1 && answers[count - 1] == LPD_NO && answers[count - 2] == LPD_YES);
        const char *logged = lpd_rig_logged(&rig);
        CU_ASSERT_PTR_NOT_NULL(strstr(logged, lies[i].why));
        CU_ASSERT_PTR_EQUAL(strchr(logged, '\n'), logged + strlen(logged) - 1); /* one line */
        lpd_rig_wait_cleared(&rig);
        CU_ASSERT_EQUAL(rig.received, 0);
        close(fd);
        lpd_rig_close(&rig);
    }
}

/* After a refusal all is refused until the client begins anew. */
static void a_refused_job_stays_refused(void)
{
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    int fd = lpd_connect(&rig);
    LPD_EXPECT(&rig, fd, "\2lp\n", 0);
    lpd_send_file(&rig, fd, 3, "dfA001h", "one");
    LPD_EXPECT(&rig, fd, "\0031 dfA001h\n", LPD_NO);
    LPD_EXPECT(&rig, fd, "\0029 cfA001h\n", LPD_NO);
    LPD_EXPECT(&rig, fd, "\1\n", 0);
    lpd_send_file(&rig, fd, 3, "dfA001h", "two");
    lpd_send_file(&rig, fd, 2, "cfA001h", "fdfA001h\n");
    CU_ASSERT_EQUAL(rig.received, 1);
    close(fd);
    lpd_rig_close(&rig);
}

/* A file that may not grow is what a unit test can have of a full disk. */
static void a_disk_that_takes_no_more_refuses_the_job(void)
{
    enum { SIZE = 1024 * 1024 };
    static char bytes[SIZE + 1];
    struct lpd_rig rig;
    struct rlimit before;
    lpd_rig_open(&rig);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit limit = {64 * 1024, before.rlim_max};
    int fd = lpd_connect(&rig);
    LPD_EXPECT(&rig, fd, "\2lp\n", 0);
    lpd_send_file(&rig, fd, 2, "cfA001h", "fdfA001h\n");
    LPD_EXPECT(&rig, fd, "\0031048576 dfA001h\n", 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
    lpd_say(&rig, fd, bytes, SIZE); /* all of it is read away */
    lpd_rig_wait_cleared(&rig);
    LPD_SAY(&rig, fd, "\0");
    CU_ASSERT_EQUAL(lpd_answer_of(&rig, fd), LPD_NO);
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);
    CU_ASSERT_PTR_NOT_NULL(strstr(lpd_rig_logged(&rig), "is refused: File too large"));
    LPD_EXPECT(&rig, fd, "\2lp\n", 0);
    lpd_send_file(&rig, fd, 2, "cfA001h", "fdfA001h\n");
    lpd_send_file(&rig, fd, 3, "dfA001h", "small");
    CU_ASSERT_EQUAL(rig.received, 1);
    close(fd);
    lpd_rig_close(&rig);
}

static void without_a_spool_no_job_is_taken(void)
{
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    int fd = lpd_connect(&rig);
    int early = lpd_connect(&rig);
    LPD_EXPECT(&rig, fd, "\2lp\n", 0);
    LPD_EXPECT(&rig, early, "\2lp\n", 0);
    lpd_send_file(&rig, fd, 3, "dfA001h", "one");
    lpd_server_spool(rig.server, NULL);
    lpd_rig_wait_cleared(&rig);
    LPD_EXPECT(&rig, fd, "\0029 cfA001h\n", LPD_NO);
    LPD_EXPECT(&rig, early, "\0031 dfA001h\n", LPD_NO);
    int other = lpd_connect(&rig);
    LPD_EXPECT(&rig, other, "\2lp\n", LPD_NO);
    close(fd);
    close(early);
    close(other);
    lpd_rig_close(&rig);
}

static const struct test_case cases[] = {
    {"a job is in the spool when it is acknowledged",
     a_job_is_in_the_spool_when_it_is_acknowledged},
    {"several files are printed in the control file's order",
     several_files_are_printed_in_the_control_files_order},
    {"several jobs come by one connection", several_jobs_come_by_one_connection},
    {"answers need not be waited for", answers_need_not_be_waited_for},
    {"a job of no bytes is one", a_job_of_no_bytes_is_one},
    {"an unknown size ends with the connection", an_unknown_size_ends_with_the_connection},
    {"a client may leave before the last answer", a_client_may_leave_before_the_last_answer},
    {"a large job arrives byte for byte", a_large_job_arrives_byte_for_byte},
    {"an aborted job leaves nothing", an_aborted_job_leaves_nothing},
    {"a client that stops in the middle leaves nothing",
     a_client_that_stops_in_the_middle_leaves_nothing},
    {"another queue is refused", another_queue_is_refused},
    {"jobs that lie are refused", jobs_that_lie_are_refused},
    {"a refused job stays refused", a_refused_job_stays_refused},
    {"a disk that takes no more refuses the job", a_disk_that_takes_no_more_refuses_the_job},
    {"without a spool no job is taken", without_a_spool_no_job_is_taken},
    {NULL, NULL}};

const struct test_suite suite_lpd_server = {"lpd_server", cases};
