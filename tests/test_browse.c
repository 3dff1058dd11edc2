/*
 * test_browse - the server thread: when it calls, whom, and with what; against servers of the same
 * process, in a loop that the test turns. tests/spooler.py tests whole spoolers.
 */
#include "harness.h"

#include "../services/rpc/server.h"
#include "../services/spooler/browse.h"
#include "../services/spooler/spoolss.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 30000
#define HOUR_MS 3600000

static void the_longer_period_is_waited_for(void)
{
    CU_ASSERT_EQUAL(browse_wait(&(struct browse_times){36000, 3600000, 2}), 1800000);
    CU_ASSERT_EQUAL(browse_wait(&(struct browse_times){600000, 1000, 5}), 600000);
    CU_ASSERT_EQUAL(browse_wait(&(struct browse_times){0, UINT32_MAX, 1}), UINT32_MAX);
    CU_ASSERT_EQUAL(browse_wait(&(struct browse_times){0, 1000, 0}), 1000);
    CU_ASSERT_TRUE(browse_wait(&(struct browse_times){0, 0, 5}) > 0);
}

static void more_peers_are_called_at_a_time(void)
{
    CU_ASSERT_EQUAL(browse_fan_out(0), 3);
    CU_ASSERT_EQUAL(browse_fan_out(31), 3);
    CU_ASSERT_EQUAL(browse_fan_out(32), 4);
    CU_ASSERT_EQUAL(browse_fan_out(1024), 35);
}

/* ---- A loop with a browse and servers -------------------------------------------------------- */

#define SERVERS 8

/* A server that takes announcements, and counts who calls at the same time. */
struct domain;
struct server {
    struct domain *domain;
    struct rpc_server *rpc;
    struct spoolss spoolss;
    unsigned port;
    unsigned calls;
    uint32_t fault; /* given instead of an answer, unless it is 0 */
};

struct domain {
    struct loop loop;
    struct log log;
    int pipe[2];
    char text[8192];
    struct printers printers; /* of the servers: none */
    struct own *none;
    struct printers ours;
    struct own *own;
    struct browse browse;
    struct server servers[SERVERS];
    size_t count;
    struct loop_timer tick;
    bool (*enough)(struct domain *domain);
    int64_t given_up;
};

static uint32_t take_call(void *owner, const struct rpc_call *call, struct ndr_push *answer)
{
    struct server *server = owner;
    server->calls++;
    return server->fault != 0 ? server->fault
                              : spoolss_interface.call(&server->spoolss, call, answer);
}

/* After each turn of the loop, whatever it was that came. */
static void look(void *owner)
{
    struct domain *domain = owner;
    if (domain->enough(domain)) {
        loop_end(&domain->loop, 1);
    } else if (loop_now(&domain->loop) > domain->given_up) {
        loop_end(&domain->loop, 0);
    } else {
        loop_set(&domain->loop, &domain->tick, 1);
    }
}

/* Turns the loop until it is so. */
static void turn_until(struct domain *domain, bool (*enough)(struct domain *domain))
{
    domain->enough = enough;
    domain->loop.ended = false;
    domain->given_up = loop_now(&domain->loop) + PATIENCE_MS;
    domain->tick = (struct loop_timer){.expired = look, .owner = domain};
    loop_set(&domain->loop, &domain->tick, 0);
    CU_ASSERT_EQUAL_FATAL(loop_run(&domain->loop), 1);
}

/* A port that nobody has; another program may take it, but none does in so short a time. */
static unsigned free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void open_server(struct domain *domain, struct server *server)
{
    static struct rpc_interface counted;
    struct line problem = LINE_INIT;
    counted = spoolss_interface;
    counted.call = take_call;
    const struct rpc_server_options options = {.loop = &domain->loop,
                                               .log = &domain->log,
                                               .interfaces = &counted,
                                               .interface_count = 1,
                                               .owner = server};
    server->domain = domain;
    server->port = free_port();
    spoolss_open(&server->spoolss, &domain->loop, &domain->log);
    spoolss_take(&server->spoolss, &domain->printers, domain->none, "OTHER");
    spoolss_limits(&server->spoolss, HOUR_MS, 1000);
    CU_ASSERT_EQUAL_FATAL(rpc_server_open(&options, &server->rpc), 0);
    CU_ASSERT_TRUE_FATAL(rpc_server_listen(server->rpc, "127.0.0.1", server->port, &problem));
}

