/* samba - makes a running Samba serve what a text says, or leaves it as it was; see samba.h. */
#include "samba.h"

#include "conf_include.h"
#include "render.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TESTPARM_MS 20000

/* ---- The end of a change --------------------------------------------------------------------- */

static void clean_up(struct samba *samba)
{
    if (samba->include.directory >= 0) {
        include_remove(&samba->include, ".new");
        include_remove(&samba->include, ".check");
        include_close(&samba->include);
    }
    free(samba->text);
    free(samba->closing);
    free(samba->undoing);
    free(samba->untold);
    samba->text = NULL;
    samba->closing = NULL;
    samba->undoing = NULL;
    samba->untold = NULL;
    samba->installed = false;
    samba->restoring = false;
}

static void settle(struct samba *samba, bool taken)
{
    struct line said = samba->said;
    clean_up(samba);
    samba->done(samba->owner, taken, said.text);
}

static void note(struct samba *samba, const char *text)
{
    line_separate(&samba->said, 0, "; ");
    line_add(&samba->said, "%s", text);
}

/* What smbd was not told before this change has to be told after it, too. */
static void keep_untold(struct samba *samba)
{
    if (samba->untold == NULL) {
        include_remove(&samba->include, ".close");
    } else if (!include_replace(&samba->include, ".close", 0600, samba->untold)) {
        note(samba, samba->include.reason);
    }
}

/* The file goes back. A running smbd may have read the new one, and somebody may be in a share that
 * only that one opens. If smbd cannot be told, FILE.close stays and the next change tells it. */
static void refuse(struct samba *samba, const char *reason)
{
    bool installed = samba->installed;
    samba->said = (struct line)LINE_INIT;
    note(samba, reason);
    samba->installed = false;
    if (!installed) {
        settle(samba, false);
        return;
    }
    if (!include_restore(&samba->include, samba->was_there)) {
        note(samba, samba->include.reason);
    }
    if (!include_replace(&samba->include, ".close", 0600, samba->undoing)) {
        note(samba, samba->include.reason);
    }
    samba->restoring = true;
    if (tell_start(&samba->tell, samba->undoing) != 0) {
        settle(samba, false);
    }
}

/* ---- smbd is told ---------------------------------------------------------------------------- */

static void take_told(void *owner, enum tell_result result, const char *reason)
{
    struct samba *samba = owner;
    if (samba->restoring) {
        if (result != TELL_FAILED) {
            include_remove(&samba->include, ".close");
        }
        settle(samba, false);
        return;
    }
    if (result == TELL_FAILED) {
        refuse(samba, reason);
        return;
    }
    if (result == TELL_IDLE) {
        note(samba, "smbd does not run");
    } else if (result == TELL_SILENT) {
        note(samba, "smbd was told, but does not answer");
    }
    include_remove(&samba->include, ".close");
    settle(samba, true);
}

/* ---- The file is put in its place ------------------------------------------------------------ */

static void install(struct samba *samba)
{
    char reason[TELL_REASON_SIZE];
    if (!include_replace(&samba->include, ".close", 0600, samba->closing)) {
        keep_untold(samba);
        refuse(samba, samba->include.reason);
        return;
    }
    bool stored = include_install(&samba->include);
    samba->installed = samba->include.installed;
    if (!stored) {
        if (!samba->installed) {
            keep_untold(samba);
        }
        refuse(samba, samba->include.reason);
        return;
    }
    int problem = tell_start(&samba->tell, samba->closing);
    if (problem != 0) {
        (void)snprintf(reason, sizeof(reason), "cannot run smbcontrol: %s", strerror(problem));
        refuse(samba, reason);
    }
}

/* ---- testparm judges ------------------------------------------------------------------------- */

static void note_unknown(struct samba *samba)
{
    const char *unknown = strstr(samba->testparm.text, "Unknown parameter encountered");
    char line[256];
    if (unknown != NULL) {
        program_take_line(unknown, line, sizeof(line));
        line_separate(&samba->said, 0, "; ");
        line_add(&samba->said, "testparm: %s", line);
    }
}

static void take_judgement(void *owner)
{
    static const char *const skipped[] = {"Load", "Weak crypto", "Server role", NULL};
    struct samba *samba = owner;
    char line[256];
    char reason[512];
    if (samba->testparm.status == 0) {
        note_unknown(samba);
        install(samba);
        return;
    }
    program_first_line(&samba->testparm, skipped, line, sizeof(line));
    (void)snprintf(reason, sizeof(reason), "testparm: %s",
                   samba->testparm.timed_out ? "it took too long"
                   : line[0] != '\0'         ? line
                                             : "it failed");
    refuse(samba, reason);
}

/* Gives smb.conf's text, or NULL with the reason in *said. */
static char *read_conf(const struct samba *samba, struct line *said)
{
    char *text = NULL;
    struct stat info;
    int fd = open(samba->conf, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
        info.st_size <= INCLUDE_MAX_SIZE) {
        text = calloc(1, (size_t)info.st_size + 1);
        if (text != NULL && read(fd, text, (size_t)info.st_size) < 0) {
            free(text);
            text = NULL;
        }
    }
    if (text == NULL) {
        line_add(said, "cannot read %s: %s", samba->conf,
                 fd < 0 ? strerror(errno) : "it is no file of reasonable size");
    }
    if (fd >= 0) {
        close(fd);
    }
    return text;
}

