/* lpd_request - see lpd_request.h. */
#include "lpd_request.h"

#include <string.h>

#define SIZE_MOST ((uint64_t)1 << 63)
#define SIZE_NO_DISK_HAS ((uint64_t)1 << 46)
#define DIGITS_MOST 6    /* of a job's number in a name */
#define NUMBER_DIGITS 3  /* of them that RFC 1179 knows */
#define SUBCOMMAND_MAX 3 /* the highest code of one */

void lpd_request_begin(struct lpd_request *request)
{
    *request = (struct lpd_request){.state = LPD_AT_COMMAND};
}

static void become_broken(struct lpd_request *request, struct lpd_event *event, const char *why)
{
    request->state = LPD_IS_OVER;
    event->kind = LPD_BROKEN;
    event->why = why;
}

/* ---- Words of a line ------------------------------------------------------------------------- */

/* RFC 1179 3.1 counts these as white space. */
static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\v' || byte == '\f' || byte == '\r';
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static char *skip_blanks(char *text)
{
    while (is_blank(*text)) {
        text++;
    }
    return text;
}

static void cut_trailing_blanks(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && is_blank(text[length - 1])) {
        length--;
    }
    text[length] = '\0';
}

/* Ends a text here, at a blank or its end, and gives the next word's begin. */
static char *end_here(char *text)
{
    if (*text != '\0') {
        *text++ = '\0';
    }
    return skip_blanks(text);
}

/* The same for the word that begins here. */
static char *end_word(char *text)
{
    while (*text != '\0' && !is_blank(*text)) {
        text++;
    }
    return end_here(text);
}

/* The words from here on become the request's items. There is room for all that fit in a line. */
static void split_items(struct lpd_request *request, char *text)
{
    size_t count = 0;
    while (*text != '\0' && count < LPD_ITEMS_MAX) {
        request->items[count++] = text;
        text = end_word(text);
    }
    request->items[count] = NULL;
}

/* ---- Names and sizes ------------------------------------------------------------------------- */

static bool is_letter(char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

static const char *host_problem(const char *host)
{
    for (const char *at = host; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte == '/') {
            return "a file's name with \"/\"";
        }
        if (byte < 0x20 || byte == 0x7f) {
            return "a file's name with control characters";
        }
    }
    return strstr(host, "..") != NULL ? "a file's name with \"..\"" : NULL;
}

const char *lpd_name_problem(const char *name)
{
    size_t digits = 0;
    if ((name[0] != 'c' && name[0] != 'd') || name[1] != 'f' || !is_letter(name[2])) {
        return "a file's name that does not begin as cfA or dfA";
    }
    while (digits < DIGITS_MOST && is_digit(name[3 + digits])) {
        digits++;
    }
    if (digits == 0) {
        return "a file's name without a job's number";
    }
    if (strlen(name) >= LPD_FILE_NAME) {
        return "a file's name that is too long";
    }
    return host_problem(name + 3 + digits);
}

unsigned lpd_name_number(const char *name)
{
    unsigned number = 0;
    for (size_t i = 3; i < 3 + NUMBER_DIGITS && is_digit(name[i]); i++) {
        number = number * 10 + (unsigned)(name[i] - '0');
    }
    return number;
}

/* Reads a size, which ends at a blank; NULL if it is none, else what follows. */
static char *read_size(char *text, uint64_t *size)
{
    uint64_t value = 0;
    if (!is_digit(*text)) {
        return NULL;
    }
    for (; is_digit(*text); text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (value > (SIZE_MOST - digit) / 10) {
            return NULL;
        }
        value = value * 10 + digit;
    }
    *size = value;
    return is_blank(*text) ? skip_blanks(text) : NULL;
}