static void open_domain(struct domain *domain, size_t servers)
{
    memset(domain, 0, sizeof(*domain));
    CU_ASSERT_EQUAL_FATAL(pipe2(domain->pipe, O_CLOEXEC | O_NONBLOCK), 0);
    log_open(&domain->log, "test", domain->pipe[1], NULL);
    CU_ASSERT_EQUAL_FATAL(loop_open(&domain->loop), 0);
    domain->none = own_make(&domain->printers, "OTHER");
    domain->own = own_make(&domain->ours, "SERVER");
    domain->count = servers;
    for (size_t i = 0; i < servers; i++) {
        open_server(domain, &domain->servers[i]);
    }
    browse_open(&domain->browse, &domain->loop, &domain->log);
}

static void close_domain(struct domain *domain)
{
    browse_close(&domain->browse);
    for (size_t i = 0; i < domain->count; i++) {
        rpc_server_close(domain->servers[i].rpc);
        spoolss_close(&domain->servers[i].spoolss);
    }
    loop_unset(&domain->loop, &domain->tick);
    loop_close(&domain->loop);
    own_free(domain->own);
    own_free(domain->none);
    for (size_t i = 0; i < domain->ours.count; i++) {
        free(domain->ours.rows[i]);
    }
    close(domain->pipe[0]);
    close(domain->pipe[1]);
}

static const char *log_of(struct domain *domain)
{
    ssize_t size = read(domain->pipe[0], domain->text, sizeof(domain->text) - 1);
    domain->text[size > 0 ? size : 0] = '\0';
    return domain->text;
}

static void share(struct domain *domain, const char *name)
{
    struct printer *printer = calloc(1, sizeof(*printer));
    CU_ASSERT_PTR_NOT_NULL_FATAL(printer);
    for (size_t i = 0; i < PRINTER_TEXTS; i++) {
        printer->texts[i] = "";
    }
    printer->texts[PRINTER_SHARE] = name;
    printer->shared = true;
    domain->ours.rows[domain->ours.count++] = printer;
}

/* The browse lives by what is shared now, and by all servers as peers. */
static void take(struct domain *domain)
{
    struct peer_addresses *peers = calloc(1, sizeof(*peers) + SERVERS * sizeof(peers->rows[0]));
    struct own *own = own_make(&domain->ours, "SERVER");
    CU_ASSERT_TRUE_FATAL(peers != NULL && own != NULL);
    for (size_t i = 0; i < domain->count; i++) {
        strcpy(peers->rows[i].host, "127.0.0.1");
        peers->rows[i].port = domain->servers[i].port;
        peers->count++;
    }
    CU_ASSERT_TRUE_FATAL(browse_take(&domain->browse, own, peers));
    CU_ASSERT_TRUE(browse_has_peers(&domain->browse, peers));
    own_free(domain->own);
    domain->own = own;
    free(peers);
}

static void set_enabled(struct domain *domain, bool enabled)
{
    browse_time(&domain->browse, enabled, &(struct browse_times){HOUR_MS, HOUR_MS, 1});
}

static bool all_know(struct domain *domain)
{
    for (size_t i = 0; i < domain->count; i++) {
        if (domain->servers[i].spoolss.cache.count != domain->ours.count) {
            return false;
        }
    }
    return domain->browse.active == 0;
}

static void all_peers_are_told_in_a_round(void)
{
    struct domain domain;
    open_domain(&domain, SERVERS);
    share(&domain, "ONE");
    share(&domain, "TWO");
    take(&domain);
    CU_ASSERT_FALSE(domain.browse.timer.set); /* it is not enabled yet */
    set_enabled(&domain, true);
    turn_until(&domain, all_know);
    for (size_t i = 0; i < domain.count; i++) {
        CU_ASSERT_EQUAL(domain.servers[i].calls, 2);
    }
    CU_ASSERT_STRING_EQUAL(log_of(&domain), "");
    CU_ASSERT_TRUE(domain.browse.timer.set);
    CU_ASSERT_TRUE(domain.browse.timer.due - loop_now(&domain.loop) > HOUR_MS / 2);
    close_domain(&domain);
}

/* Two servers that know the printer that there is. */
static void open_told_domain(struct domain *domain)
{
    open_domain(domain, 2);
    share(domain, "ONE");
    take(domain);
    set_enabled(domain, true);
    turn_until(domain, all_know);
}