/* smb.conf as it will be, for testparm; it may hold what is not for everybody. */
static bool write_check(struct samba *samba, struct line *said)
{
    char other[PATH_MAX + 8];
    size_t count = 0;
    char *conf = read_conf(samba, said);
    if (conf == NULL) {
        return false;
    }
    (void)snprintf(other, sizeof(other), "%s.new", samba->file);
    char *check = conf_replace_include(conf, samba->file, other, &count);
    free(conf);
    if (check == NULL || count == 0) {
        line_add(said, "%s%s%s%s", check == NULL ? "no memory" : samba->conf,
                 check == NULL ? "" : " has no line \"include = ", check == NULL ? "" : samba->file,
                 check == NULL ? "" : "\"");
        free(check);
        return false;
    }
    bool written = include_write(&samba->include, ".check", 0600, check);
    free(check);
    if (!written) {
        line_add(said, "%s", samba->include.reason);
    }
    return written;
}

static bool start_testparm(struct samba *samba, struct line *said)
{
    char check[PATH_MAX + 8];
    (void)snprintf(check, sizeof(check), "%s.check", samba->file);
    const char *const arguments[] = {"testparm", "-s", "--suppress-prompt", check, NULL};
    int problem = program_start(&samba->testparm, arguments, TESTPARM_MS);
    if (problem != 0) {
        line_add(said, "cannot run testparm: %s", strerror(problem));
    }
    return problem == 0;
}

/* ---- A change begins ------------------------------------------------------------------------- */

static bool has_line(const char *text, const char *line, size_t size)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        if (length == size && memcmp(text, line, size) == 0) {
            return true;
        }
        text += length + (text[length] == '\n');
    }
    return false;
}

/* Adds the lines that are not there yet, so that what is never told does not grow. first is
 * released. */
static char *join(char *first, const char *second)
{
    char *both = first != NULL ? malloc(strlen(first) + strlen(second) + 2) : NULL;
    if (both == NULL) {
        free(first);
        return NULL;
    }
    char *end = stpcpy(both, first);
    while (*second != '\0') {
        size_t size = strcspn(second, "\n");
        if (!has_line(first, second, size)) {
            end = mempcpy(end, second, size);
            end = stpcpy(end, "\n");
        }
        second += size + (second[size] == '\n');
    }
    free(first);
    return both;
}

/* Reads what there is; of an earlier change smbd may not have been told. Gives whether there is
 * anything to do; false also when something is wrong, which is said. */
static bool compare(struct samba *samba, struct line *said, bool *same)
{
    char *old = NULL;
    if (!include_read(&samba->include, "", &old) ||
        !include_read(&samba->include, ".close", &samba->untold)) {
        line_add(said, "%s", samba->include.reason);
        free(old);
        return false;
    }
    samba->was_there = old != NULL;
    *same = old != NULL && strcmp(old, samba->text) == 0;
    const char *before = old != NULL ? old : "";
    const char *untold = samba->untold != NULL ? samba->untold : "";
    samba->closing = join(render_closing(before, samba->text), untold);
    samba->undoing = join(render_closing(samba->text, before), untold);
    bool whole = samba->closing != NULL && samba->undoing != NULL;
    if (!whole) {
        line_add(said, "no memory");
    }
    bool needed = whole && (!*same || samba->untold != NULL);
    free(old);
    return needed;
}

static enum work_outcome begin(struct samba *samba, struct line *said)
{
    bool same = false;
    if (strlen(samba->text) > INCLUDE_MAX_SIZE) {
        line_add(said, "the text of %s would be too long", samba->file);
        return WORK_REFUSED;
    }
    if (!include_open(&samba->include, samba->file)) {
        line_add(said, "%s", samba->include.reason);
        return WORK_REFUSED;
    }
    if (!compare(samba, said, &same)) {
        return said->length > 0 ? WORK_REFUSED : WORK_TAKEN;
    }
    if (same) {
        int problem = tell_start(&samba->tell, samba->closing);
        line_add(said, "%s%s", problem == 0 ? "" : "cannot run smbcontrol: ",
                 problem == 0 ? "" : strerror(problem));
        return problem == 0 ? WORK_UNDER_WAY : WORK_REFUSED;
    }
    if (!include_write(&samba->include, ".new", 0644, samba->text)) {
        line_add(said, "%s", samba->include.reason);
        return WORK_REFUSED;
    }
    return write_check(samba, said) && start_testparm(samba, said) ? WORK_UNDER_WAY : WORK_REFUSED;
}

void samba_init(struct samba *samba, struct loop *loop, const char *file, const char *conf,
                void (*done)(void *owner, bool taken, const char *said), void *owner)
{
    *samba = (struct samba){.loop = loop, .file = file, .conf = conf, .done = done, .owner = owner};
    samba->include = (struct include){.directory = -1, .lock = -1};
    program_init(&samba->testparm, loop, take_judgement, samba);
    tell_init(&samba->tell, loop, conf, take_told, samba);
}

enum work_outcome samba_apply(struct samba *samba, char *text, struct line *said)
{
    samba->text = text;
    samba->said = (struct line)LINE_INIT;
    enum work_outcome outcome = begin(samba, said);
    if (outcome != WORK_UNDER_WAY) {
        clean_up(samba);
    }
    return outcome;
}

void samba_end(struct samba *samba)
{
    program_stop(&samba->testparm);
    tell_stop(&samba->tell);
    clean_up(samba);
}