static bool is_unknown(uint64_t size)
{
    return size == 0 || size == UINT32_MAX || size == 999999999999 || size >= SIZE_NO_DISK_HAS;
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static void take_queue(struct lpd_request *request, struct lpd_event *event,
                       enum lpd_event_kind kind)
{
    char *queue = skip_blanks(request->line + 1);
    cut_trailing_blanks(queue);
    event->kind = kind;
    event->queue = queue;
    request->state = kind == LPD_RECEIVE ? LPD_AT_SUBCOMMAND : LPD_IS_OVER;
}

void lpd_request_split(struct lpd_request *request, struct lpd_event *event, size_t size)
{
    char *queue = request->line + (event->queue - request->line);
    char *rest = size > 0 ? end_here(queue + size) : end_word(queue);
    if (event->kind == LPD_REMOVE) {
        event->agent = rest;
        rest = end_word(rest);
    }
    split_items(request, rest);
    event->items = request->items;
}

static void take_command(struct lpd_request *request, struct lpd_event *event)
{
    switch (request->line[0]) {
    case 1:
        take_queue(request, event, LPD_RESUME);
        break;
    case 2:
        take_queue(request, event, LPD_RECEIVE);
        break;
    case 3:
    case 4:
        event->is_long = request->line[0] == 4;
        take_queue(request, event, LPD_STATE);
        break;
    case 5:
        take_queue(request, event, LPD_REMOVE);
        break;
    default:
        become_broken(request, event, "no command of RFC 1179");
    }
}

static void take_file(struct lpd_request *request, struct lpd_event *event)
{
    bool is_control = request->line[0] == 2;
    char *name = read_size(request->line + 1, &event->size);
    if (name == NULL) {
        become_broken(request, event, "a file's size that is none");
        return;
    }
    cut_trailing_blanks(name);
    const char *problem = lpd_name_problem(name);
    if (problem == NULL && name[0] != (is_control ? 'c' : 'd')) {
        problem = "a file under the name of another kind";
    }
    if (problem != NULL) {
        become_broken(request, event, problem);
        return;
    }
    event->kind = is_control ? LPD_CONTROL_FILE : LPD_DATA_FILE;
    event->name = name;
    event->open_ended = !is_control && is_unknown(event->size);
    request->left = event->size;
    request->state = !event->open_ended ? LPD_IN_FILE
                     : event->size == 0 ? LPD_AT_OPEN_FILE
                                        : LPD_IN_OPEN_FILE;
}

/* A client that sends a job after another one may begin again with "receive job", whose code is
 * also that of a control file: but that has two operands. */
static bool is_receive(const char *line)
{
    return line[0] == 2 && line[1] != '\0' && strpbrk(line + 1, " \t\v\f") == NULL;
}

static void take_subcommand(struct lpd_request *request, struct lpd_event *event)
{
    char code = request->line[0];
    if (code == 1) {
        event->kind = LPD_ABORT;
    } else if (is_receive(request->line)) {
        take_queue(request, event, LPD_RECEIVE);
    } else if (code == 2 || code == 3) {
        take_file(request, event);
    } else {
        become_broken(request, event, "no sub-command of RFC 1179");
    }
}

static void take_line(struct lpd_request *request, struct lpd_event *event)
{
    request->line[request->length] = '\0';
    bool holds_nul = strlen(request->line) != request->length;
    request->length = 0;
    if (holds_nul) {
        become_broken(request, event, "a command with a byte of zero in it");
    } else if (request->state == LPD_AT_COMMAND) {
        take_command(request, event);
    } else {
        take_subcommand(request, event);
    }
}

static size_t feed_line(struct lpd_request *request, const uint8_t *bytes, size_t size,
                        struct lpd_event *event)
{
    const uint8_t *end = memchr(bytes, '\n', size);
    size_t count = end != NULL ? (size_t)(end - bytes) : size;
    if (count > LPD_LINE_MAX - request->length) {
        become_broken(request, event, "a command that is too long");
        return size;
    }
    memcpy(request->line + request->length, bytes, count);
    request->length += count;
    if (end == NULL) {
        return count;
    }
    take_line(request, event);
    return count + 1;
}

/* ---- Files ----------------------------------------------------------------------------------- */

static size_t give_bytes(struct lpd_event *event, const uint8_t *bytes, size_t count)
{
    event->kind = LPD_BYTES;
    event->bytes = bytes;
    event->count = count;
    return count;
}

static void end_file(struct lpd_request *request, struct lpd_event *event)
{
    request->state = LPD_AT_SUBCOMMAND;
    event->kind = LPD_FILE_END;
}

static size_t feed_file(struct lpd_request *request, const uint8_t *bytes, size_t size,
                        struct lpd_event *event)
{
    size_t count = request->left < size ? (size_t)request->left : size;
    request->left -= count;
    if (request->left == 0) {
        request->state = LPD_AT_FILE_END;
    }
    return count > 0 ? give_bytes(event, bytes, count) : 0;
}

static size_t feed_file_end(struct lpd_request *request, const uint8_t *bytes,
                            struct lpd_event *event)
{
    if (bytes[0] != 0) {
        become_broken(request, event, "a file that does not end where it should");
    } else {
        end_file(request, event);
    }
    return 1;
}

/* The first bytes of a file of no known size. A client whose file is empty ends it, and waits for
 * the answer or sends a sub-command; documents hardly begin so. */
static size_t feed_open_file(struct lpd_request *request, const uint8_t *bytes, size_t size,
                             struct lpd_event *event)
{
    if (bytes[0] == 0 && (size == 1 || (bytes[1] >= 1 && bytes[1] <= SUBCOMMAND_MAX))) {
        end_file(request, event);
        return 1;
    }
    request->state = LPD_IN_OPEN_FILE;
    return give_bytes(event, bytes, size);
}

/* ---- All together ---------------------------------------------------------------------------- */

size_t lpd_request_feed(struct lpd_request *request, const uint8_t *bytes, size_t size,
                        struct lpd_event *event)
{
    *event = (struct lpd_event){.kind = LPD_NOTHING};
    size_t taken = 0;
    if (request->state == LPD_IN_FILE && size > 0) {
        taken = feed_file(request, bytes, size, event);
    }
    if (event->kind != LPD_NOTHING || taken == size) {
        return taken;
    }
    switch (request->state) {
    case LPD_AT_FILE_END:
        return feed_file_end(request, bytes, event);
    case LPD_AT_OPEN_FILE:
        return feed_open_file(request, bytes, size, event);
    case LPD_IN_OPEN_FILE:
        return give_bytes(event, bytes, size);
    case LPD_IS_OVER:
        return size;
    default:
        return feed_line(request, bytes, size, event);
    }
}

void lpd_request_finish(struct lpd_request *request, struct lpd_event *event)
{
    *event = (struct lpd_event){.kind = LPD_ENDED};
    switch (request->state) {
    case LPD_IN_FILE:
        if (request->left > 0) {
            become_broken(request, event, "less of a file than it has announced");
            break;
        }
        end_file(request, event);
        break;
    case LPD_AT_FILE_END: /* some leave out the byte that ends the last one; its size says enough */
    case LPD_AT_OPEN_FILE:
    case LPD_IN_OPEN_FILE:
        end_file(request, event);
        break;
    case LPD_AT_COMMAND:
    case LPD_AT_SUBCOMMAND:
        if (request->length > 0) {
            become_broken(request, event, "a command without its end");
        }
        break;
    default:
        break;
    }
}

void lpd_request_refuse(struct lpd_request *request)
{
    request->left = 0;
    request->state = LPD_AT_SUBCOMMAND;
}

uint64_t lpd_request_room(const struct lpd_request *request)
{
    switch (request->state) {
    case LPD_IN_FILE:
        return request->left + 1;
    case LPD_AT_FILE_END:
        return 1;
    case LPD_IN_OPEN_FILE:
    case LPD_IS_OVER:
        return UINT64_MAX;
    default:
        return 0;
    }
}
