/*
 * fuzz_lpd.c - fuzz target: the bytes of a client of RFC 1179.
 *
 * An input's first byte says in what pieces the rest comes. What is told of must be within what
 * came and what the limits allow; a file has the bytes that it announces; and it means the same in
 * pieces as byte by byte. Needs lpd_request.
 */
#include "fuzz.h"
#include "../../services/lpdsvc/lpd_request.h"

#include <stdlib.h>
#include <string.h>

struct told {
    struct lpd_request request;
    uint64_t hash;      /* of all that was told */
    uint64_t announced; /* bytes of the file, */
    uint64_t got;       /* and how many came */
    bool in_file;
    bool open_ended;
    bool doubtful; /* a file of no known size began with zero: pieces matter there */
};

static void add_hash(struct told *told, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++) {
        told->hash = (told->hash ^ at[i]) * 1099511628211U;
    }
}

static void add_text(struct told *told, const char *text)
{
    if (text != NULL) {
        FUZZ_CHECK(strlen(text) < LPD_LINE_MAX && strchr(text, '\n') == NULL);
        add_hash(told, text, strlen(text) + 1);
    }
}

static void check_file(struct told *told, const struct lpd_event *event)
{
    FUZZ_CHECK(lpd_name_problem(event->name) == NULL && strchr(event->name, '/') == NULL);
    FUZZ_CHECK(event->name[0] == (event->kind == LPD_CONTROL_FILE ? 'c' : 'd'));
    FUZZ_CHECK(event->size <= (uint64_t)1 << 63 && lpd_name_number(event->name) <= 999);
    FUZZ_CHECK(!told->in_file);
    add_hash(told, &event->size, sizeof(event->size));
    told->announced = event->size;
    told->got = 0;
    told->in_file = true;
    told->open_ended = event->open_ended;
}

static void check_bytes(struct told *told, const struct lpd_event *event, const uint8_t *bytes,
                        size_t size)
{
    FUZZ_CHECK(told->in_file && event->count > 0 && event->count <= size);
    FUZZ_CHECK(event->bytes >= bytes && event->bytes + event->count <= bytes + size);
    told->got += event->count;
    FUZZ_CHECK(told->open_ended || told->got <= told->announced);
    add_hash(told, event->bytes, event->count);
}

static void check_items(struct told *told, const char *const *items)
{
    for (size_t count = 0; items != NULL && items[count] != NULL; count++) {
        FUZZ_CHECK(count < LPD_ITEMS_MAX && items[count][0] != '\0');
        add_text(told, items[count]);
    }
}

static void check(struct told *told, const struct lpd_event *event, const uint8_t *bytes,
                  size_t size)
{
    if (event->kind == LPD_BYTES) {
        check_bytes(told, event, bytes, size);
        return;
    }
    if (event->kind != LPD_NOTHING) {
        add_hash(told, &event->kind, sizeof(event->kind));
    }
    add_text(told, event->queue);
    add_text(told, event->agent);
    add_text(told, event->name);
    add_text(told, event->why);
    check_items(told, event->items);
    if (event->kind == LPD_CONTROL_FILE || event->kind == LPD_DATA_FILE) {
        check_file(told, event);
    } else if (event->kind == LPD_FILE_END) {
        FUZZ_CHECK(told->in_file && (told->open_ended || told->got == told->announced));
        told->in_file = false;
    }
}

/* All but the last word is the queue's name, if there is more than one. */
static void split(struct told *told, struct lpd_event *event)
{
    const char *blank = strrchr(event->queue, ' ');
    FUZZ_CHECK(event->items == NULL && event->agent == NULL && event->queue[0] != ' ');
    lpd_request_split(&told->request, event, blank != NULL ? (size_t)(blank - event->queue) : 0);
    FUZZ_CHECK(event->items != NULL);
}

/* A piece, in memory of its own. */
static void feed(struct told *told, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size);
    FUZZ_CHECK(copy != NULL);
    memcpy(copy, bytes, size);
    for (size_t at = 0; at < size;) {
        struct lpd_event event;
        if (told->request.state == LPD_AT_OPEN_FILE && copy[at] == 0) {
            told->doubtful = true;
        }
        size_t taken = lpd_request_feed(&told->request, copy + at, size - at, &event);
        FUZZ_CHECK(taken <= size - at && (taken > 0 || event.kind != LPD_NOTHING));
        FUZZ_CHECK(event.kind != LPD_NOTHING || taken == size - at);
        if (event.kind == LPD_STATE || event.kind == LPD_REMOVE) {
            split(told, &event);
        }
        check(told, &event, copy + at, size - at);
        at += taken;
    }
    free(copy);
}

static void tell(struct told *told, const uint8_t *bytes, size_t size, size_t piece)
{
    struct lpd_event event;
    *told = (struct told){.hash = 14695981039346656037U};
    lpd_request_begin(&told->request);
    for (size_t at = 0; at < size; at += piece) {
        feed(told, bytes + at, size - at < piece ? size - at : piece);
    }
    unsigned rounds = 0;
    do {
        lpd_request_finish(&told->request, &event);
        check(told, &event, bytes, 0);
        FUZZ_CHECK(++rounds < 4);
    } while (event.kind != LPD_ENDED && event.kind != LPD_BROKEN);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct told whole;
    struct told single;
    struct fuzz_input input = {data, size};
    size_t piece = 2 + fuzz_u8(&input) * 8;
    tell(&whole, input.at, input.left, piece);
    tell(&single, input.at, input.left, 1);
    FUZZ_CHECK(whole.doubtful || single.doubtful || whole.hash == single.hash);
    return 0;
}
