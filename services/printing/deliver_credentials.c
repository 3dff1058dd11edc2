/* deliver_credentials - a user and a password for print shares; see deliver_credentials.h. */
#include "deliver_credentials.h"
#include "deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONGEST_LINE 1024

/* A file that the service manager keeps: its name has '_' where the path has '/'. */
static bool find_kept(const char *path, char *kept, size_t size)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    size_t home = strlen(CREDENTIALS_HOME);
    if (directory == NULL || strncmp(path, CREDENTIALS_HOME, home) != 0) {
        return false;
    }
    int start = snprintf(kept, size, "%s/printing_", directory);
    if (start < 0 || (size_t)start + strlen(path + home) >= size) {
        return false;
    }
    char *at = strcpy(kept + start, path + home);
    while ((at = strchr(at, '/')) != NULL) {
        *at = '_';
    }
    return true;
}

static const char *why_not(const struct stat *facts)
{
    if (!S_ISREG(facts->st_mode)) {
        return "it is not a file";
    }
    if (facts->st_uid != 0 && facts->st_uid != geteuid()) {
        return "it belongs to another user";
    }
    return (facts->st_mode & (S_IRWXG | S_IRWXO)) != 0 ? "others can read or change it" : NULL;
}

static int open_file(const char *path, bool kept, struct line *why)
{
    struct stat facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &facts) != 0) {
        deliver_add_error(why, errno);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    const char *problem = kept ? NULL : why_not(&facts);
    if (problem != NULL) {
        line_add(why, "%s", problem);
        close(fd);
        return -1;
    }
    return fd;
}

/* What stands around a word, but not within it. */
static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL) {
        text[--length] = '\0';
    }
    return text;
}

/* A password may end with a space; the line's end is not a part of it. */
static bool take_line(char *line, struct credentials *credentials, const char **problem)
{
    line[strcspn(line, "\r\n")] = '\0';
    char *start = line + strspn(line, " \t");
    if (*start == '\0' || *start == '#' || *start == ';') {
        return true;
    }
    char *value = strchr(start, '=');
    if (value == NULL) {
        *problem = "has no =";
        return false;
    }
    *value++ = '\0';
    value += strspn(value, " \t");
    const char *name = trim(start);
    char *place = strcasecmp(name, "username") == 0   ? credentials->user
                  : strcasecmp(name, "password") == 0 ? credentials->password
                  : strcasecmp(name, "domain") == 0   ? credentials->domain
                                                      : NULL;
    if (place == NULL || strlen(value) >= CREDENTIALS_TEXT) {
        *problem = place == NULL ? "is none of username, password and domain" : "is too long";
        return false;
    }
    strcpy(place, value);
    return true;
}

static bool read_lines(FILE *file, struct credentials *credentials, struct line *why)
{
    char line[LONGEST_LINE];
    unsigned number = 0;
    const char *problem = NULL;
    while (problem == NULL && fgets(line, sizeof(line), file) != NULL) {
        number++;
        if (strchr(line, '\n') == NULL && !feof(file)) {
            problem = "is too long";
        } else {
            (void)take_line(line, credentials, &problem);
        }
    }
    explicit_bzero(line, sizeof(line));
    if (problem != NULL) {
        line_add(why, "line %u %s", number, problem);
    } else if (credentials->user[0] == '\0') {
        problem = "it names no user";
        line_add(why, "%s", problem);
    }
    return problem == NULL;
}

/* Without a buffer of the C library's, which would keep the password. */
static bool read_file(int fd, struct credentials *credentials, struct line *why)
{
    FILE *file = fdopen(fd, "r");
    if (file == NULL) {
        close(fd);
        line_add(why, "out of memory");
        return false;
    }
    (void)setvbuf(file, NULL, _IONBF, 0);
    bool good = read_lines(file, credentials, why);
    (void)fclose(file);
    return good;
}

bool deliver_credentials(const char *path, struct credentials *credentials, struct line *why)
{
    char kept[4096];
    struct line reason = LINE_INIT;
    struct credentials found = {.user = ""};
    bool is_kept = find_kept(path, kept, sizeof(kept));
    int fd = open_file(is_kept ? kept : path, is_kept, &reason);
    bool good = fd >= 0 && read_file(fd, &found, &reason);
    if (good) {
        *credentials = found;
    } else {
        line_add(why, "credentials file ");
        line_add_quoted(why, path);
        line_add(why, ": %s", reason.text);
    }
    explicit_bzero(&found, sizeof(found));
    return good;
}
