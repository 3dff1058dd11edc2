/* test_rpc_client - conversations with a server, and with those that do not behave as one. */
#include "rpc_rig.h"

#include "../services/rpc/client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_MS 10000

/* One conversation: what is asked for, and what became of it. */
struct talk {
    struct rpc_client *client;
    unsigned wanted; /* calls */
    unsigned asked;
    unsigned answered;
    uint16_t opnum;
    size_t size; /* of the arguments */
    unsigned cancel_in_ask;
    unsigned cancel_in_answered;
    bool done;
    bool cancelled;
    char problem[RPC_CLIENT_PROBLEM];
};

static void cancel(struct talk *talk)
{
    talk->cancelled = true;
    rpc_client_cancel(talk->client);
}

static bool ask(void *owner, uint16_t *opnum, struct ndr_push *arguments)
{
    struct talk *talk = owner;
    if (talk->asked == talk->wanted) {
        return false;
    }
    talk->asked++;
    *opnum = talk->opnum;
    (void)ndr_push_space(arguments, talk->size);
    if (talk->cancel_in_ask == talk->asked) {
        cancel(talk);
    }
    return true;
}

static bool take_answer(void *owner, const uint8_t *answer, size_t size)
{
    struct talk *talk = owner;
    talk->answered++;
    CU_ASSERT_EQUAL(size, talk->size);
    CU_ASSERT(size == 0 || answer[size - 1] == 0);
    if (talk->cancel_in_answered == talk->answered) {
        cancel(talk);
    }
    return talk->answered < 5;
}

static void is_done(void *owner, const char *problem)
{
    struct talk *talk = owner;
    CU_ASSERT_FALSE(talk->done || talk->cancelled);
    talk->done = true;
    snprintf(talk->problem, sizeof(talk->problem), "%s", problem != NULL ? problem : "");
}

static bool is_over(void *argument)
{
    const struct talk *talk = argument;
    return talk->done || talk->cancelled;
}

static void start(struct rpc_rig *rig, struct talk *talk, const char *host, int64_t limit)
{
    char name[64];
    snprintf(name, sizeof(name), "%s", host);
    struct rpc_client_options options = {.loop = &rig->loop,
                                         .host = name,
                                         .port = rig->port,
                                         .interface = echo_interface.syntax,
                                         .limit = limit,
                                         .whole = LIMIT_MS,
                                         .owner = talk,
                                         .ask = ask,
                                         .answered = take_answer,
                                         .done = is_done};
    CU_ASSERT_EQUAL_FATAL(rpc_client_start(&options, &talk->client), 0);
    memset(name, 'x', sizeof(name)); /* it is the caller's */
    CU_ASSERT_FALSE(is_over(talk));
}

static void converse(struct rpc_rig *rig, struct talk *talk, const char *host)
{
    start(rig, talk, host, LIMIT_MS);
    (void)turn_until(rig, is_over, talk);
    turn(rig);
    CU_ASSERT_EQUAL(rpc_server_connections(rig->server), 0);
}

static void calls_are_made_one_after_another(void)
{
    static const size_t sizes[] = {0, 1, 5816, 5817, 100000};
    struct rpc_rig rig;
    rpc_rig_open(&rig);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct talk talk = {.wanted = 3, .opnum = ECHO_SAME, .size = sizes[i]};
        converse(&rig, &talk, "127.0.0.1");
        CU_ASSERT_STRING_EQUAL(talk.problem, "");
        CU_ASSERT(talk.asked == 3 && talk.answered == 3);
    }
    CU_ASSERT_EQUAL(rig.calls, 15);
    rpc_rig_close(&rig);
}

static void an_answer_can_be_the_last(void)
{
    struct rpc_rig rig;
    struct talk talk = {.wanted = 100, .opnum = ECHO_SAME};
    rpc_rig_open(&rig);
    converse(&rig, &talk, "127.0.0.1");
    CU_ASSERT_STRING_EQUAL(talk.problem, "");
    CU_ASSERT_EQUAL(talk.answered, 5);
    rpc_rig_close(&rig);
}

static void names_are_looked_up(void)
{
    struct rpc_rig rig;
    struct talk talk = {.wanted = 1, .opnum = ECHO_SAME};
    struct talk nobody = {.wanted = 1};
    rpc_rig_open(&rig);
    converse(&rig, &talk, "localhost"); /* ::1 may come first, where nobody listens */
    CU_ASSERT_STRING_EQUAL(talk.problem, "");
    converse(&rig, &nobody, "");
    CU_ASSERT_PTR_NOT_NULL(strstr(nobody.problem, "its address was not found: "));
    rpc_rig_close(&rig);
}

static void refusals_are_told(void)
{
    struct rpc_rig rig;
    struct talk fault = {.wanted = 3, .opnum = ECHO_CALLS};
    struct talk nobody = {.wanted = 1};
    struct talk large = {.wanted = 1, .size = 1024 * 1024 + 1};
    rpc_rig_open(&rig);
    converse(&rig, &fault, "127.0.0.1");
    CU_ASSERT_STRING_EQUAL(fault.problem, "it refuses the call (fault 0x1c010002)");
    converse(&rig, &large, "127.0.0.1");
    CU_ASSERT_STRING_EQUAL(large.problem, "the call is too large");
    rig.port = free_port();
    converse(&rig, &nobody, "127.0.0.1");
    CU_ASSERT_STRING_EQUAL(nobody.problem, "Connection refused");
    CU_ASSERT_EQUAL(nobody.asked, 0);
    rpc_rig_close(&rig);
}

