/*
 * deliver_main - regstore-deliver: prints one document, or jobs of the spool, to one target.
 *
 * A process of its own, so that a library which is slow, blocks or crashes does that here, and so
 * that whoever started it may end without tearing a job. There are two programs of it: the one for
 * print shares links an SMB client, and the other runs that one, which stands beside it, when the
 * target is a share. Needs target, deliver, deliver_port, deliver_job.
 */
#include "deliver.h"
#include "deliver_job.h"
#include "deliver_port.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM "regstore-deliver"
#define SHARE_PROGRAM "regstore-deliver-smb"
#define LONGEST_RETRY 86400000UL /* ms */
#define DEFAULT_RETRY 30000      /* ms */

struct request {
    const char *name;
    const char *user;
    const char *store;
    const char *port;
    const char *spool; /* of a job; NULL: a document on standard input */
    const char *job;
    const char *credentials;
    const char *line;
    const char *format;
    bool null_session;
    bool more;      /* jobs are named on standard input */
    unsigned retry; /* ms */
    struct target target;
};

/* ---- The command line ------------------------------------------------------------------------ */

enum {
    OPTION_NAME = 1,
    OPTION_USER,
    OPTION_STORE,
    OPTION_PORT,
    OPTION_JOB,
    OPTION_MORE,
    OPTION_CREDENTIALS,
    OPTION_NULL_SESSION,
    OPTION_LINE,
    OPTION_FORMAT,
    OPTION_RETRY,
    OPTION_HELP
};

static const struct option options[] = {
    {"name", required_argument, NULL, OPTION_NAME},
    {"user", required_argument, NULL, OPTION_USER},
    {"store", required_argument, NULL, OPTION_STORE},
    {"port", required_argument, NULL, OPTION_PORT},
    {"job", required_argument, NULL, OPTION_JOB},
    {"more", no_argument, NULL, OPTION_MORE},
    {"credentials", required_argument, NULL, OPTION_CREDENTIALS},
    {"null-session", no_argument, NULL, OPTION_NULL_SESSION},
    {"line", required_argument, NULL, OPTION_LINE},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"retry", required_argument, NULL, OPTION_RETRY},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static void print_help(void)
{
    fputs(
        "usage: regstore-deliver [OPTION...] TARGET < DOCUMENT\n"
        "       regstore-deliver [OPTION...] [--store DIR] --port PORT < DOCUMENT\n"
        "       regstore-deliver [OPTION...] --job SPOOL [--more] NAME TARGET\n"
        "Prints a document, or a job of a spool, to one target: \\\\SERVER\\SHARE, /FILE, "
        "/DIRECTORY/,\n|COMMAND, socket://HOST:PORT or lpd://HOST/QUEUE.\n"
        "\n"
        "  --name TEXT          the document's name\n"
        "  --user TEXT          whose it is\n"
        "  --null-session       to a share without a user and a password\n"
        "  --credentials FILE   to a share with those of a file: username=, password=, domain=\n"
        "  --line PARAMETERS    of a terminal line: 9600,n,8,1\n"
        "  --format LETTER      for another LPD: its control character, else l\n"
        "  --port PORT          a port or a printer of the store instead of a target\n"
        "  --store DIR          the store's directory; else $REGSTORE, else the system's or the\n"
        "                       user's\n"
        "  --job SPOOL          prints the job NAME of this spool, and tries until it is printed\n"
        "  --more               then those whose names come on standard input, a line each\n"
        "  --retry MS           the longest pause before a target that is away is tried again "
        "(30000)\n",
        stdout);
}

static bool take_retry(const char *text, unsigned *retry, struct line *problem)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number == 0 ||
        number > LONGEST_RETRY) {
        line_add(problem, "--retry is a number of milliseconds, 1 to %lu", LONGEST_RETRY);
        return false;
    }
    *retry = (unsigned)number;
    return true;
}