static void a_new_printer_begins_a_round(void)
{
    struct domain domain;
    open_told_domain(&domain);
    take(&domain); /* the same again is no reason */
    CU_ASSERT_TRUE(domain.browse.timer.due - loop_now(&domain.loop) > HOUR_MS / 2);
    share(&domain, "TWO");
    take(&domain);
    CU_ASSERT_TRUE(domain.browse.timer.due <= loop_now(&domain.loop));
    turn_until(&domain, all_know);
    CU_ASSERT_EQUAL(domain.servers[0].calls, 3);
    close_domain(&domain);
}

static void disabled_it_calls_nobody(void)
{
    struct domain domain;
    open_told_domain(&domain);
    set_enabled(&domain, false);
    CU_ASSERT_FALSE(domain.browse.timer.set);
    share(&domain, "TWO");
    take(&domain);
    CU_ASSERT_FALSE(domain.browse.timer.set);
    set_enabled(&domain, true);
    turn_until(&domain, all_know);
    close_domain(&domain);
}

static void nothing_to_tell_is_no_reason_to_call(void)
{
    struct domain domain;
    open_domain(&domain, 1);
    take(&domain);
    set_enabled(&domain, true);
    CU_ASSERT_FALSE(domain.browse.timer.set);
    close_domain(&domain);
}

static bool all_were_called(struct domain *domain)
{
    for (size_t i = 0; i < domain->count; i++) {
        if (domain->servers[i].calls == 0) {
            return false;
        }
    }
    return domain->browse.active == 0;
}

/* A round is wanted as if the time for it had come. */
static void begin_round(struct domain *domain)
{
    for (size_t i = 0; i < domain->count; i++) {
        domain->servers[i].calls = 0;
    }
    loop_set(&domain->loop, &domain->browse.timer, 0);
    turn_until(domain, all_were_called);
}

static void an_ailing_peer_is_told_once(void)
{
    struct domain domain;
    open_domain(&domain, 2);
    share(&domain, "ONE");
    domain.servers[0].fault = RPC_FAULT_ACCESS_DENIED;
    take(&domain);
    set_enabled(&domain, true);
    turn_until(&domain, all_were_called);
    CU_ASSERT_PTR_NOT_NULL(strstr(log_of(&domain), "test: cannot announce printers to"));
    begin_round(&domain);
    take(&domain); /* nor does it forget that it said so */
    begin_round(&domain);
    CU_ASSERT_STRING_EQUAL(log_of(&domain), "");
    CU_ASSERT_EQUAL(domain.servers[1].spoolss.cache.count, 1);
    domain.servers[0].fault = 0;
    begin_round(&domain);
    CU_ASSERT_PTR_NOT_NULL(strstr(log_of(&domain), "test: printers are announced to"));
    CU_ASSERT_EQUAL(domain.servers[0].spoolss.cache.count, 1);
    begin_round(&domain);
    CU_ASSERT_STRING_EQUAL(log_of(&domain), "");
    close_domain(&domain);
}

/* One that is full refuses printers, which is told like any other trouble. */
static void refused_printers_are_told(void)
{
    struct domain domain;
    open_domain(&domain, 1);
    share(&domain, "ONE");
    share(&domain, "TWO");
    spoolss_limits(&domain.servers[0].spoolss, HOUR_MS, 1);
    take(&domain);
    set_enabled(&domain, true);
    turn_until(&domain, all_were_called);
    CU_ASSERT_EQUAL(domain.servers[0].calls, 2);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(log_of(&domain), ": it refuses printers with error 14; trying again each round"));
    close_domain(&domain);
}

static bool some_are_called(struct domain *domain)
{
    return domain->browse.active > 0;
}

/* In the middle of conversations it is given other printers, is stopped, and is closed. */
static void conversations_can_be_left_at_any_time(void)
{
    struct domain domain;
    open_domain(&domain, SERVERS);
    share(&domain, "ONE");
    take(&domain);
    set_enabled(&domain, true);
    turn_until(&domain, some_are_called);
    CU_ASSERT_TRUE(domain.browse.active <= browse_fan_out(SERVERS));
    share(&domain, "TWO");
    take(&domain);
    CU_ASSERT_TRUE(domain.browse.active > 0);
    turn_until(&domain, some_are_called);
    set_enabled(&domain, false);
    CU_ASSERT_EQUAL(domain.browse.active, 0);
    set_enabled(&domain, true);
    turn_until(&domain, all_know);
    share(&domain, "THREE");
    take(&domain);
    turn_until(&domain, some_are_called);
    close_domain(&domain);
}

/* Peers who accept and then say nothing take up all conversations that may be had at a time. */
#define SILENT 7

