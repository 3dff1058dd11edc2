/* run - a service at work: waits for changes and for signals; see run.h. */
#include "run.h"

#include "control.h"
#include "live.h"
#include "live_command.h"
#include "loop.h"
#include "work.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* From here on the signals come through a descriptor only. A reader of the log that goes away must
 * not take the service with it, hence SIGPIPE; nor a limit on the size of its log, hence
 * SIGXFSZ. */
static int open_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGXFSZ, SIG_IGN) == SIG_ERR ||
        sigprocmask(SIG_BLOCK, &signals, NULL) != 0) {
        return -1;
    }
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Gives the number of a signal that is waiting, else 0. */
static uint32_t next_signal(int signals)
{
    struct signalfd_siginfo info;
    ssize_t size = read(signals, &info, sizeof(info));
    return size == (ssize_t)sizeof(info) ? info.ssi_signo : 0;
}

/* A service at work. */
struct run {
    struct loop loop;
    struct live live;
    struct loop_source signals;
    struct control control;
    struct site site;
    void *state; /* of the service's work */
};

static void take_signal(void *owner, uint32_t events)
{
    struct run *run = owner;
    (void)events;
    switch (next_signal(run->signals.fd)) {
    case 0:
        break;
    case SIGHUP:
        live_read_again(&run->live);
        break;
    default:
        loop_end(&run->loop, EXIT_SUCCESS);
        break;
    }
}

/* ---- Commands -------------------------------------------------------------------------------- */

static bool take_command(void *owner, enum control_word word, struct line *answer)
{
    struct run *run = owner;
    switch (word) {
    case CONTROL_START:
        return live_start(&run->live, answer);
    case CONTROL_STOP:
        return live_stop(&run->live, answer);
    default:
        line_add(answer, "ok %s", live_condition(&run->live));
        return true;
    }
}

static void pass_answer(void *owner, const char *answer)
{
    struct run *run = owner;
    control_answer(&run->control, answer);
}

static void listen_beside(void *owner, const char *dir)
{
    struct run *run = owner;
    control_listen(&run->control, dir, run->live.name);
}

/* ---- From beginning to end ------------------------------------------------------------------- */

static int serve(struct run *run, const struct log *log, struct notifier *notifier)
{
    live_hang_in(&run->live, &run->loop);
    int status = loop_run(&run->loop);
    if (status < 0) {
        log_line(log, LOG_LINE_ERROR, "cannot wait for changes: %s", strerror(-status));
        return EXIT_FAILURE;
    }
    notify_stopping(notifier);
    log_line(log, LOG_LINE_INFO, "ended");
    return status;
}

/* The work's state is there. */
static int follow_settings(struct run *run, const struct service *service,
                           struct notifier *notifier)
{
    const struct site *site = &run->site;
    const struct live_commander commander = {pass_answer, listen_beside, run};
    int exit_status = EXIT_FAILURE;
    control_open(&run->control, &run->loop, site->log, take_command, run);
    if (live_open(&run->live, service, run->state, site->log, notifier, site->options,
                  &commander)) {
        exit_status = serve(run, site->log, notifier);
        live_close(&run->live);
    }
    control_close(&run->control);
    return exit_status;
}

static int work_on(struct run *run, const struct service *service, struct notifier *notifier)
{
    const struct work *work = service->work;
    if (work != NULL && !work->begin(&run->site, &run->state)) {
        return EXIT_FAILURE;
    }
    activation_close(run->site.activation, run->site.log);
    int exit_status = follow_settings(run, service, notifier);
    if (work != NULL) {
        work->end(run->state);
    }
    return exit_status;
}

static bool wait_for_signals(struct run *run)
{
    run->signals = (struct loop_source){.fd = open_signals(), .ready = take_signal, .owner = run};
    if (run->signals.fd < 0) {
        return false;
    }
    errno = loop_add(&run->loop, &run->signals, EPOLLIN);
    return errno == 0;
}

int run_service(const struct service *service, const struct log *log, const struct run_means *means)
{
    struct notifier notifier = {.socket_name = means->notify_socket, .log = log};
    struct run run = {.signals.fd = -1};
    int exit_status = EXIT_FAILURE;
    run.site = (struct site){
        .loop = &run.loop,
        .log = log,
        .options = means->options,
        .live = &run.live,
        .activation = means->activation,
    };
    errno = loop_open(&run.loop);
    if (errno == 0 && wait_for_signals(&run)) {
        exit_status = work_on(&run, service, &notifier);
    } else {
        log_line(log, LOG_LINE_ERROR, "cannot take signals: %s", strerror(errno));
    }
    close(run.signals.fd);
    loop_close(&run.loop);
    return exit_status;
}