static bool take_text_option(int option, struct request *request, struct line *problem)
{
    switch (option) {
    case OPTION_NAME:
        request->name = optarg;
        return true;
    case OPTION_USER:
        request->user = optarg;
        return true;
    case OPTION_STORE:
        request->store = optarg;
        return true;
    case OPTION_PORT:
        request->port = optarg;
        return true;
    case OPTION_JOB:
        request->spool = optarg;
        return true;
    case OPTION_CREDENTIALS:
        request->credentials = optarg;
        return true;
    case OPTION_MORE:
        request->more = true;
        return true;
    case OPTION_NULL_SESSION:
        request->null_session = true;
        return true;
    case OPTION_LINE:
        request->line = optarg;
        return true;
    case OPTION_FORMAT:
        request->format = optarg;
        return true;
    default:
        return take_retry(optarg, &request->retry, problem);
    }
}

/* What the options say of the target beside its text. */
static bool complete_target(const struct request *request, struct target *target,
                            struct line *problem)
{
    const char *why = request->line != NULL ? target_line_problem(request->line) : NULL;
    if (why != NULL) {
        line_add(problem, "--line: %s", why);
    } else if (request->format != NULL && (strlen(request->format) != 1 ||
                                           request->format[0] < 'a' || request->format[0] > 'z')) {
        line_add(problem, "--format is a letter, a to z");
    } else if (request->null_session && request->credentials != NULL) {
        line_add(problem, "--null-session and --credentials exclude each other");
    } else if (request->credentials != NULL &&
               strlen(request->credentials) >= sizeof(target->credentials)) {
        line_add(problem, "--credentials: the name is too long");
    } else {
        if (request->line != NULL) {
            (void)snprintf(target->line, sizeof(target->line), "%s", request->line);
        }
        target->format = request->format != NULL ? request->format[0] : target->format;
        target->null_session = target->null_session || request->null_session;
        if (request->credentials != NULL) {
            strcpy(target->credentials, request->credentials);
            target->null_session = false;
        }
        return true;
    }
    return false;
}

static bool take_operands(int count, char **operands, struct request *request, struct line *problem)
{
    int wanted = request->port != NULL ? 0 : request->spool != NULL ? 2 : 1;
    if (request->port != NULL && request->spool != NULL) {
        line_add(problem, "--port and --job exclude each other");
        return false;
    }
    if (request->more && request->spool == NULL) {
        line_add(problem, "--more needs --job");
        return false;
    }
    if (count != wanted) {
        line_add(problem, count < wanted ? "a target is missing" : "too many arguments");
        return false;
    }
    request->job = request->spool != NULL ? operands[0] : NULL;
    return request->port != NULL || target_parse(operands[count - 1], &request->target, problem);
}

/* Gives 0 to go on, else the exit status + 1. */
static bool parse(int argc, char **argv, struct request *request, struct line *problem)
{
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (option == '?' || option == ':') {
            line_add(problem, "wrong option ");
            line_add_quoted(problem, argv[optind - 1]);
            return false;
        }
        if (option == OPTION_HELP) {
            print_help();
            exit(0);
        }
        if (!take_text_option(option, request, problem)) {
            return false;
        }
    }
    return take_operands(argc - optind, argv + optind, request, problem);
}

/* ---- The other program ----------------------------------------------------------------------- */

static bool find_beside(char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size - sizeof(SHARE_PROGRAM) - 1);
    if (length <= 0 || (size_t)length >= size - sizeof(SHARE_PROGRAM) - 1) {
        return false;
    }
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    strcpy(slash != NULL ? slash + 1 : path, SHARE_PROGRAM);
    return true;
}

/* The port is resolved already, and the store is not needed there. Comes back only with a reason.
 */
