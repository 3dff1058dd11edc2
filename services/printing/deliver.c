/* deliver - one document on its way to one target; see deliver.h. */
#include "deliver.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Helpers of the transports --------------------------------------------------------------- */

bool deliver_sending(struct delivery *delivery, struct line *why)
{
    if (!delivery->begun && delivery->sending != NULL && !delivery->sending(delivery->owner, why)) {
        return false;
    }
    delivery->begun = true;
    return true;
}

/* An abbreviation at the beginning keeps its capitals. */
void deliver_add_error(struct line *why, int error)
{
    const char *text = strerror(error);
    bool lower = isupper((unsigned char)text[0]) && islower((unsigned char)text[1]);
    line_add(why, "%c%s", lower ? tolower((unsigned char)text[0]) : text[0], text + 1);
}

void deliver_plain_name(const char *text, char *name, size_t size)
{
    size_t length = 0;
    for (; *text != '\0' && length + 1 < size; text++) {
        unsigned char byte = (unsigned char)*text;
        bool plain = byte < 0x80 && (isalnum(byte) || strchr("-._", byte) != NULL);
        name[length++] = plain ? (char)byte : '_';
    }
    if (length == 0) {
        name[length++] = '_';
    }
    if (name[0] == '.') {
        name[0] = '_';
    }
    name[length] = '\0';
}

bool deliver_write_all(int fd, const char *bytes, size_t size, struct line *why)
{
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno != EINTR) {
            deliver_add_error(why, errno);
            return false;
        }
        bytes += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

static ssize_t read_block(int fd, char *buffer)
{
    ssize_t got;
    do {
        got = read(fd, buffer, DELIVER_BLOCK);
    } while (got < 0 && errno == EINTR);
    return got;
}

static void add_unreadable(struct line *why, int error)
{
    line_add(why, "cannot read the document: ");
    deliver_add_error(why, error);
}

/* ---- A size for what has none yet ------------------------------------------------------------ */

static int open_nameless(void)
{
    const char *directory = getenv("TMPDIR");
    directory = directory != NULL && directory[0] == '/' ? directory : "/var/tmp";
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || errno != EOPNOTSUPP) {
        return fd;
    }
    char path[4096];
    if (strlen(directory) + sizeof("/regstore-deliver-XXXXXX") > sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcat(strcpy(path, directory), "/regstore-deliver-XXXXXX");
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) {
        (void)unlink(path);
    }
    return fd;
}

static enum outcome copy_input(struct delivery *delivery, int copy, struct line *why)
{
    char *buffer = malloc(DELIVER_BLOCK);
    if (buffer == NULL) {
        line_add(why, "out of memory");
        return DELIVER_REFUSED;
    }
    ssize_t got;
    enum outcome outcome = DELIVER_DONE;
    delivery->size = 0;
    while (outcome == DELIVER_DONE && (got = read_block(delivery->input, buffer)) != 0) {
        if (got < 0) {
            add_unreadable(why, errno);
            outcome = DELIVER_DAMAGED;
        } else if (!deliver_write_all(copy, buffer, (size_t)got, why)) {
            outcome = DELIVER_REFUSED;
        } else {
            delivery->size += (uint64_t)got;
        }
    }
    free(buffer);
    return outcome;
}

enum outcome deliver_measure(struct delivery *delivery, struct line *why)
{
    int copy = open_nameless();
    if (copy < 0) {
        line_add(why, "cannot make a temporary file: ");
        deliver_add_error(why, errno);
        return DELIVER_REFUSED;
    }
    enum outcome outcome = copy_input(delivery, copy, why);
    if (outcome == DELIVER_DONE &&
        (lseek(copy, 0, SEEK_SET) != 0 || dup2(copy, delivery->input) < 0)) {
        deliver_add_error(why, errno);
        outcome = DELIVER_REFUSED;
    }
    delivery->sized = outcome == DELIVER_DONE;
    close(copy);
    return outcome;
}

/* ---- The way --------------------------------------------------------------------------------- */

const struct transport *deliver_transport(enum target_kind kind)
{
    switch (kind) {
    case TARGET_SHARE:
        return deliver_share;
    case TARGET_FILE:
        return &deliver_file;
    case TARGET_DIRECTORY:
        return &deliver_directory;
    case TARGET_COMMAND:
        return &deliver_command;
    case TARGET_SOCKET:
        return &deliver_socket;
    case TARGET_LPD:
        return &deliver_lpd;
    }
    return NULL;
}

/* It will not be read better the next time, so it is not sent again, whatever came out. */
static enum outcome give_up(const struct transport *transport, void *state, struct line *why)
{
    if (transport->abort(state) == DELIVER_UNKNOWN) {
        line_add(why, "; a part of it may have come out");
    }
    return DELIVER_DAMAGED;
}

/* All bytes from the one to the other. */
static enum outcome pass(struct delivery *delivery, const struct transport *transport, void *state,
                         char *buffer, struct line *why)
{
    uint64_t passed = 0;
    ssize_t got;
    while ((got = read_block(delivery->input, buffer)) > 0) {
        passed += (uint64_t)got;
        if (delivery->sized && passed > delivery->size) {
            break;
        }
        if (!transport->write(state, buffer, (size_t)got, why)) {
            return transport->abort(state);
        }
    }
    if (got < 0) {
        add_unreadable(why, errno);
        return give_up(transport, state, why);
    }
    if (delivery->sized && passed != delivery->size) {
        line_add(why, "the document's size is not what it was");
        return give_up(transport, state, why);
    }
    if (!deliver_sending(delivery, why)) {
        return transport->abort(state);
    }
    return transport->end(state, why);
}

enum outcome deliver_document(struct delivery *delivery, const struct transport *transport,
                              struct line *why)
{
    void *state = NULL;
    delivery->begun = false;
    if (transport->sized && !delivery->sized) {
        enum outcome measured = deliver_measure(delivery, why);
        if (measured != DELIVER_DONE) {
            return measured;
        }
    }
    char *buffer = malloc(DELIVER_BLOCK);
    if (buffer == NULL) {
        line_add(why, "out of memory");
        return DELIVER_REFUSED;
    }
    enum outcome outcome = transport->begin(delivery, &state, why);
    if (outcome == DELIVER_DONE) {
        outcome = pass(delivery, transport, state, buffer, why);
    }
    free(buffer);
    return outcome;
}
