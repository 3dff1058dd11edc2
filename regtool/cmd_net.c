/*
 * regtool net: starts and stops services with the words and the sentences of NT's NET, and shows
 * what they live by. A service that runs is asked itself; where systemd has a unit for it, that is
 * started or stopped with it.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "arguments.h"
#include "help.h"
#include "json.h"
#include "net_config.h"
#include "net_reach.h"
#include "net_unit.h"
#include "net_use.h"
#include "report.h"
#include "show.h"
#include "switches.h"
#include "tool.h"

#define NET_FAILED 2 /* exit status of NET */

/* A service and what is known of it while it is started or stopped. */
struct net {
    const struct tool *tool;
    struct net_target target;
    struct net_reply reply; /* to the question of how it is */
    bool unit;              /* systemd knows it, */
    bool unit_active;       /* and runs it */
};

/* ---- Sentences ---- */

/* What goes wrong is said in NET's words, too. */
static int fail(const char *sentence)
{
    fprintf(stderr, "%s\n", sentence);
    return NET_FAILED;
}

static int fail_for(const struct net *net, const char *what, const char *why)
{
    fprintf(stderr, "The %s service %s", net->target.title, what);
    if (why != NULL) {
        fputs(": ", stderr);
        show_safely(stderr, why);
    }
    fputs(".\n", stderr);
    return NET_FAILED;
}

/* Is out before the service is waited for. */
static void announce(const struct net *net, const char *what)
{
    if (!net->tool->json) {
        printf("The %s service is %s.\n", net->target.title, what);
        fflush(stdout);
    }
}

static int succeed(const struct net *net, const char *state)
{
    struct json json = {.out = stdout};
    const char *verb = strcmp(state, "running") == 0 ? "started" : "stopped";

    if (!net->tool->json) {
        printf("The %s service was %s successfully.\n", net->target.title, verb);
        return 0;
    }
    json_open(&json, '{');
    json_member_text(&json, "service", net->target.title);
    json_member_text(&json, "name", net->target.name);
    json_member_text(&json, "state", state);
    json_close(&json, '}');
    json_line(&json);
    return 0;
}

/* ---- How a service is ---- */

/* "running" or "stopped", or what it is on its way to be; a process that takes no commands runs. */
static const char *state_of(const struct net_target *target, const struct net_reply *reply)
{
    static const char *const states[] = {"running", "stopped", "starting", "stopping"};

    for (size_t i = 0; reply->answer == NET_OK && i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(reply->text, states[i]) == 0) {
            return states[i];
        }
    }
    return target->alive ? "running" : "stopped";
}

static bool is_up(const struct net *net)
{
    const char *state = state_of(&net->target, &net->reply);

    return strcmp(state, "running") == 0 || strcmp(state, "starting") == 0;
}

/* The store is closed before anybody is waited for. Returns 0, or 1 after a report. */
static int look_up(struct net *net, const char *word)
{
    rs_store *store;
    int status;

    if (tool_open(net->tool, RS_READONLY, &store) != 0) {
        return 1;
    }
    status = net_target_find(store, word, &net->target);
    rs_close(store);
    if (status == RS_ENOTFOUND) {
        return report("net: there is no service \"%s\"; \"regtool net config\" lists them", word);
    }
    if (status != RS_OK) {
        return report_status(status, NULL, word);
    }
    net_reach(&net->target, "status", &net->reply);
    net->unit = net_unit_known(&net->target);
    net->unit_active = net->unit && net_unit_active(&net->target);
    return 0;
}

/* Whether the service says that it is so now; else reply says why not. */
static bool command(const struct net *net, const char *word, const char *state,
                    struct net_reply *reply)
{
    net_reach(&net->target, word, reply);
    if (reply->answer == NET_NOBODY) {
        snprintf(reply->text, sizeof(reply->text), "it has ended");
        return false;
    }
    return reply->answer != NET_REFUSED && strcmp(reply->text, state) == 0;
}

/* ---- Start and stop ---- */

static int start_process(const struct net *net)
{
    char why[128];

    if (!net->unit) {
        snprintf(why, sizeof(why), "there is no unit for it here, so run %s itself",
                 net->target.service->program);
        return fail_for(net, "could not be started", why);
    }
    announce(net, "starting");
    return net_unit_start(&net->target) ? succeed(net, "running")
                                        : fail_for(net, "could not be started", NULL);
}

static int start_work(const struct net *net)
{
    struct net_reply reply;

    announce(net, "starting");
    if (!command(net, "start", "running", &reply)) {
        return fail_for(net, "could not be started", reply.text);
    }
    if (reply.note[0] != '\0') {
        fail_for(net, "runs with less than its settings say", reply.note);
    }
    return succeed(net, "running");
}

