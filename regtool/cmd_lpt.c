/*
 * regtool lpt: prints to an LPT port as the device map says. What prints is regstore-deliver, which
 * stands beside this program and takes its place, so that its standard input, its errors and its
 * exit status are those of the command.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arguments.h"
#include "device_map.h"
#include "report.h"
#include "run_command.h"
#include "tool.h"

#define DELIVERER "regstore-deliver"
#define MOST_WORDS 10
#define PATH_SIZE 4096

/* The document, -1 for the standard input that there is, which "-" is, too. Returns 0, or 1 after a
 * report. */
static int open_document(const char *file, int *fd)
{
    struct stat about;
    int error = 0;

    *fd = -1;
    if (file == NULL || strcmp(file, "-") == 0) {
        return 0;
    }
    *fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (*fd < 0 || fstat(*fd, &about) != 0) {
        error = errno;
    } else if (S_ISDIR(about.st_mode)) {
        error = EISDIR;
    }
    if (error == 0) {
        return 0;
    }
    if (*fd >= 0) {
        close(*fd);
    }
    return report("%s: %s", file, strerror(error));
}

/* Where the deliverer is: beside the program that this is. */
static int find_deliverer(char path[PATH_SIZE])
{
    char self[PATH_SIZE - sizeof(DELIVERER)];
    ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *slash;

    if (size <= 0 || (size_t)size >= sizeof(self) - 1) {
        return report("lpt: where this program is cannot be read");
    }
    self[size] = '\0';
    slash = strrchr(self, '/');
    if (slash == NULL) {
        return report("lpt: where this program is cannot be read");
    }
    slash[1] = '\0';
    snprintf(path, PATH_SIZE, "%s%s", self, DELIVERER);
    return 0;
}

static int print(const struct tool *tool, const char *port, const char *file)
{
    const char *slash = file != NULL ? strrchr(file, '/') : NULL;
    const char *name = slash != NULL ? slash + 1 : file;
    const char *words[MOST_WORDS] = {DELIVERER, "--port", port};
    char path[PATH_SIZE];
    size_t count = 3;
    int fd;
    int error;

    if (tool->dir != NULL) {
        words[count++] = "--store";
        words[count++] = tool->dir;
    }
    if (name != NULL && strcmp(file, "-") != 0) {
        words[count++] = "--name";
        words[count++] = name;
    }
    if (find_deliverer(path) != 0 || open_document(file, &fd) != 0) {
        return 1;
    }
    error = run_program_instead(path, (char *const *)(uintptr_t)words, fd);
    if (fd >= 0) {
        close(fd);
    }
    return report("lpt: %s: %s", path, strerror(error));
}

int cmd_lpt(struct tool *tool, const struct arguments *arguments)
{
    const char *what = arguments->operands[0];
    const char *word = arguments->operands[1];
    struct device device;
    char port[DEVICE_NAME_SIZE];

    if (strcasecmp(what, "write") != 0) {
        return report("lpt: \"%s\" is not write", what);
    }
    if (!device_parse(word, strlen(word), &device) || device.kind != DEVICE_LPT) {
        return device_report("lpt", word, false);
    }
    device_name(&device, port);
    return print(tool, port, arguments->operands[2]);
}