static void it_can_be_cancelled_at_any_moment(void)
{
    struct rpc_rig rig;
    rpc_rig_open(&rig);
    for (unsigned moment = 0; moment < 5; moment++) {
        struct talk talk = {.wanted = 3, .opnum = ECHO_SAME, .size = 10};
        talk.cancel_in_ask = moment == 2 ? 1 : moment == 3 ? 3 : 0;
        talk.cancel_in_answered = moment == 4 ? 2 : 0;
        start(&rig, &talk, moment == 1 ? "localhost" : "127.0.0.1", LIMIT_MS);
        if (moment < 2) {
            cancel(&talk);
        }
        (void)turn_until(&rig, is_over, &talk);
        turn(&rig);
        CU_ASSERT_EQUAL(rpc_server_connections(rig.server), 0);
    }
    for (unsigned turns = 0; turns < 12; turns++) {
        struct talk talk = {.wanted = 3, .opnum = ECHO_SAME, .size = 100000};
        start(&rig, &talk, "127.0.0.1", LIMIT_MS);
        for (unsigned i = 0; i < turns && !is_over(&talk); i++) {
            turn(&rig);
        }
        if (!is_over(&talk)) {
            cancel(&talk);
        }
        turn(&rig);
    }
    rpc_client_cancel(NULL);
    rpc_rig_close(&rig);
}

/* ---- Servers that do not behave ---------------------------------------------------------------
 */

static int silent_server(struct rpc_rig *rig)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(bind(fd, (const struct sockaddr *)&address, length) == 0);
    CU_ASSERT_FATAL(listen(fd, 50) == 0);
    CU_ASSERT_FATAL(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    rig->port = ntohs(address.sin_port);
    return fd;
}

static void one_that_never_answers_costs_a_bounded_time(void)
{
    struct rpc_rig rig;
    struct talk talk = {.wanted = 1};
    rpc_rig_open(&rig);
    int fd = silent_server(&rig);
    start(&rig, &talk, "127.0.0.1", 20);
    (void)turn_until(&rig, is_over, &talk);
    CU_ASSERT_STRING_EQUAL(talk.problem, "it did not agree to a bind within 20 ms");
    close(fd);
    rpc_rig_close(&rig);
}

/* What a server says, to which the client has asked nothing more than a bind or a call. */
static void check_said(const uint8_t *bytes, size_t size, const char *problem)
{
    struct rpc_rig rig;
    struct talk talk = {.wanted = 1, .opnum = ECHO_SAME, .size = 5};
    rpc_rig_open(&rig);
    int listening = silent_server(&rig);
    start(&rig, &talk, "127.0.0.1", LIMIT_MS);
    turn(&rig);
    int fd = accept(listening, NULL, NULL);
    CU_ASSERT_FATAL(fd >= 0);
    say(fd, bytes, size);
    CU_ASSERT_EQUAL(shutdown(fd, SHUT_WR), 0);
    (void)turn_until(&rig, is_over, &talk);
    CU_ASSERT_STRING_EQUAL(talk.problem, problem);
    close(fd);
    close(listening);
    rpc_rig_close(&rig);
}

/* A bind_ack and the answer to the first call, as a server writes them. */
static struct ndr_push good_answers(size_t *first)
{
    struct ndr_push output = ndr_push_up_to(1000);
    struct ndr_push answer = ndr_push_up_to(10);
    struct pdu_writer to = {.output = &output};
    struct pdu_results results = {1, {{PDU_ACCEPTED, PDU_NO_REASON}}};
    struct pdu_agreement agreement = {4280, 4280, 5, "135"};
    (void)ndr_push_space(&answer, 5);
    pdu_write_bind_ack(&to, PDU_BIND_ACK, 1, &agreement, &results);
    *first = output.size;
    pdu_write_response(&to, 2, 0, &answer, 4280);
    ndr_push_free(&answer);
    return output;
}

static void what_is_cut_is_told(void)
{
    size_t first;
    struct ndr_push said = good_answers(&first);
    for (size_t size = 0; size < said.size; size++) {
        check_said(said.data, size, "it closed the connection");
    }
    check_said(said.data, said.size, "");
    ndr_push_free(&said);
}

static void what_is_no_answer_is_told(void)
{
    static const uint8_t reject = PDU_PROVIDER_REJECTED;
    size_t first;
    struct ndr_push said = good_answers(&first);
    struct {
        size_t at;
        uint8_t value;
        const char *problem;
    } const rows[] = {{0, 4, "its answer is not understood"},
                      {2, PDU_RESPONSE, "its answer is not understood"},
                      {2, PDU_BIND_NAK, "it refuses a bind (reason 4280)"},
                      {2, 200, "its answer is not understood"},
                      {4, 0, "its answer is not understood"},
                      {8, 15, "its answer is not understood"},
                      {9, 255, "its answer is not understood"},
                      {10, 1, "its answer is not understood"},
                      {36, reject, "it does not know the interface"},
                      {first + 2, PDU_BIND_ACK, "its answer is not understood"},
                      {first + 3, PDU_LAST, "its answer is not understood"},
                      {first + 12, 1, "its answer is not understood"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t before = said.data[rows[i].at];
        said.data[rows[i].at] = rows[i].value;
        check_said(said.data, said.size, rows[i].problem);
        said.data[rows[i].at] = before;
    }
    ndr_push_free(&said);
}

static const struct test_case cases[] = {
    {"calls are made one after another", calls_are_made_one_after_another},
    {"an answer can be the last", an_answer_can_be_the_last},
    {"names are looked up", names_are_looked_up},
    {"refusals are told", refusals_are_told},
    {"it can be cancelled at any moment", it_can_be_cancelled_at_any_moment},
    {"one that never answers costs a bounded time", one_that_never_answers_costs_a_bounded_time},
    {"what is cut is told", what_is_cut_is_told},
    {"what is no answer is told", what_is_no_answer_is_told},
    {NULL, NULL}};

const struct test_suite suite_rpc_client = {"rpc_client", cases};
