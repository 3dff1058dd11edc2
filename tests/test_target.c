/*
 * test_target - where a job goes in the end: one table of what is a target and what it means, one
 * of what is none and why, and the same for the parameters of a terminal line.
 */
#include "stores.h"

#include "../services/printing/target.h"

#include <stdio.h>

struct example {
    const char *text;
    enum target_kind kind;
    const char *host;
    unsigned port;
    const char *name;
};

static const struct example examples[] = {
    {"\\\\SERVER2\\Printer", TARGET_SHARE, "SERVER2", 0, "Printer"},
    {"\\\\SERVER2@4450\\Printer", TARGET_SHARE, "SERVER2", 4450, "Printer"},
    {"\\\\192.0.2.1\\hp laser", TARGET_SHARE, "192.0.2.1", 0, "hp laser"},
    {"\\\\[2001:db8::1]\\p", TARGET_SHARE, "2001:db8::1", 0, "p"},
    {"\\\\[fe80::1%eth0]@445\\p$", TARGET_SHARE, "fe80::1%eth0", 445, "p$"},
    {"\\\\a_b.example\\Dr\xc3\xbc"
     "cker",
     TARGET_SHARE, "a_b.example", 0,
     "Dr\xc3\xbc"
     "cker"},
    {"\\\\s\\@home", TARGET_SHARE, "s", 0, "@home"},
    {"\\\\s\\...", TARGET_SHARE, "s", 0, "..."},
    {"/dev/usb/lp0", TARGET_FILE, "", 0, "/dev/usb/lp0"},
    {"/srv/a b,c|d", TARGET_FILE, "", 0, "/srv/a b,c|d"},
    {"/srv/jobs/", TARGET_DIRECTORY, "", 0, "/srv/jobs/"},
    {"/", TARGET_DIRECTORY, "", 0, "/"},
    {"|lpr -Pq", TARGET_COMMAND, "", 0, "lpr -Pq"},
    {"|  cat >/tmp/x; true", TARGET_COMMAND, "", 0, "cat >/tmp/x; true"},
    {"socket://printer", TARGET_SOCKET, "printer", 9100, ""},
    {"socket://192.0.2.1:9101", TARGET_SOCKET, "192.0.2.1", 9101, ""},
    {"SOCKET://[::1]:65535", TARGET_SOCKET, "::1", 65535, ""},
    {"socket://h:1", TARGET_SOCKET, "h", 1, ""},
    {"lpd://host/queue", TARGET_LPD, "host", 515, "queue"},
    {"lpd://host:5150/My Queue", TARGET_LPD, "host", 5150, "My Queue"},
    {"Lpd://[::1]/q%20?a#b", TARGET_LPD, "::1", 515, "q%20?a#b"},
};

static void what_is_a_target(void)
{
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        const struct example *example = &examples[i];
        struct line problem = LINE_INIT;
        struct target target;
        CU_ASSERT_TRUE_FATAL(target_parse(example->text, &target, &problem));
        EQUAL_TEXT(problem.text, "");
        EQUAL_TEXT(target.text, example->text);
        CU_ASSERT_EQUAL(target.kind, example->kind);
        EQUAL_TEXT(target.host, example->host);
        CU_ASSERT_EQUAL(target.port, example->port);
        EQUAL_TEXT(target.name, example->name);
        CU_ASSERT_TRUE(target_is_meant(example->text));
    }
}

/* Neither the text nor what another program has to be given with it says these. */
static void what_the_text_does_not_say_is_empty(void)
{
    struct line problem = LINE_INIT;
    struct target target;
    memset(&target, 'x', sizeof(target));
    CU_ASSERT_TRUE_FATAL(target_parse("lpd://h/q", &target, &problem));
    EQUAL_TEXT(target.line, "");
    EQUAL_TEXT(target.credentials, "");
    CU_ASSERT_EQUAL(target.format, 0);
    CU_ASSERT_FALSE(target.null_session);
}

#define HOST_FORM "its host is no name, no address, and no IPv6 address in []"
#define PORT_FORM "its port is no number from 1 to 65535"
#define SHARE_FORM "a share is \\\\SERVER\\SHARE"
#define NO_SHARE "it names no share, which is \\\\SERVER\\SHARE"
#define MORE_THAN_SHARE "it names more than a share, which is \\\\SERVER\\SHARE"
#define NO_SHARE_NAME "that is no share's name"
#define NO_QUEUE "it names no queue, as lpd://HOST/QUEUE does"
#define NONE "that is \\\\..., /..., |..., socket://... or lpd://..."

