/* test_lpd_clients - who is served by an LPD server, how long, and what questions are answered. */
#include "lpd_rig.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Questions ------------------------------------------------------------------------------- */

static void questions_reach_the_owner(void)
{
    struct lpd_rig rig;
    char answer[256];
    lpd_rig_open(&rig);
    rig.state_lines = 2;
    int fd = lpd_connect(&rig);
    LPD_SAY(&rig, fd, "\4lp joe 7\n");
    CU_ASSERT_EQUAL(shutdown(fd, SHUT_WR), 0); /* half closed: it is answered all the same */
    (void)lpd_hear(&rig, fd, answer, sizeof(answer));
    CU_ASSERT_STRING_EQUAL(answer, "line 0 of lp\nline 1 of lp\n");
    CU_ASSERT_STRING_EQUAL(rig.asked, "long lp by  from 127.0.0.1: joe 7");
    close(fd);
    fd = lpd_connect(&rig);
    LPD_SAY(&rig, fd, "\5lp root 1 2\n");
    (void)lpd_hear(&rig, fd, answer, sizeof(answer));
    CU_ASSERT_STRING_EQUAL(answer, "not yours\n");
    CU_ASSERT_STRING_EQUAL(rig.asked, "lp by root from 127.0.0.1: 1 2");
    close(fd);
    lpd_rig_close(&rig);
}

static void a_name_may_have_blanks(void)
{
    struct lpd_rig rig;
    char answer[256];
    lpd_rig_open(&rig);
    rig.state_lines = 1;
    int fd = lpd_connect(&rig);
    LPD_SAY(&rig, fd, "\3lp two  joe 7\n");
    (void)lpd_hear(&rig, fd, answer, sizeof(answer));
    CU_ASSERT_STRING_EQUAL(answer, "line 0 of lp two\n");
    CU_ASSERT_STRING_EQUAL(rig.asked, "lp two by  from 127.0.0.1: joe 7");
    close(fd);
    fd = lpd_connect(&rig);
    LPD_SAY(&rig, fd, "\5lp two root 1 2\n");
    (void)lpd_hear(&rig, fd, answer, sizeof(answer));
    CU_ASSERT_STRING_EQUAL(rig.asked, "lp two by root from 127.0.0.1: 1 2");
    close(fd);
    lpd_rig_close(&rig);
}

static void yes_and_no_are_bytes(void)
{
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    for (unsigned i = 0; i < 4; i++) {
        int fd = lpd_connect(&rig);
        rig.refuse = i % 2 == 1;
        lpd_say(&rig, fd, i < 2 ? "\1lp\n" : "\5lp joe\n", i < 2 ? 4 : 8);
        CU_ASSERT_EQUAL(lpd_answer_of(&rig, fd), rig.refuse ? LPD_NO : LPD_YES);
        CU_ASSERT_EQUAL(lpd_answer_of(&rig, fd), -1);
        close(fd);
    }
    lpd_rig_close(&rig);
}

static void a_state_has_a_limit(void)
{
    static char answer[2 * LPD_ANSWER_MAX];
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    rig.state_lines = 100000;
    int fd = lpd_connect(&rig);
    LPD_SAY(&rig, fd, "\3lp\n");
    size_t size = lpd_hear(&rig, fd, answer, sizeof(answer));
    CU_ASSERT(size <= LPD_ANSWER_MAX && size > LPD_ANSWER_MAX - 64);
    CU_ASSERT_STRING_EQUAL(answer + size - 13, "... and more\n");
    close(fd);
    lpd_rig_close(&rig);
}

