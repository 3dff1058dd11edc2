/* test_lpd_request - the bytes of RFC 1179's clients, taken apart in one piece and byte by byte. */
#include "harness.h"

#include "../services/lpdsvc/lpd_request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All events of a conversation, one after the other, as text. */
struct tale {
    size_t length;
    char text[8192];
};

static void __attribute__((format(printf, 2, 3))) tell(struct tale *tale, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int added =
        vsnprintf(tale->text + tale->length, sizeof(tale->text) - tale->length, format, arguments);
    va_end(arguments);
    CU_ASSERT_FATAL(added >= 0 && (size_t)added < sizeof(tale->text) - tale->length);
    tale->length += (size_t)added;
}

static void tell_items(struct tale *tale, const struct lpd_event *event)
{
    for (const char *const *item = event->items; *item != NULL; item++) {
        tell(tale, ",%s", *item);
    }
    tell(tale, "] ");
}

static void tell_file(struct tale *tale, const char *kind, const struct lpd_event *event)
{
    tell(tale, "[%s %llu %s%s] ", kind, (unsigned long long)event->size, event->name,
         event->open_ended ? " open" : "");
}

static void tell_event(struct tale *tale, const struct lpd_event *event)
{
    switch (event->kind) {
    case LPD_NOTHING:
        break;
    case LPD_RESUME:
        tell(tale, "[resume %s] ", event->queue);
        break;
    case LPD_RECEIVE:
        tell(tale, "[receive %s] ", event->queue);
        break;
    case LPD_STATE:
        tell(tale, "[%s %s", event->is_long ? "long" : "short", event->queue);
        tell_items(tale, event);
        break;
    case LPD_REMOVE:
        tell(tale, "[remove %s by %s", event->queue, event->agent);
        tell_items(tale, event);
        break;
    case LPD_ABORT:
        tell(tale, "[abort] ");
        break;
    case LPD_CONTROL_FILE:
        tell_file(tale, "control", event);
        break;
    case LPD_DATA_FILE:
        tell_file(tale, "data", event);
        break;
    case LPD_BYTES:
        CU_ASSERT(event->count > 0);
        tell(tale, "%.*s", (int)event->count, (const char *)event->bytes);
        break;
    case LPD_FILE_END:
        tell(tale, "[end] ");
        break;
    case LPD_ENDED:
        tell(tale, "[ended]");
        break;
    case LPD_BROKEN:
        tell(tale, "[broken: %s]", event->why);
        break;
    }
}

/* A name with a blank in it is that of a queue here. */
static size_t name_size(const char *operand)
{
    static const char name[] = "HP Laser";
    return strncmp(operand, name, sizeof(name) - 1) == 0 ? sizeof(name) - 1 : 0;
}

/* Feeds bytes in pieces of so many, each in memory of its own. */
static bool feed(struct lpd_request *request, struct tale *tale, const char *bytes, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    struct lpd_event event = {.kind = LPD_NOTHING};
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, bytes, size);
    for (size_t at = 0; at < size && event.kind != LPD_BROKEN;) {
        uint64_t room = lpd_request_room(request);
        size_t taken = lpd_request_feed(request, copy + at, size - at, &event);
        CU_ASSERT_FATAL(taken <= size - at && (taken > 0 || event.kind != LPD_NOTHING));
        CU_ASSERT(room <= size - at || taken == size - at || event.kind != LPD_NOTHING);
        if (event.kind == LPD_STATE || event.kind == LPD_REMOVE) {
            lpd_request_split(request, &event, name_size(event.queue));
        }
        tell_event(tale, &event);
        at += taken;
    }
    free(copy);
    return event.kind != LPD_BROKEN;
}

static void finish(struct lpd_request *request, struct tale *tale)
{
    struct lpd_event event;
    do {
        lpd_request_finish(request, &event);
        tell_event(tale, &event);
    } while (event.kind != LPD_ENDED && event.kind != LPD_BROKEN);
}

static const char *tale_of(struct tale *tale, const char *bytes, size_t size, size_t piece)
{
    struct lpd_request request;
    *tale = (struct tale){0};
    lpd_request_begin(&request);
    for (size_t at = 0; at < size; at += piece) {
        if (!feed(&request, tale, bytes + at, size - at < piece ? size - at : piece)) {
            return tale->text;
        }
    }
    finish(&request, tale);
    return tale->text;
}

