/* service - a service that lives on the store's settings, from its command line to its end; see
 * service.h. */
#include "service.h"

#include "check.h"
#include "log.h"
#include "options.h"
#include "run.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#define LARGE_BLOCK (1024 * 1024)

static int check_service(const struct service *service, const struct log *log, rs_store *store)
{
    struct check check;
    int status = check_settings(service, store, stdout, &check);
    if (status != RS_OK) {
        log_line(log, LOG_LINE_ERROR, "cannot read %s: %s", service->key, rs_strerror(status));
        return EXIT_FAILURE;
    }
    if (!check.printed) {
        log_line(log, LOG_LINE_ERROR, "cannot write to standard output");
    }
    if (check.warnings.length > 0) {
        log_line(log, LOG_LINE_WARNING, "%s", check.warnings.text);
    }
    if (!check.allowed) {
        log_line(log, LOG_LINE_ERROR, "%s", check.refusals.text);
    }
    return check.printed && check.allowed ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int check_store(const struct service *service, const struct log *log, const char *dir)
{
    rs_store *store;
    rs_error error = RS_ERROR_INIT;
    if (rs_open(dir, RS_READONLY, &store, &error) != RS_OK) {
        log_line(log, LOG_LINE_ERROR, "%s", error.text);
        return EXIT_FAILURE;
    }
    int exit_status = check_service(service, log, store);
    rs_close(store);
    return exit_status;
}

static int print_help(const struct service *service)
{
    printf("usage: %s [OPTION...]\n\n%s %s, in\n%s.\n\n", service->program, service->program,
           service->summary, service->key);
    options_print_help(service->options);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int print_version(const struct service *service)
{
    printf("%s %s\n", service->program, rs_version());
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* A descriptor 0, 1 or 2 that is closed would be given to a file of the store, and the log be
 * written into it. */
static void fill_standard_descriptors(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        close(fd);
    }
}

/* What is for this process only is not for those that it starts. */
static int run_as_told(const struct service *service, const struct log *log,
                       const struct options *options)
{
    struct activation activation;
    const struct run_means means = {getenv("NOTIFY_SOCKET"), &activation, options};
    activation_open(&activation, log, getenv("LISTEN_PID"), getenv("LISTEN_FDS"),
                    getenv("LISTEN_FDNAMES"));
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return run_service(service, log, &means);
}

/* What a stranger makes a service hold for a moment is the system's again once it is freed. Left to
 * itself the allocator keeps blocks as large as the largest that it gave back before, of 32 MiB. A
 * list of 1,000 printers is below the limit, so it costs no pages each time. */
static void give_large_blocks_back(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
    (void)mallopt(M_TRIM_THRESHOLD, LARGE_BLOCK);
}

int service_main(const struct service *service, int argc, char **argv)
{
    fill_standard_descriptors();
    give_large_blocks_back();
    struct log log;
    struct options options;
    struct line problem = LINE_INIT;
    log_open(&log, service->program, STDERR_FILENO, getenv("JOURNAL_STREAM"));
    if (!options_parse(argc, argv, service->options, &options, &problem)) {
        log_line(&log, LOG_LINE_ERROR, "%s; see %s --help", problem.text, service->program);
        return EXIT_FAILURE;
    }
    switch (options.action) {
    case SERVICE_HELP:
        return print_help(service);
    case SERVICE_VERSION:
        return print_version(service);
    case SERVICE_CHECK:
        return check_store(service, &log, options.store);
    default:
        return run_as_told(service, &log, &options);
    }
}