/* A client that does not read is not read either, and goes when it is silent. */
static void a_client_that_does_not_read_holds_little(void)
{
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    rig.state_lines = 100000;
    int fd = lpd_connect(&rig);
    const int small = 4096;
    lpd_rig_turn(&rig);
    int its = rig.server->served.first->source.fd;
    CU_ASSERT_EQUAL(setsockopt(its, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    LPD_SAY(&rig, fd, "\3lp\n");
    lpd_rig_turn(&rig);
    CU_ASSERT_EQUAL_FATAL(rig.server->served.count, 1);
    rig.server->served.first->since -= LPD_SILENCE_MS;
    lpd_server_look_at_silent(rig.server);
    CU_ASSERT_EQUAL(lpd_server_clients(rig.server), 0);
    close(fd);
    lpd_rig_close(&rig);
}

/* ---- Who is let in, and how long ------------------------------------------------------------- */

static void more_clients_than_are_allowed_are_turned_away(void)
{
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    lpd_server_limits(rig.server, 2, false);
    int first = lpd_connect(&rig);
    int second = lpd_connect(&rig);
    LPD_EXPECT(&rig, first, "\2lp\n", 0);
    LPD_EXPECT(&rig, second, "\2lp\n", 0);
    for (unsigned i = 0; i < 100; i++) {
        int fd = lpd_connect(&rig);
        CU_ASSERT_EQUAL(lpd_answer_of(&rig, fd), LPD_NO);
        CU_ASSERT_EQUAL(lpd_answer_of(&rig, fd), -1);
        close(fd);
    }
    const char *logged = lpd_rig_logged(&rig);
    CU_ASSERT_PTR_NOT_NULL(strstr(logged, "is turned away: as many as are allowed, 2,"));
    CU_ASSERT_PTR_EQUAL(strchr(logged, '\n'), logged + strlen(logged) - 1); /* one line */
    close(first);
    lpd_rig_turn(&rig);
    int third = lpd_connect(&rig);
    LPD_EXPECT(&rig, third, "\2lp\n", 0);
    rig.server->troubles[LPD_TROUBLE_FULL].when -= SELDOM_MS;
    int fourth = lpd_connect(&rig);
    CU_ASSERT_EQUAL(lpd_answer_of(&rig, fourth), LPD_NO);
    CU_ASSERT_PTR_NOT_NULL(strstr(lpd_rig_logged(&rig), "; 99 more like this since"));
    lpd_server_limits(rig.server, 0, false);
    rig.server->troubles[LPD_TROUBLE_FULL].when -= SELDOM_MS;
    int fifth = lpd_connect(&rig);
    CU_ASSERT_EQUAL(lpd_answer_of(&rig, fifth), LPD_NO);
    CU_ASSERT_PTR_NOT_NULL(strstr(lpd_rig_logged(&rig), "is turned away: none is served now\n"));
    close(second);
    close(third);
    close(fourth);
    close(fifth);
    lpd_rig_close(&rig);
}

/* Bytes now and then are signs of life, but do not keep a place that another one needs. */
static void who_is_slow_makes_place(void)
{
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    lpd_server_limits(rig.server, 2, false);
    int slow = lpd_connect(&rig);
    int fast = lpd_connect(&rig);
    LPD_EXPECT(&rig, slow, "\2lp\n", 0);
    LPD_EXPECT(&rig, fast, "\2lp\n", 0);
    LPD_EXPECT(&rig, slow, "\00310000 dfA001h\n", 0);
    LPD_EXPECT(&rig, fast, "\00310000 dfA002h\n", 0);
    for (struct lpd_client *each = rig.server->served.first; each != NULL; each = each->after) {
        each->slow_since -= LPD_SILENCE_MS;
    }
    char bytes[LPD_PACE] = "";
    CU_ASSERT_EQUAL(send(fast, bytes, sizeof(bytes), 0), (ssize_t)sizeof(bytes));
    CU_ASSERT_EQUAL(send(slow, bytes, 1, 0), 1);
    lpd_rig_turn(&rig);
    CU_ASSERT_EQUAL(rig.server->served.count, 2); /* as long as nobody else comes */
    int third = lpd_connect(&rig);
    LPD_EXPECT(&rig, third, "\2lp\n", 0);
    CU_ASSERT_EQUAL(lpd_answer_of(&rig, slow), -1);
    int fourth = lpd_connect(&rig);
    CU_ASSERT_EQUAL(lpd_answer_of(&rig, fourth), LPD_NO);
    CU_ASSERT_EQUAL(rig.server->served.count, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(lpd_rig_logged(&rig), "is cut off for another one"));
    CU_ASSERT_PTR_NULL(strstr(lpd_rig_logged(&rig), "left before"));
    close(slow);
    close(fast);
    close(third);
    close(fourth);
    lpd_rig_close(&rig);
}

/* Of the time that a client has been there; nobody waits for an hour. */
static void pass_time(struct lpd_rig *rig, int64_t time)
{
    for (struct lpd_client *each = rig->server->served.first; each != NULL; each = each->after) {
        each->begun -= time;
    }
    lpd_rig_turn(rig);
}

/* Also one that sends more than LPD_PACE each minute, and whatever it has announced. */
static void a_job_has_to_come_in_time(void)
{
    enum { SECONDS = 100, GRACE_MS = 20000 };
    static const char bytes[LPD_RECEIPT_PACE * SECONDS];
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    int slow = lpd_connect(&rig);
    int fast = lpd_connect(&rig);
    LPD_EXPECT(&rig, slow, "\2lp\n", 0);
    LPD_EXPECT(&rig, fast, "\2lp\n", 0);
    LPD_EXPECT(&rig, slow, "\00310000000 dfA001h\n", 0);
    LPD_EXPECT(&rig, fast, "\00310000000 dfA002h\n", 0);
    pass_time(&rig, LPD_RECEIPT_MS - GRACE_MS);
    LPD_SAY(&rig, slow, "xxxxxxxx");
    lpd_say(&rig, fast, bytes, sizeof(bytes));
    lpd_rig_turn(&rig);
    CU_ASSERT_EQUAL(rig.server->served.count, 2);
    pass_time(&rig, SECONDS * 1000 - GRACE_MS);
    LPD_SAY(&rig, slow, "x");
    LPD_SAY(&rig, fast, "x");
    CU_ASSERT_EQUAL(lpd_answer_of(&rig, slow), -1);
    CU_ASSERT_EQUAL(rig.server->served.count, 1);
    const char *logged = lpd_rig_logged(&rig);
    CU_ASSERT_PTR_NOT_NULL(strstr(logged, "is cut off: its job takes longer than an hour"));
    CU_ASSERT_PTR_NULL(strstr(logged, "left before"));
    pass_time(&rig, 3 * GRACE_MS);
    LPD_SAY(&rig, fast, "x");
    CU_ASSERT_EQUAL(lpd_answer_of(&rig, fast), -1);
    close(slow);
    close(fast);
    lpd_rig_close(&rig);
}

/* One that sends jobs all day is welcome. */
static void each_job_has_its_time(void)
{
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    int fd = lpd_connect(&rig);
    LPD_EXPECT(&rig, fd, "\2lp\n", 0);
    for (unsigned i = 1; i <= 3; i++) {
        pass_time(&rig, LPD_RECEIPT_MS / 2 + 1000);
        lpd_send_file(&rig, fd, 2, "cfA001h", "fdfA001h\n");
        lpd_send_file(&rig, fd, 3, "dfA001h", "one");
        CU_ASSERT_EQUAL(rig.received, i);
    }
    close(fd);
    lpd_rig_close(&rig);
}

/* Both are accepted in one go. */
static void who_has_gone_makes_place(void)
{
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    lpd_server_limits(rig.server, 1, false);
    close(lpd_connect(&rig));
    int fd = lpd_connect(&rig);
    LPD_EXPECT(&rig, fd, "\2lp\n", 0);
    close(fd);
    lpd_rig_close(&rig);
}

static int connect_from(const struct lpd_rig *rig, unsigned port)
{
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in to = from;
    const int on = 1;
    from.sin_port = htons((uint16_t)port);
    to.sin_port = htons((uint16_t)rig->port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
    if (bind(fd, (const struct sockaddr *)&from, sizeof(from)) != 0 ||
        connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void reserved_ports_are_asked_for(void)
{
    static const unsigned ports[] = {720, 721, 731, 732};
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    lpd_server_limits(rig.server, 9, true);
    int plain = lpd_connect(&rig);
    CU_ASSERT_EQUAL(lpd_answer_of(&rig, plain), LPD_NO);
    CU_ASSERT_PTR_NOT_NULL(strstr(lpd_rig_logged(&rig), "is none of 721 to 731"));
    close(plain);
    for (size_t i = 0; i < 4; i++) {
        int fd = connect_from(&rig, ports[i]);
        if (fd < 0) {
            test_skip("a port below 1024 cannot be had");
            break;
        }
        if (i == 1 || i == 2) {
            LPD_EXPECT(&rig, fd, "\2lp\n", 0);
        } else {
            CU_ASSERT_EQUAL(lpd_answer_of(&rig, fd), LPD_NO);
        }
        close(fd);
    }
    lpd_rig_close(&rig);
}

static void a_silent_client_goes(void)
{
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    int fd = lpd_connect(&rig);
    LPD_EXPECT(&rig, fd, "\2lp\n", 0);
    lpd_send_file(&rig, fd, 3, "dfA001h", "one");
    CU_ASSERT(rig.server->silence.set);
    rig.server->served.first->since -= LPD_SILENCE_MS - 1000;
    lpd_server_look_at_silent(rig.server);
    CU_ASSERT_EQUAL(lpd_server_clients(rig.server), 1);
    LPD_EXPECT(&rig, fd, "\0031 dfB001h\n", 0); /* a sign of life */
    lpd_server_look_at_silent(rig.server);
    CU_ASSERT(rig.server->silence.due > loop_now(&rig.loop) + LPD_SILENCE_MS - 1000);
    rig.server->served.first->since -= LPD_SILENCE_MS;
    lpd_server_look_at_silent(rig.server);
    CU_ASSERT_EQUAL(lpd_server_clients(rig.server), 0);
    CU_ASSERT_EQUAL(lpd_answer_of(&rig, fd), -1);
    lpd_rig_wait_cleared(&rig);
    close(fd);
    lpd_rig_close(&rig);
}

/* One that never ends what it says after its answer does not stay for ever. */
static void a_client_that_does_not_leave_is_closed(void)
{
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    int fd = lpd_connect(&rig);
    LPD_EXPECT(&rig, fd, "\1lp\n", 0);
    CU_ASSERT_EQUAL_FATAL(rig.server->leaving.count, 1);
    CU_ASSERT_EQUAL(lpd_server_clients(rig.server), 0);
    LPD_SAY(&rig, fd, "and more and more");
    lpd_rig_turn(&rig);
    CU_ASSERT_EQUAL(rig.server->leaving.count, 1);
    CU_ASSERT(rig.server->silence.due <= loop_now(&rig.loop) + LPD_LEAVING_MS);
    rig.server->leaving.first->since -= LPD_LEAVING_MS;
    lpd_server_look_at_silent(rig.server);
    CU_ASSERT_EQUAL(rig.server->leaving.count, 0);
    CU_ASSERT_FALSE(rig.server->silence.set);
    close(fd);
    lpd_rig_close(&rig);
}

/* ---- Others ---------------------------------------------------------------------------------- */

/* While one job is on its way to the disk, others are served. */
static void a_commit_holds_nobody_up(void)
{
    struct lpd_rig rig;
    char answers[8];
    lpd_rig_open(&rig);
    int first = lpd_connect(&rig);
    int second = lpd_connect(&rig);
    LPD_EXPECT(&rig, second, "\2lp\n", 0);
    LPD_EXPECT(&rig, first, "\2lp\n", 0);
    lpd_send_file(&rig, first, 2, "cfA001h", "fdfA001h\n");
    LPD_SAY(&rig, first, "\0033 dfA001h\none\0");
    lpd_send_file(&rig, second, 2, "cfA002h", "fdfA002h\n");
    lpd_send_file(&rig, second, 3, "dfA002h", "two");
    CU_ASSERT_EQUAL(shutdown(first, SHUT_WR), 0);
    CU_ASSERT_EQUAL(lpd_hear(&rig, first, answers, sizeof(answers)), 2);
    CU_ASSERT_EQUAL(memcmp(answers, "\0\0", 2), 0);
    CU_ASSERT_EQUAL(rig.received, 2);
    close(first);
    close(second);
    lpd_rig_close(&rig);
}

/* The server goes while jobs are being received and committed. */
static void closing_drops_what_is_under_way(void)
{
    struct lpd_rig rig;
    lpd_rig_open(&rig);
    int first = lpd_connect(&rig);
    int second = lpd_connect(&rig);
    LPD_EXPECT(&rig, first, "\2lp\n", 0);
    LPD_EXPECT(&rig, second, "\2lp\n", 0);
    lpd_send_file(&rig, first, 2, "cfA001h", "fdfA001h\n");
    LPD_EXPECT(&rig, first, "\0033 dfA001h\n", 0);
    lpd_send_file(&rig, second, 3, "dfA002h", "two");
    CU_ASSERT_EQUAL(send(first, "one", 4, 0), 4);
    lpd_rig_turn(&rig); /* its commit begins, and may be over */
    lpd_rig_close(&rig);
    CU_ASSERT_EQUAL(lpd_rig_count("incoming"), 0);
    close(first);
    close(second);
}

static void another_address_is_taken_live(void)
{
    struct lpd_rig rig;
    struct line problem = LINE_INIT;
    lpd_rig_open(&rig);
    int fd = lpd_connect(&rig);
    LPD_EXPECT(&rig, fd, "\2lp\n", 0);
    CU_ASSERT(lpd_server_listen(rig.server, "127.0.0.1", 0, &problem));
    CU_ASSERT_FALSE(rig.server->listener.open);
    CU_ASSERT(lpd_server_listen(rig.server, "0.0.0.0", rig.port, &problem));
    CU_ASSERT_FALSE(lpd_server_listen(rig.server, "nowhere", rig.port, &problem));
    CU_ASSERT_STRING_EQUAL(rig.server->listener.host, "0.0.0.0");
    LPD_EXPECT(&rig, fd, "\0031 dfA001h\n", 0);
    int other = lpd_connect(&rig);
    LPD_EXPECT(&rig, other, "\2lp\n", 0);
    close(fd);
    close(other);
    lpd_rig_close(&rig);
}

static void an_inherited_socket_is_served_too(void)
{
    struct lpd_rig rig;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    lpd_rig_open(&rig);
    int given = listener_socket((const struct sockaddr *)&address, length);
    CU_ASSERT_FATAL(given >= 0);
    CU_ASSERT_EQUAL(getsockname(given, (struct sockaddr *)&address, &length), 0);
    CU_ASSERT_EQUAL(lpd_server_inherit(rig.server, given), 0);
    int own = lpd_connect(&rig);
    rig.port = ntohs(address.sin_port);
    int inherited = lpd_connect(&rig);
    LPD_EXPECT(&rig, own, "\2lp\n", 0);
    LPD_EXPECT(&rig, inherited, "\2lp\n", 0);
    close(own);
    close(inherited);
    lpd_rig_close(&rig);
}

static const struct test_case cases[] = {
    {"questions reach the owner", questions_reach_the_owner},
    {"a name may have blanks", a_name_may_have_blanks},
    {"yes and no are bytes", yes_and_no_are_bytes},
    {"a state has a limit", a_state_has_a_limit},
    {"a client that does not read holds little", a_client_that_does_not_read_holds_little},
    {"more clients than are allowed are turned away",
     more_clients_than_are_allowed_are_turned_away},
    {"who has gone makes place", who_has_gone_makes_place},
    {"who is slow makes place", who_is_slow_makes_place},
    {"a job has to come in time", a_job_has_to_come_in_time},
    {"each job has its time", each_job_has_its_time},
    {"reserved ports are asked for", reserved_ports_are_asked_for},
    {"a silent client goes", a_silent_client_goes},
    {"a client that does not leave is closed", a_client_that_does_not_leave_is_closed},
    {"a commit holds nobody up", a_commit_holds_nobody_up},
    {"closing drops what is under way", closing_drops_what_is_under_way},
    {"another address is taken live", another_address_is_taken_live},
    {"an inherited socket is served, too", an_inherited_socket_is_served_too},
    {NULL, NULL}};

const struct test_suite suite_lpd_clients = {"lpd_clients", cases};
