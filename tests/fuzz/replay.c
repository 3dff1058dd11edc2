/*
 * replay.c - runs a fuzz target on the files of a corpus, without libFuzzer.
 *
 *     replay-TARGET FILE|DIRECTORY...
 *
 * Each file is a test, run in a process of its own that may take a minute; how one ended badly is
 * told with its name. The last line is "N passed, N failed, N skipped"; exit status 1 if any failed
 * or there was none. Needs fuzz.h.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 60u

struct counts {
    unsigned passed;
    unsigned failed;
};

static uint8_t *read_whole(const char *path, size_t *size)
{
    struct stat st;
    FILE *file = fopen(path, "rb");

    if (file == NULL || fstat(fileno(file), &st) != 0) {
        fprintf(stderr, "replay: %s: cannot be read\n", path);
        exit(EXIT_FAILURE);
    }
    *size = (size_t)st.st_size;
    uint8_t *data = malloc(*size > 0 ? *size : 1); /* no byte to spare */
    if (data == NULL || fread(data, 1, *size, file) != *size) {
        fprintf(stderr, "replay: %s: cannot be read\n", path);
        exit(EXIT_FAILURE);
    }
    fclose(file);
    return data;
}

static _Noreturn void run_child(const char *path)
{
    size_t size;
    uint8_t *data = read_whole(path, &size);
    char *name = (char *)"replay";
    char *words[] = {name, NULL};
    char **argv = words;
    int argc = 1;

    alarm(SECONDS);
    LLVMFuzzerInitialize(&argc, &argv);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    exit(EXIT_SUCCESS);
}

static void run_file(const char *path, struct counts *counts)
{
    int status = -1;

    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        run_child(path);
    }
    if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0) {
        counts->passed++;
        return;
    }
    counts->failed++;
    if (WIFSIGNALED(status)) {
        printf("FAILED: %s: signal %d\n", path, WTERMSIG(status));
    } else {
        printf("FAILED: %s: exit status %d\n", path, WEXITSTATUS(status));
    }
}

static void run_directory(const char *path, struct counts *counts)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        char *name;
        if (entries[i]->d_name[0] != '.' &&
            asprintf(&name, "%s/%s", path, entries[i]->d_name) >= 0) {
            run_file(name, counts);
            free(name);
        }
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
}

int main(int argc, char *argv[])
{
    struct counts counts = {0, 0};

    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode)) {
            run_directory(argv[i], &counts);
        } else {
            run_file(argv[i], &counts);
        }
    }
    printf("%u passed, %u failed, 0 skipped\n", counts.passed, counts.failed);
    return counts.failed > 0 || counts.passed == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