static unsigned silent_server(int *fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CU_ASSERT_EQUAL_FATAL(bind(*fd, (struct sockaddr *)&address, size), 0);
    CU_ASSERT_EQUAL_FATAL(listen(*fd, 8), 0);
    CU_ASSERT_EQUAL_FATAL(getsockname(*fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static bool is_over(struct domain *domain)
{
    return domain->browse.active == 0;
}

static bool a_round_has_begun(struct domain *domain)
{
    return domain->browse.has_begun;
}

static bool the_first_is_ailing(struct domain *domain)
{
    return domain->browse.peers[0]->ailing;
}

static void hang_up(int listener)
{
    int fd = accept(listener, NULL, NULL);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    close(fd);
}

/* A conversation that a round finds under way stands for the round's; so when nothing comes of it,
 * the round calls again instead of leaving a new printer to the next, an hour later. */
static void what_was_under_way_is_not_lost_to_the_round(void)
{
    struct domain domain;
    int fd;
    open_domain(&domain, 1);
    domain.servers[0].port = silent_server(&fd);
    share(&domain, "ONE");
    take(&domain);
    set_enabled(&domain, true);
    turn_until(&domain, some_are_called);
    share(&domain, "TWO");
    take(&domain);
    turn_until(&domain, a_round_has_begun);
    hang_up(fd);
    turn_until(&domain, the_first_is_ailing);
    hang_up(fd);
    turn_until(&domain, is_over); /* and that was all, until the next */
    CU_ASSERT_TRUE(domain.browse.timer.due - loop_now(&domain.loop) > HOUR_MS / 2);
    close(fd);
    close_domain(&domain);
}

static bool the_last_knows(struct domain *domain)
{
    return domain->servers[domain->count - 1].spoolss.cache.count == domain->ours.count;
}

/* The time for the next round comes before those that were called first have had theirs, and
 * they hang up, so that who comes first in the list could be called for ever. */
static void silent_peers_leave_the_others_their_turn(void)
{
    struct domain domain;
    int fds[SILENT];
    open_domain(&domain, SILENT + 1);
    for (size_t i = 0; i < SILENT; i++) {
        domain.servers[i].port = silent_server(&fds[i]);
    }
    share(&domain, "ONE");
    take(&domain);
    set_enabled(&domain, true);
    for (unsigned round = 0; round < 200 && !the_last_knows(&domain); round++) {
        turn_until(&domain, some_are_called);
        for (size_t i = 0; i < SILENT; i++) {
            int fd = accept(fds[i], NULL, NULL);
            if (fd >= 0) {
                close(fd);
            }
        }
        loop_set(&domain.loop, &domain.browse.timer, 0);
    }
    CU_ASSERT_TRUE(the_last_knows(&domain));
    for (size_t i = 0; i < SILENT; i++) {
        close(fds[i]);
    }
    close_domain(&domain);
}

/* Other printers all the time, and yet nobody is left out. */
static void changes_do_not_keep_a_round_from_its_end(void)
{
    static char names[200][8];
    struct domain domain;
    open_domain(&domain, SERVERS);
    share(&domain, "ONE");
    set_enabled(&domain, true);
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(names[i], sizeof(names[i]), "P%u", i);
        domain.ours.rows[0]->texts[PRINTER_SHARE] = names[i];
        take(&domain);
        turn_until(&domain, some_are_called);
    }
    for (size_t i = 0; i < domain.count; i++) {
        CU_ASSERT_TRUE(domain.servers[i].calls > 0);
    }
    CU_ASSERT_STRING_EQUAL(log_of(&domain), "");
    close_domain(&domain);
}

static const struct test_case cases[] = {
    {"the longer period is waited for", the_longer_period_is_waited_for},
    {"more peers are called at a time", more_peers_are_called_at_a_time},
    {"all peers are told in a round", all_peers_are_told_in_a_round},
    {"a new printer begins a round", a_new_printer_begins_a_round},
    {"disabled it calls nobody", disabled_it_calls_nobody},
    {"nothing to tell is no reason to call", nothing_to_tell_is_no_reason_to_call},
    {"an ailing peer is told once", an_ailing_peer_is_told_once},
    {"refused printers are told", refused_printers_are_told},
    {"conversations can be left at any time", conversations_can_be_left_at_any_time},
    {"what was under way is not lost to the round", what_was_under_way_is_not_lost_to_the_round},
    {"silent peers leave the others their turn", silent_peers_leave_the_others_their_turn},
    {"changes do not keep a round from its end", changes_do_not_keep_a_round_from_its_end},
    {NULL, NULL},
};

const struct test_suite suite_browse = {"browse", cases};