static const struct {
    const char *text;
    const char *why;
} counter_examples[] = {
    {"", NONE},
    {"LPT1", NONE},
    {"out.prn", NONE},
    {"C:\\out.prn", NONE},
    {"ipp://h/q", NONE},
    {"socket:h", NONE},
    {" /tmp/x", NONE},
    {"\\server\\share", SHARE_FORM},
    {"//server/share", SHARE_FORM},
    {"//", SHARE_FORM},
    {"\\\\server", NO_SHARE},
    {"\\\\server\\", NO_SHARE},
    {"\\\\server@4450", NO_SHARE},
    {"\\\\server\\a\\b", MORE_THAN_SHARE},
    {"\\\\server\\a\\", MORE_THAN_SHARE},
    {"\\\\server\\\\a", MORE_THAN_SHARE},
    {"\\\\server\\a/b", NO_SHARE_NAME},
    {"\\\\server\\a,b", NO_SHARE_NAME},
    {"\\\\server\\.", NO_SHARE_NAME},
    {"\\\\server\\..", NO_SHARE_NAME},
    {"\\\\server\\a*", NO_SHARE_NAME},
    {"\\\\", HOST_FORM},
    {"\\\\\\share", HOST_FORM},
    {"\\\\server/share", HOST_FORM},
    {"\\\\server:445\\share", HOST_FORM},
    {"\\\\user:password@server\\share", HOST_FORM},
    {"\\\\ser ver\\share", HOST_FORM},
    {"\\\\-server\\share", HOST_FORM},
    {"\\\\..\\share", HOST_FORM},
    {"\\\\::1\\share", HOST_FORM},
    {"\\\\[::1\\share", HOST_FORM},
    {"\\\\[]\\share", HOST_FORM},
    {"\\\\[::1]x\\share", HOST_FORM},
    {"\\\\[::1%]\\share", HOST_FORM},
    {"\\\\[::1%a/b]\\share", HOST_FORM},
    {"\\\\[server]\\share", HOST_FORM},
    {"\\\\server@0\\share", PORT_FORM},
    {"\\\\server@\\share", PORT_FORM},
    {"\\\\user@server\\share", PORT_FORM},
    {"|", "it names no command"},
    {"|  ", "it names no command"},
    {"socket://", HOST_FORM},
    {"socket://:9100", HOST_FORM},
    {"socket://h/", HOST_FORM},
    {"socket://h/q", HOST_FORM},
    {"socket://::1", HOST_FORM},
    {"socket://h:9100x", HOST_FORM},
    {"socket://h:0", PORT_FORM},
    {"socket://h:", PORT_FORM},
    {"socket://h:-1", PORT_FORM},
    {"socket://h: 1", PORT_FORM},
    {"socket://h:65536", PORT_FORM},
    {"socket://h:4294967297", PORT_FORM},
    {"socket://h:99999999999999999999999", PORT_FORM},
    {"lpd://h", NO_QUEUE},
    {"lpd://h/", NO_QUEUE},
    {"lpd:///q", HOST_FORM},
    {"lpd://h:0/q", PORT_FORM},
    {"lpd://h/a/b", "a queue's name has no slash"},
    {"lpd://u@h/q", HOST_FORM},
    {"/tmp/a\nb", "it has a control character"},
    {"/tmp/\x7f", "it has a control character"},
    {"/tmp/\xc2\x85", "it has a control character"},
    {"|cat\t-", "it has a control character"},
    {"\\\\s\\a\x1b[31m", "it has a control character"},
    {"/tmp/\xff", "it is no UTF-8"},
    {"/tmp/\xc3", "it is no UTF-8"},
    {"/tmp/\xc0\xaf", "it is no UTF-8"},
    {"/tmp/\xe0\x80\xaf", "it is no UTF-8"},
    {"/tmp/\xed\xa0\x80", "it is no UTF-8"},
    {"/tmp/\xf4\x90\x80\x80", "it is no UTF-8"},
    {"/tmp/\xf0\x9f\x96", "it is no UTF-8"},
};

static void expect_no_target(const char *text, const char *why)
{
    struct line expected = LINE_INIT;
    struct line problem = LINE_INIT;
    struct target target;
    struct target before;
    memset(&target, 'x', sizeof(target));
    before = target;
    line_add_quoted(&expected, text);
    line_add(&expected, " is no target: %s", why);
    CU_ASSERT_FALSE_FATAL(target_parse(text, &target, &problem));
    EQUAL_TEXT(problem.text, expected.text);
    CU_ASSERT_EQUAL(memcmp(&target, &before, sizeof(target)), 0);
}

static void what_is_no_target_says_why(void)
{
    for (size_t i = 0; i < sizeof(counter_examples) / sizeof(counter_examples[0]); i++) {
        expect_no_target(counter_examples[i].text, counter_examples[i].why);
    }
}

