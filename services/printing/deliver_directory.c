/*
 * deliver_directory - a document as a file of its own in a directory.
 *
 * The file has no name until all of it is on the disk, so that whoever looks into the directory
 * sees whole documents only; and its name is never another's. Needs deliver and deliver_path.
 */
#include "deliver.h"
#include "deliver_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PLACE_NAME 224 /* bytes of a name, its end and a number to tell it apart included */

struct place {
    struct delivery *delivery;
    int directory;
    int file;
    char hidden[64]; /* its name until then, where the file system needs one; else "" */
};

static void close_place(struct place *place)
{
    if (place->hidden[0] != '\0') {
        (void)unlinkat(place->directory, place->hidden, 0);
    }
    if (place->file >= 0) {
        close(place->file);
    }
    close(place->directory);
    free(place);
}

static void open_file(struct place *place)
{
    place->file = openat(place->directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    if (place->file < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
        (void)snprintf(place->hidden, sizeof(place->hidden), ".regstore-deliver.%jd",
                       (intmax_t)getpid());
        (void)unlinkat(place->directory, place->hidden, 0);
        place->file = openat(place->directory, place->hidden,
                             O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (place->file < 0) {
            place->hidden[0] = '\0';
        }
    }
}

static enum outcome begin(struct delivery *delivery, void **state, struct line *why)
{
    struct place *place = calloc(1, sizeof(*place));
    if (place == NULL) {
        line_add(why, "out of memory");
        return DELIVER_REFUSED;
    }
    place->delivery = delivery;
    char path[PATH_MAX];
    place->directory =
        deliver_open(delivery->target->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, path, why);
    if (place->directory < 0) {
        enum outcome outcome = errno == ENOENT ? DELIVER_AWAY : DELIVER_REFUSED;
        if (why->length == 0) {
            deliver_add_error(why, errno);
        }
        free(place);
        return outcome;
    }
    open_file(place);
    if (place->file < 0) {
        deliver_add_error(why, errno);
        close_place(place);
        return DELIVER_REFUSED;
    }
    *state = place;
    return DELIVER_DONE;
}

static bool write_part(void *state, const char *bytes, size_t size, struct line *why)
{
    const struct place *place = state;
    return deliver_write_all(place->file, bytes, size, why);
}

/* When it came, what it is called in the spool, and what its owner calls it. */
static void make_name(const struct delivery *delivery, char *name)
{
    char when[32] = "";
    char plain[128];
    struct tm parts;
    time_t seconds = (time_t)delivery->time;
    if (gmtime_r(&seconds, &parts) != NULL) {
        (void)strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &parts);
    }
    deliver_plain_name(delivery->name[0] != '\0' ? delivery->name : "document", plain,
                       sizeof(plain));
    (void)snprintf(name, PLACE_NAME - 8, "%s%s%.32s-%s", when, delivery->job[0] != '\0' ? "-" : "",
                   delivery->job, plain);
}

static bool give_name(struct place *place, const char *name)
{
    char self[64];
    if (place->hidden[0] != '\0') {
        return linkat(place->directory, place->hidden, place->directory, name, 0) == 0;
    }
    (void)snprintf(self, sizeof(self), "/proc/self/fd/%d", place->file);
    return linkat(AT_FDCWD, self, place->directory, name, AT_SYMLINK_FOLLOW) == 0;
}

/* A name that is there already gets a number. */
static bool give_free_name(struct place *place)
{
    char wanted[PLACE_NAME];
    char name[PLACE_NAME];
    make_name(place->delivery, wanted);
    (void)snprintf(name, sizeof(name), "%s", wanted);
    for (unsigned number = 2; !give_name(place, name); number++) {
        if (errno != EEXIST || number > 99999) {
            return false;
        }
        (void)snprintf(name, sizeof(name), "%.*s-%u", PLACE_NAME - 8, wanted, number);
    }
    return true;
}

static enum outcome end(void *state, struct line *why)
{
    struct place *place = state;
    enum outcome outcome = DELIVER_DONE;
    if (fsync(place->file) != 0 || !give_free_name(place)) {
        deliver_add_error(why, errno);
        outcome = DELIVER_REFUSED;
    } else if (fsync(place->directory) != 0) {
        deliver_add_error(why, errno);
        outcome = DELIVER_UNKNOWN;
    }
    close_place(place);
    return outcome;
}

static enum outcome end_early(void *state)
{
    close_place(state);
    return DELIVER_REFUSED;
}

const struct transport deliver_directory = {false, begin, write_part, end, end_early};
