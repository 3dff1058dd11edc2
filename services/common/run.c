/* run - a service at work: waits for changes and for signals; see run.h. */
#include "run.h"

#include "live.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
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

static int serve(struct live *live, int signals)
{
    for (;;) {
        struct pollfd wakers[] = {{.fd = signals, .events = POLLIN},
                                  {.fd = live_fd(live), .events = POLLIN}};
        nfds_t count = sizeof(wakers) / sizeof(wakers[0]);
        if (poll(wakers, count, live_patience(live)) < 0 && errno != EINTR) {
            log_line(live->log, LOG_LINE_ERROR, "cannot wait for changes: %s", strerror(errno));
            return EXIT_FAILURE;
        }
        switch (next_signal(signals)) {
        case 0:
            live_follow(live);
            break;
        case SIGHUP:
            live_read_again(live);
            break;
        default:
            return EXIT_SUCCESS;
        }
    }
}

int run_service(const struct service *service, const struct log *log, const char *notify_socket,
                const struct options *options)
{
    struct notifier notifier = {.socket_name = notify_socket, .log = log};
    struct live live;
    int exit_status = EXIT_FAILURE;
    int signals = open_signals();
    if (signals < 0) {
        log_line(log, LOG_LINE_ERROR, "cannot take signals: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    if (live_open(&live, service, log, &notifier, options)) {
        exit_status = serve(&live, signals);
        notify_stopping(&notifier);
        log_line(log, LOG_LINE_INFO, "ended");
        live_close(&live);
    }
    close(signals);
    return exit_status;
}