static void what_is_long_is_whole_or_refused(void)
{
    char text[2 * TARGET_TEXT];
    struct line problem = LINE_INIT;
    struct target target;
    snprintf(text, sizeof(text), "/%s", repeated("a", TARGET_TEXT - 2));
    CU_ASSERT_TRUE(target_parse(text, &target, &problem));
    EQUAL_TEXT(target.name, text);
    expect_no_target(repeated("/", TARGET_TEXT), "it is too long");
    snprintf(text, sizeof(text), "socket://%s", repeated("a", TARGET_HOST - 1));
    CU_ASSERT_TRUE(target_parse(text, &target, &problem));
    CU_ASSERT_EQUAL(strlen(target.host), TARGET_HOST - 1);
    snprintf(text, sizeof(text), "socket://%s", repeated("a", TARGET_HOST));
    expect_no_target(text, HOST_FORM);
    snprintf(text, sizeof(text), "socket://[%s]", repeated(":", TARGET_HOST));
    expect_no_target(text, HOST_FORM);
    snprintf(text, sizeof(text), "socket://[%s]", repeated(":", TARGET_HOST - 1));
    expect_no_target(text, HOST_FORM);
    snprintf(text, sizeof(text), "socket://[fe80::1%%%s]", repeated("z", 100));
    CU_ASSERT_TRUE(target_parse(text, &target, &problem));
}

/* What is meant as a target is never looked for among the printers, however wrong it is. */
static void names_are_not_meant_as_targets(void)
{
    static const char *const meant[] = {"\\", "\\a", "/", "|", "ipp://h", "a+b.c-1://", "x://"};
    static const char *const names[] = {"",        "LPT1:",  "host:queue", "C:/x",
                                        "a|b",     "a\\b:",  "1x://h",     "://h",
                                        "a b://h", "lpd:/h", "IP_10.0.0.1"};
    for (size_t i = 0; i < sizeof(meant) / sizeof(meant[0]); i++) {
        CU_ASSERT_TRUE(target_is_meant(meant[i]));
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        CU_ASSERT_FALSE(target_is_meant(names[i]));
    }
}

/* ---- Terminal lines -------------------------------------------------------------------------- */

static void what_is_a_line(void)
{
    static const struct {
        const char *text;
        struct target_line line;
    } rows[] = {
        {"9600,n,8,1", {9600, 'n', 8, 2, false}},
        {"9600,N,8,1,P", {9600, 'n', 8, 2, true}},
        {"110", {110, 'e', 7, 4, false}},
        {"110,,,1", {110, 'e', 7, 2, false}},
        {"2400", {2400, 'e', 7, 2, false}},
        {"300,o,5,1.5", {300, 'o', 5, 3, false}},
        {"115200,m,6,2", {115200, 'm', 6, 4, false}},
        {"50,s,7,1,p", {50, 's', 7, 2, true}},
        {"9600,,8", {9600, 'e', 8, 2, false}},
        {"9600,n,8,1,", {9600, 'n', 8, 2, false}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct target_line line;
        CU_ASSERT_PTR_NULL_FATAL(target_read_line(rows[i].text, &line));
        CU_ASSERT_EQUAL(line.baud, rows[i].line.baud);
        CU_ASSERT_EQUAL(line.parity, rows[i].line.parity);
        CU_ASSERT_EQUAL(line.data_bits, rows[i].line.data_bits);
        CU_ASSERT_EQUAL(line.half_stops, rows[i].line.half_stops);
        CU_ASSERT_EQUAL(line.retries, rows[i].line.retries);
        CU_ASSERT_PTR_NULL(target_line_problem(rows[i].text));
    }
}

static void what_is_no_line_says_why(void)
{
    static const struct {
        const char *text;
        const char *why;
    } rows[] = {
        {"", "it begins with no rate that terminal lines have, such as 9600"},
        {",n,8,1", "it begins with no rate that terminal lines have, such as 9600"},
        {"9601", "it begins with no rate that terminal lines have, such as 9600"},
        {"96", "it begins with no rate that terminal lines have, such as 9600"},
        {" 9600", "it begins with no rate that terminal lines have, such as 9600"},
        {"9600,x", "its parity is none of n, e, o, m and s"},
        {"9600,ne", "its parity is none of n, e, o, m and s"},
        {"9600, n,8,1", "its parity is none of n, e, o, m and s"},
        {"9600,n,4", "its data bits are no number from 5 to 8"},
        {"9600,n,9", "its data bits are no number from 5 to 8"},
        {"9600,n,88", "its data bits are no number from 5 to 8"},
        {"9600,n,8,3", "its stop bits are none of 1, 1.5 and 2"},
        {"9600,n,8,15", "its stop bits are none of 1, 1.5 and 2"},
        {"9600,n,8,1,x", "its retries are not p"},
        {"9600,n,8,1,p,", "it has more than five parts"},
        {"9600,n,8,1,p,1", "it has more than five parts"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *why = target_line_problem(rows[i].text);
        CU_ASSERT_PTR_NOT_NULL_FATAL(why);
        EQUAL_TEXT(why, rows[i].why);
    }
}

static const struct test_case cases[] = {
    {"what is a target", what_is_a_target},
    {"what the text does not say is empty", what_the_text_does_not_say_is_empty},
    {"what is no target says why", what_is_no_target_says_why},
    {"what is long is whole or refused", what_is_long_is_whole_or_refused},
    {"names are not meant as targets", names_are_not_meant_as_targets},
    {"what is a line", what_is_a_line},
    {"what is no line says why", what_is_no_line_says_why},
    {NULL, NULL},
};

const struct test_suite suite_target = {"target", cases};