static void run_share_program(const struct request *request, struct line *why)
{
    char path[4096];
    char retry[16];
    const struct target *target = &request->target;
    const char *arguments[20] = {SHARE_PROGRAM, "--name",  request->name, "--user",
                                 request->user, "--retry", retry};
    size_t count = 7;
    (void)snprintf(retry, sizeof(retry), "%u", request->retry);
    if (target->null_session) {
        arguments[count++] = "--null-session";
    } else if (target->credentials[0] != '\0') {
        arguments[count++] = "--credentials";
        arguments[count++] = target->credentials;
    }
    if (request->spool != NULL) {
        if (request->more) {
            arguments[count++] = "--more";
        }
        arguments[count++] = "--job";
        arguments[count++] = request->spool;
        arguments[count++] = "--";
        arguments[count++] = request->job;
    } else {
        arguments[count++] = "--";
    }
    arguments[count] = target->text;
    if (find_beside(path, sizeof(path))) {
        execv(path, (char *const *)arguments);
    }
    line_add(why, "cannot run " SHARE_PROGRAM ": ");
    deliver_add_error(why, errno);
}

/* ---- One document ---------------------------------------------------------------------------- */

/* Whose process this is, unless the command line says. */
static const char *user_name(const struct request *request)
{
    const struct passwd *user = request->user[0] == '\0' ? getpwuid(getuid()) : NULL;
    return user != NULL ? user->pw_name : request->user;
}

static void look_at_input(struct delivery *delivery)
{
    struct stat facts;
    off_t at = lseek(delivery->input, 0, SEEK_CUR);
    if (at >= 0 && fstat(delivery->input, &facts) == 0 && S_ISREG(facts.st_mode) &&
        at <= facts.st_size) {
        delivery->sized = true;
        delivery->size = (uint64_t)(facts.st_size - at);
    }
}

/* A person is told the target, too; of a job its service knows it. */
static enum outcome deliver_once(const struct request *request, const struct transport *transport,
                                 struct line *why)
{
    char host[256] = "";
    (void)gethostname(host, sizeof(host) - 1);
    struct delivery delivery = {
        .target = &request->target,
        .name = request->name,
        .user = user_name(request),
        .host = host,
        .title = request->name,
        .queue = "",
        .job = "",
        .number = (unsigned)getpid() % 1000,
        .time = (uint64_t)time(NULL),
        .input = STDIN_FILENO,
        .patient = true,
    };
    struct line reason = LINE_INIT;
    look_at_input(&delivery);
    enum outcome outcome = deliver_document(&delivery, transport, &reason);
    line_add(why, "%s: %s", request->target.text, reason.text);
    return outcome;
}

static int exit_status(enum outcome outcome)
{
    switch (outcome) {
    case DELIVER_DONE:
        return 0;
    case DELIVER_UNKNOWN:
        return 3;
    case DELIVER_DAMAGED:
        return 4;
    case DELIVER_AWAY:
    case DELIVER_REFUSED:
        break;
    }
    return 1;
}

static int deliver(const struct request *request, struct line *why)
{
    const struct transport *transport = deliver_transport(request->target.kind);
    if (transport == NULL) {
        run_share_program(request, why);
        return 1;
    }
    if (request->spool == NULL) {
        return exit_status(deliver_once(request, transport, why));
    }
    const struct deliver_job job = {
        .spool = request->spool,
        .name = request->job,
        .target = &request->target,
        .transport = transport,
        .retry = request->retry,
        .more = request->more,
    };
    return deliver_job(&job, why);
}

static int complain(int status, const struct line *why)
{
    if (status != 0) {
        fprintf(stderr, PROGRAM ": %s\n", why->text);
    }
    return status;
}

/* "Try now" may come before a job has been looked at; it holds for the other program, too. */
static void take_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a target that refuses */
}

int main(int argc, char **argv)
{
    struct line why = LINE_INIT;
    struct request *request = calloc(1, sizeof(*request));
    if (request == NULL) {
        line_add(&why, "out of memory");
        return complain(1, &why);
    }
    int status = 2;
    request->name = request->user = "";
    request->retry = DEFAULT_RETRY;
    take_signals();
    if (parse(argc, argv, request, &why)) {
        status = 1;
        if (request->port == NULL ||
            deliver_port(request->store, request->port, &request->target, &why)) {
            status = 2;
            if (complete_target(request, &request->target, &why)) {
                status = deliver(request, &why);
            }
        }
    }
    free(request);
    return complain(status, &why);
}