/* What it means does not depend on the pieces that it comes in. */
static void expect_bytes(const char *bytes, size_t size, const char *expected)
{
    struct tale tale;
    for (size_t piece = 1; piece <= size; piece++) {
        CU_ASSERT_STRING_EQUAL_FATAL(tale_of(&tale, bytes, size, piece), expected);
    }
}
/* Of a literal, which may hold NUL. */
#define EXPECT(bytes, expected) expect_bytes(bytes, sizeof(bytes) - 1, expected)

/* ---- Commands -------------------------------------------------------------------------------- */

static void commands_are_taken_apart(void)
{
    EXPECT("\1lp\n", "[resume lp] [ended]");
    EXPECT("\3lp\n", "[short lp] [ended]");
    EXPECT("\4lp joe 12\t13\n", "[long lp,joe,12,13] [ended]");
    EXPECT("\5lp joe 1 2 \n", "[remove lp by joe,1,2] [ended]");
    EXPECT("\5lp\n", "[remove lp by ] [ended]");
    EXPECT("\3HP Laser\n", "[short HP Laser] [ended]");
    EXPECT("\4 HP Laser  joe 12\n", "[long HP Laser,joe,12] [ended]");
    EXPECT("\5HP Laser joe 1\n", "[remove HP Laser by joe,1] [ended]");
    EXPECT("\5HP Laser \n", "[remove HP Laser by ] [ended]");
    EXPECT("\2HP LaserJet 4 \r\n", "[receive HP LaserJet 4] [ended]");
    EXPECT("\3\n", "[short ] [ended]");
    EXPECT("\2HKLM\\SYSTEM\\..\\x\n", "[receive HKLM\\SYSTEM\\..\\x] [ended]");
}

static void what_is_no_command_is_broken(void)
{
    EXPECT("\6lp\n", "[broken: no command of RFC 1179]");
    EXPECT("GET / HTTP/1.0\n", "[broken: no command of RFC 1179]");
    EXPECT("\n", "[broken: no command of RFC 1179]");
    EXPECT("\2l\0p\n", "[broken: a command with a byte of zero in it]");
    EXPECT("\2lp", "[broken: a command without its end]");
    EXPECT("\2lp\n\4lp\n", "[receive lp] [broken: no sub-command of RFC 1179]");
    EXPECT("\2lp\n\2\n", "[receive lp] [broken: a file's size that is none]");
}

/* After a command that is no "receive job" a client has no more to say. */
static void what_follows_a_question_is_ignored(void)
{
    EXPECT("\3lp\n\3lp\nrest", "[short lp] [ended]");
}

static void a_line_has_a_limit(void)
{
    static char line[LPD_LINE_MAX + 2];
    struct tale tale;
    memset(line, 'q', sizeof(line));
    line[0] = 1;
    line[LPD_LINE_MAX] = '\n';
    CU_ASSERT_EQUAL(strlen(tale_of(&tale, line, LPD_LINE_MAX + 1, 7)),
                    LPD_LINE_MAX - 1 + strlen("[resume ] [ended]"));
    line[LPD_LINE_MAX] = 'q';
    line[LPD_LINE_MAX + 1] = '\n';
    expect_bytes(line, sizeof(line), "[broken: a command that is too long]");
    CU_ASSERT_STRING_EQUAL(tale_of(&tale, line, LPD_LINE_MAX + 1, 1000),
                           "[broken: a command that is too long]");
}

static void items_fill_a_line(void)
{
    static char line[LPD_LINE_MAX + 1];
    struct tale tale;
    memset(line, ' ', sizeof(line));
    for (size_t i = 1; i < LPD_LINE_MAX; i += 2) {
        line[i] = 'x';
    }
    line[0] = 4;
    line[LPD_LINE_MAX] = '\n';
    const char *text = tale_of(&tale, line, sizeof(line), sizeof(line));
    size_t items = 0;
    for (; *text != '\0'; text++) {
        items += *text == ',';
    }
    CU_ASSERT_EQUAL(items, LPD_LINE_MAX / 2 - 1);
}

/* ---- Files ----------------------------------------------------------------------------------- */

