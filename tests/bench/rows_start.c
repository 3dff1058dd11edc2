/*
 * rows_start.c - row: starting regtool for one value, against starting a program that does nothing.
 *
 * Needs jobs and measure.
 */
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jobs.h"
#include "measure.h"
#include "rows.h"

struct command {
    char program[4200];
    char *argv[8];
    const char *output;
};

static void run(void *context, unsigned long count)
{
    const struct command *command = context;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, command->output,
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    while (count-- > 0) {
        pid_t pid;
        int status = -1;
        if (posix_spawn(&pid, command->program, &actions, NULL, command->argv, environ) != 0 ||
            waitpid(pid, &status, 0) != pid || status != 0) {
            die("%s failed", command->program);
        }
    }
    posix_spawn_file_actions_destroy(&actions);
}

static void check(struct command *query, const char *output, uint32_t number)
{
    char wanted[32];
    char text[4096] = "";
    query->output = output;
    run(query, 1);
    FILE *file = fopen(output, "r");
    size_t size = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;
    text[size] = '\0';
    snprintf(wanted, sizeof wanted, "0x%x\n", number);
    if (file == NULL || strstr(text, wanted) == NULL) {
        die("regtool query does not say %s", wanted);
    }
    fclose(file);
    query->output = "/dev/null";
}

void row_start(struct bench *bench, const struct row *row, struct result *result)
{
    char key[1024];
    bench_store(bench);
    struct probes probes = probes_choose(bench_data(bench), PROBE_DEPTH, 1, 1);
    const struct probe *probe = &probes.list[0];
    struct command query = {.argv = {(char[]){"regtool"}, (char[]){"--store"},
                                     (char *)(uintptr_t)bench_store(bench), (char[]){"query"}, key,
                                     (char[]){"/v"}, (char *)(uintptr_t)probe->name}};
    struct command empty = {.argv = {(char[]){"bench-empty"}}, .output = "/dev/null"};
    struct times times;
    (void)row;
    if (*probe->name == '\0') {
        query.argv[5] = (char[]){"/ve"};
        query.argv[6] = NULL;
    }
    snprintf(key, sizeof key, "HKLM\\%s", probe->path);
    snprintf(query.program, sizeof query.program, "%s/regtool", program_dir());
    snprintf(empty.program, sizeof empty.program, "%s/bench-empty", program_dir());
    check(&query, bench_path(bench, "answer"), probe->number);
    times_new(&times, 2, rounds_of(bench, 31));
    times_measure(&times, (struct contender[]){{run, &query}, {run, &empty}}, 40);
    result_take(result, &times, 1e3);
    result->cpu = NAN; /* the children's is not in it */
    times_free(&times);
    probes_free(&probes);
}