static int start(const struct net *net)
{
    if (is_up(net)) {
        return fail("The requested service has already been started.");
    }
    if (net->reply.answer != NET_OK) {
        return start_process(net);
    }
    return start_work(net);
}

/* The work is stopped first, so that it is not only left as it is when the process ends. */
static int stop(struct net *net)
{
    struct net_reply reply = {0};

    if (!is_up(net) && !net->unit_active) {
        return fail_for(net, "is not started", NULL);
    }
    announce(net, "stopping");
    if (net->reply.answer == NET_REFUSED && !net->unit_active) {
        return fail_for(net, "could not be stopped", net->reply.text);
    }
    if (net->reply.answer == NET_NOBODY && !net->unit_active) {
        return fail_for(net, "could not be stopped", "its process takes no commands");
    }
    if (is_up(net) && net->reply.answer == NET_OK && !command(net, "stop", "stopped", &reply)) {
        return fail_for(net, "could not be stopped", reply.text);
    }
    if (reply.note[0] != '\0') {
        fail_for(net, "was stopped, but not all of it", reply.note);
    }
    if (net->unit_active && !net_unit_stop(&net->target)) {
        return fail_for(net, "could not be stopped", NULL);
    }
    return succeed(net, "stopped");
}

/* ---- Lists ---- */

struct list {
    const struct tool *tool;
    bool all; /* also those that are not started */
};

static int list_one(void *context, const struct net_target *target)
{
    const struct list *list = context;
    struct json json = {.out = stdout};
    struct net_reply reply;
    const char *state;

    net_reach(target, "status", &reply);
    state = state_of(target, &reply);
    if (!list->all && strcmp(state, "stopped") == 0) {
        return 0;
    }
    if (!list->tool->json) {
        printf("   %s\n", target->title);
        return 0;
    }
    json_open(&json, '{');
    json_member_text(&json, "service", target->title);
    json_member_text(&json, "name", target->name);
    json_member_text(&json, "state", state);
    json_close(&json, '}');
    json_line(&json);
    return 0;
}

static int put_list(const struct tool *tool, bool all, const char *title)
{
    struct list list = {.tool = tool, .all = all};
    rs_store *store;
    int status;

    if (tool_open(tool, RS_READONLY, &store) != 0) {
        return 1;
    }
    if (!tool->json) {
        printf("%s\n\n", title);
    }
    status = net_targets(store, list_one, &list);
    rs_close(store);
    if (status == RS_OK && !tool->json) {
        puts("\nThe command completed successfully.");
    }
    return status == RS_OK ? 0 : report_status(status, NULL, "net");
}

static int show_config(struct net *net, const char *word)
{
    struct session session;
    int result;

    if (look_up(net, word) != 0 || session_begin(net->tool, RS_READ, &session) != 0) {
        return 1;
    }
    result = net_config(&session, &net->target, state_of(&net->target, &net->reply));
    session_end(&session);
    if (result == 0 && !net->tool->json) {
        puts("\nThe command completed successfully.");
    }
    return result;
}

/* ---- The command ---- */

/* Switches and a third word are for use. */
static int check_words(const struct arguments *arguments)
{
    const char *what = arguments->operands[0];

    if (arguments->operands[2] != NULL) {
        return report("net: unexpected argument \"%s\"", arguments->operands[2]);
    }
    for (const struct switch_row *row = net_switches; row->help != NULL; row++) {
        if (has_switch(arguments, row->id)) {
            return report("net %s: %s%s is for use only", what != NULL ? what : "help",
                          row->letters != NULL ? "/" : "--",
                          row->letters != NULL ? row->letters : row->name);
        }
    }
    return 0;
}

int cmd_net(struct tool *tool, const struct arguments *arguments)
{
    const char *what = arguments->operands[0];
    const char *word = arguments->operands[1];
    struct net net = {.tool = tool};

    if (what != NULL && strcasecmp(what, "use") == 0) {
        return net_use(tool, arguments);
    }
    if (check_words(arguments) != 0) {
        return 1;
    }
    if (what == NULL || strcasecmp(what, "help") == 0) {
        help_command(stdout, command_find("net"));
        return 0;
    }
    if (strcasecmp(what, "config") == 0) {
        return word != NULL ? show_config(&net, word)
                            : put_list(tool, true, "These services can be configured:");
    }
    if (strcasecmp(what, "start") == 0) {
        if (word == NULL) {
            return put_list(tool, false, "These services are started:");
        }
        return look_up(&net, word) != 0 ? 1 : start(&net);
    }
    if (strcasecmp(what, "stop") == 0) {
        if (word == NULL) {
            return report("net stop: the service is missing");
        }
        return look_up(&net, word) != 0 ? 1 : stop(&net);
    }
    return report("net: \"%s\" is none of start, stop, config, use and help", what);
}