static void files_come_in_either_order(void)
{
    EXPECT("\2lp\n\0023 cfA001host\nHx\n\0\0034 dfA001host\nabcd\0",
           "[receive lp] [control 3 cfA001host] Hx\n[end] [data 4 dfA001host] abcd[end] [ended]");
    EXPECT("\2lp\n\0034 dfA001h\n\2\3\2\n\0\0031 dfB001h\nx\0\0021 cfA001h\n \0",
           "[receive lp] [data 4 dfA001h] \2\3\2\n[end] [data 1 dfB001h] x[end] "
           "[control 1 cfA001h]  [end] [ended]");
}

static void jobs_follow_each_other(void)
{
    EXPECT("\2lp\n\0021 cfA001h\nx\0\1\n\2lp2\n\0021 cfA002h\ny\0\2lp 3\n",
           "[receive lp] [control 1 cfA001h] x[end] [abort] [receive lp2] [control 1 cfA002h] "
           "y[end] [broken: a file's size that is none]");
}

static void sizes_are_decimal_numbers(void)
{
    static const char *const bad[] = {"-1",
                                      "+1",
                                      "0x10",
                                      "1e3",
                                      "",
                                      "1.5",
                                      "1 1x",
                                      " 1",
                                      "9223372036854775809",
                                      "18446744073709551617"};
    struct tale tale;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[128];
        int length = snprintf(text, sizeof(text), "\2lp\n\3%s dfA001h\n", bad[i]);
        CU_ASSERT_PTR_NOT_NULL(
            strstr(tale_of(&tale, text, (size_t)length, 9), "[broken: a file's"));
    }
    EXPECT("\2lp\n\003007 dfA001h\n", "[receive lp] [data 7 dfA001h] "
                                      "[broken: less of a file than it has announced]");
}

static void names_are_checked(void)
{
    static const char *const bad[] = {"dfA001/etc", "dfA001../x", "dfA001a..b", "dfAhost",
                                      "cfA001h",    "xfA001h",    "df1001h",    "df",
                                      "",           "dfA",        "dfA001\tx",  "dfA001\x7f"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[128];
        struct tale tale;
        int length = snprintf(text, sizeof(text), "\2lp\n\0031 %s\nx", bad[i]);
        CU_ASSERT_PTR_NOT_NULL(strstr(tale_of(&tale, text, (size_t)length, 99), "[broken: a file"));
    }
    char name[LPD_FILE_NAME + 1] = "dfA001";
    memset(name + 6, 'h', sizeof(name) - 7);
    CU_ASSERT_PTR_NOT_NULL(lpd_name_problem(name));
    name[LPD_FILE_NAME - 1] = '\0';
    CU_ASSERT_PTR_NULL(lpd_name_problem(name));
    CU_ASSERT_PTR_NULL(lpd_name_problem("dfz1"));
    CU_ASSERT_PTR_NULL(lpd_name_problem("dfA123456MY HOST.example"));
}

static void a_number_has_three_digits(void)
{
    CU_ASSERT_EQUAL(lpd_name_number("cfA042host"), 42);
    CU_ASSERT_EQUAL(lpd_name_number("cfA0013com"), 1);
    CU_ASSERT_EQUAL(lpd_name_number("cfA999"), 999);
    CU_ASSERT_EQUAL(lpd_name_number("cfA7x"), 7);
}

static void a_file_ends_with_zero(void)
{
    EXPECT("\2lp\n\0031 dfA001h\nxy",
           "[receive lp] [data 1 dfA001h] x[broken: a file that does not end where it should]");
    EXPECT("\2lp\n\0032 dfA001h\nx",
           "[receive lp] [data 2 dfA001h] x[broken: less of a file than it has announced]");
    EXPECT("\2lp\n\0031 dfA001h\nx", "[receive lp] [data 1 dfA001h] x[end] [ended]");
    EXPECT("\2lp\n\0020 cfA001h\n\0", "[receive lp] [control 0 cfA001h] [end] [ended]");
    EXPECT("\2lp\n\0020 cfA001h\n", "[receive lp] [control 0 cfA001h] [end] [ended]");
}

/* ---- Sizes that are not known ---------------------------------------------------------------- */

static void a_size_of_zero_lasts_to_the_end(void)
{
    EXPECT("\2lp\n\0030 dfA001h\nab\2\n", "[receive lp] [data 0 dfA001h open] ab\2\n[end] [ended]");
    EXPECT("\2lp\n\0030 dfA001h\n", "[receive lp] [data 0 dfA001h open] [end] [ended]");
}

static void an_empty_file_is_one(void)
{
    EXPECT("\2lp\n\0030 dfA001h\n\0", "[receive lp] [data 0 dfA001h open] [end] [ended]");
    EXPECT("\2lp\n\0030 dfA001h\n\0\0021 cfA001h\nx\0",
           "[receive lp] [data 0 dfA001h open] [end] [control 1 cfA001h] x[end] [ended]");
}

/* Printers that are woken by zeros get them. */
static void zeros_that_go_on_are_a_document(void)
{
    static const char bytes[] = "\2lp\n\0030 dfA001h\n\0\0\0@EJL";
    static const char head[] = "\2lp\n\0030 dfA001h\n";
    struct lpd_request request;
    struct lpd_event event;
    struct tale tale = {0};
    lpd_request_begin(&request);
    CU_ASSERT(feed(&request, &tale, head, sizeof(head) - 1));
    size_t left = sizeof(bytes) - sizeof(head);
    size_t taken =
        lpd_request_feed(&request, (const uint8_t *)bytes + sizeof(head) - 1, left, &event);
    CU_ASSERT_EQUAL(event.kind, LPD_BYTES);
    CU_ASSERT_EQUAL(taken, left);
    CU_ASSERT_EQUAL(event.count, left);
}

static void a_size_that_no_disk_has_is_none(void)
{
    static const char *const sizes[] = {"4294967295", "999999999999", "125899906843000",
                                        "9223372036854775808", "70368744177664"};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char text[128];
        char expected[128];
        int length = snprintf(text, sizeof(text), "\2lp\n\3%s dfA001h\nabc", sizes[i]);
        snprintf(expected, sizeof(expected), "[receive lp] [data %s dfA001h open] abc[end] [ended]",
                 sizes[i]);
        expect_bytes(text, (size_t)length, expected);
    }
    EXPECT("\2lp\n\00370368744177663 dfA001h\nabc",
           "[receive lp] [data 70368744177663 dfA001h] abc"
           "[broken: less of a file than it has announced]");
    EXPECT("\2lp\n\0024294967295 cfA001h\nabc", "[receive lp] [control 4294967295 cfA001h] abc"
                                                "[broken: less of a file than it has announced]");
}

static void a_file_can_be_refused(void)
{
    static const char bytes[] = "\2lp\n\00399 dfA001h\n";
    struct lpd_request request;
    struct tale tale = {0};
    lpd_request_begin(&request);
    CU_ASSERT(feed(&request, &tale, bytes, sizeof(bytes) - 1));
    CU_ASSERT_EQUAL(lpd_request_room(&request), 100);
    lpd_request_refuse(&request);
    CU_ASSERT_EQUAL(lpd_request_room(&request), 0);
    CU_ASSERT(feed(&request, &tale, "\1\n", 2));
    CU_ASSERT_STRING_EQUAL(tale.text, "[receive lp] [data 99 dfA001h] [abort] ");
}

static const struct test_case cases[] = {
    {"commands are taken apart", commands_are_taken_apart},
    {"what is no command is broken", what_is_no_command_is_broken},
    {"what follows a question is ignored", what_follows_a_question_is_ignored},
    {"a line has a limit", a_line_has_a_limit},
    {"items fill a line", items_fill_a_line},
    {"files come in either order", files_come_in_either_order},
    {"jobs follow each other", jobs_follow_each_other},
    {"sizes are decimal numbers", sizes_are_decimal_numbers},
    {"names are checked", names_are_checked},
    {"a number has three digits", a_number_has_three_digits},
    {"a file ends with zero", a_file_ends_with_zero},
    {"a size of zero lasts to the end", a_size_of_zero_lasts_to_the_end},
    {"an empty file is one", an_empty_file_is_one},
    {"zeros that go on are a document", zeros_that_go_on_are_a_document},
    {"a size that no disk has is none", a_size_that_no_disk_has_is_none},
    {"a file can be refused", a_file_can_be_refused},
    {NULL, NULL}};

const struct test_suite suite_lpd_request = {"lpd_request", cases};
