/*
 * test_samba - the pieces by which the file server drives a Samba: the file that smb.conf
 * includes, and what smbd is told. tests/lanmanserver.py has the whole with a real one.
 */
#include "stores.h"

#include "../services/lanmanserver/conf_include.h"
#include "../services/lanmanserver/include.h"
#include "../services/common/program.h"
#include "../services/lanmanserver/samba.h"
#include "../services/lanmanserver/tell.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- smb.conf with another file in it */

struct conf_row {
    const char *conf;
    const char *changed; /* NULL: it has no such line */
};

static const struct conf_row conf_rows[] = {
    {"include = /a/b\n", "include = /a/b.new\n"},
    {"include=/a/b", "include = /a/b.new\n"},
    {"  In Clude\t= \t/a/b \r\n", "include = /a/b.new\n"},
    {"[global]\ninclude = /x\ninclude = /a/b\nx = y\n",
     "[global]\ninclude = /x\ninclude = /a/b.new\nx = y\n"},
    {"include = /a/b\ninclude = /a/b\n", "include = /a/b.new\ninclude = /a/b.new\n"},
    {"include = /a/bc\n", NULL},
    {"include = /a\n", NULL},
    {"include = /A/B\n", NULL},
    {"#include = /a/b\n", NULL},
    {"; include = /a/b\n", NULL},
    {"includes = /a/b\n", NULL},
    {"includ = /a/b\n", NULL},
    {"include /a/b\n", NULL},
    {"x include = /a/b\n", NULL},
    {"comment = x\\\ninclude = /a/b\n", NULL},
    {"comment = x\\  \ninclude = /a/b\n", NULL},
    {"comment = x\\\ny\ninclude = /a/b\n", "comment = x\\\ny\ninclude = /a/b.new\n"},
    {"", NULL},
    {"=", NULL},
};

static void includes_are_replaced(void)
{
    for (size_t i = 0; i < sizeof(conf_rows) / sizeof(conf_rows[0]); i++) {
        size_t count = 99;
        char *text = conf_replace_include(conf_rows[i].conf, "/a/b", "/a/b.new", &count);
        CU_ASSERT_PTR_NOT_NULL_FATAL(text);
        if ((count > 0) != (conf_rows[i].changed != NULL)) {
            printf("\n    \"%s\"", conf_rows[i].conf);
        }
        CU_ASSERT_EQUAL(count > 0, conf_rows[i].changed != NULL);
        if (conf_rows[i].changed != NULL) {
            CU_ASSERT_STRING_EQUAL(text, conf_rows[i].changed);
        }
        free(text);
    }
}

/* ---- The file and those beside it */

static struct include open_include(void)
{
    struct include include;
    CU_ASSERT_TRUE_FATAL(include_open(&include, scratch_path("shares.conf")));
    return include;
}

static void expect_file(struct include *include, const char *suffix, const char *wanted)
{
    char *text = NULL;
    CU_ASSERT_TRUE(include_read(include, suffix, &text));
    CU_ASSERT_EQUAL((text != NULL), (wanted != NULL));
    if (text != NULL && wanted != NULL) {
        CU_ASSERT_STRING_EQUAL(text, wanted);
    }
    free(text);
}

static void files_take_each_other_s_place(void)
{
    struct include include = open_include();
    expect_file(&include, "", NULL);
    CU_ASSERT_TRUE(include_write(&include, ".new", 0644, "one\n"));
    CU_ASSERT_TRUE(include_install(&include));
    expect_file(&include, "", "one\n");
    expect_file(&include, ".last", NULL);
    CU_ASSERT_TRUE(include_restore(&include, false));
    expect_file(&include, "", NULL);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_TRUE(include_write(&include, ".new", 0644, i == 0 ? "two\n" : "three\n"));
        CU_ASSERT_TRUE(include_install(&include));
    }
    expect_file(&include, "", "three\n");
    expect_file(&include, ".last", "two\n");
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_TRUE(include_restore(&include, true));
        expect_file(&include, "", "two\n");
        expect_file(&include, ".last", "two\n");
    }
    CU_ASSERT_TRUE(include_write(&include, ".new", 0644, "four\n"));
    CU_ASSERT_TRUE(include_install(&include));
    expect_file(&include, "", "four\n");
    expect_file(&include, ".last", "two\n");
    CU_ASSERT_FALSE(include_exists(&include, ".old"));
    CU_ASSERT_FALSE(include_exists(&include, ".new"));
    include_close(&include);
}

static void modes_are_as_asked(void)
{
    struct include include = open_include();
    struct stat info;
    mode_t old = umask(0077);
    CU_ASSERT_TRUE(include_write(&include, "", 0644, "x"));
    CU_ASSERT_EQUAL_FATAL(stat(scratch_path("shares.conf"), &info), 0);
    CU_ASSERT_EQUAL(info.st_mode & 0777, 0644);
    umask(old);
    include_close(&include);
}

static void links_are_not_followed(void)
{
    struct include include = open_include();
    char *text = NULL;
    CU_ASSERT_TRUE(include_write(&include, ".victim", 0644, "mine"));
    CU_ASSERT_EQUAL_FATAL(symlink("shares.conf.victim", scratch_path("shares.conf.new")), 0);
    CU_ASSERT_FALSE(include_read(&include, ".new", &text));
    CU_ASSERT_PTR_NOT_NULL(strstr(include.reason, "/shares.conf.new: it is no file"));
    CU_ASSERT_TRUE(include_exists(&include, ".new"));
    CU_ASSERT_TRUE(include_write(&include, ".new", 0644, "ours"));
    expect_file(&include, ".victim", "mine");
    expect_file(&include, ".new", "ours");
    include_close(&include);
}

static void other_kinds_are_refused(void)
{
    struct include include = open_include();
    char *text = NULL;
    CU_ASSERT_EQUAL_FATAL(mkdir(scratch_path("shares.conf.new"), 0700), 0);
    CU_ASSERT_EQUAL_FATAL(mkfifo(scratch_path("shares.conf"), 0600), 0);
    CU_ASSERT_FALSE(include_read(&include, ".new", &text));
    CU_ASSERT_FALSE(include_write(&include, ".new", 0644, "x"));
    CU_ASSERT_FALSE(include_read(&include, "", &text));
    include_close(&include);
}

static void places_are_checked(void)
{
    struct include include;
    CU_ASSERT_FALSE(include_open(&include, "shares.conf"));
    CU_ASSERT_FALSE(include_open(&include, scratch_path("")));
    CU_ASSERT_FALSE(include_open(&include, scratch_path("none/shares.conf")));
    CU_ASSERT_FALSE(include_open(&include, repeated("/x", PATH_MAX)));
    CU_ASSERT_FALSE(include_open(&include, repeated("/", 300)));
    CU_ASSERT_EQUAL_FATAL(mkdir(scratch_path("open"), 0700), 0);
    CU_ASSERT_EQUAL_FATAL(chmod(scratch_path("open"), 0777), 0);
    CU_ASSERT_FALSE(include_open(&include, scratch_path("open/shares.conf")));
    CU_ASSERT_PTR_NOT_NULL(strstr(include.reason, "can be written to by everybody"));
    include_close(&include);
}

static void one_changes_it_at_a_time(void)
{
    struct include first = open_include();
    struct include second;
    CU_ASSERT_FALSE(include_open(&second, scratch_path("shares.conf")));
    CU_ASSERT_PTR_NOT_NULL(strstr(second.reason, "another process is changing it"));
    include_close(&second);
    include_close(&first);
    second = open_include();
    include_close(&second);
}

/* Who can read a directory can lock it. */
static void readers_of_the_directory_hinder_nobody(void)
{
    int reader = open(scratch_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CU_ASSERT_EQUAL_FATAL(flock(reader, LOCK_EX | LOCK_NB), 0);
    struct include include = open_include();
    struct stat info;
    CU_ASSERT_EQUAL_FATAL(stat(scratch_path("shares.conf.lock"), &info), 0);
    CU_ASSERT_EQUAL(info.st_mode & 0777, 0600);
    include_close(&include);
    close(reader);
}

/* A disk that is full does not take away what smbd has still to be told. */
static void what_cannot_be_replaced_stays(void)
{
    struct include include = open_include();
    struct rlimit old;
    CU_ASSERT_TRUE(include_replace(&include, ".close", 0600, "DATA\n"));
    expect_file(&include, ".close", "DATA\n");
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = old.rlim_max};
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &none), 0);
    bool replaced = include_replace(&include, ".close", 0600, "MORE\n");
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &old), 0);
    (void)signal(SIGXFSZ, handler);
    CU_ASSERT_FALSE(replaced);
    expect_file(&include, ".close", "DATA\n");
    CU_ASSERT_FALSE(include_exists(&include, ".step"));
    include_close(&include);
}

/* ---- What smbd is told, by a program that writes down what it was called with */

struct telling {
    struct loop loop;
    struct tell tell;
    enum tell_result result;
    char reason[TELL_REASON_SIZE];
};

static void end_telling(void *owner, enum tell_result result, const char *reason)
{
    struct telling *telling = owner;
    telling->result = result;
    (void)snprintf(telling->reason, sizeof(telling->reason), "%s", reason);
    loop_end(&telling->loop, 0);
}

/* Makes a smbcontrol that is found first; gives the old $PATH. */
static char *fake_smbcontrol(const char *line)
{
    char path[8192];
    char *old = strdup(getenv("PATH"));
    FILE *file = fopen(scratch_path("smbcontrol"), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fprintf(file, "#!/bin/sh\nshift 4\necho \"$*\" >> %s\n%s\n", scratch_path("calls"), line);
    fclose(file);
    (void)chmod(scratch_path("smbcontrol"), 0755);
    (void)snprintf(path, sizeof(path), "%s:%s", scratch_dir(), old);
    (void)setenv("PATH", path, 1);
    return old;
}

/* Tells with a smbcontrol that ends with that line of shell; *calls are what it was called with. */
static struct telling tell_by(const char *line, const char *names, char *calls, size_t size)
{
    struct telling telling = {.result = TELL_TOLD};
    char *old = fake_smbcontrol(line);
    (void)unlink(scratch_path("calls"));
    CU_ASSERT_EQUAL_FATAL(loop_open(&telling.loop), 0);
    tell_init(&telling.tell, &telling.loop, "/conf", end_telling, &telling);
    CU_ASSERT_EQUAL_FATAL(tell_start(&telling.tell, names), 0);
    CU_ASSERT_EQUAL(loop_run(&telling.loop), 0);
    tell_stop(&telling.tell);
    loop_close(&telling.loop);
    (void)setenv("PATH", old, 1);
    free(old);
    FILE *file = fopen(scratch_path("calls"), "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    calls[fread(calls, 1, size - 1, file)] = '\0';
    fclose(file);
    return telling;
}

static void smbd_is_told_in_order(void)
{
    char calls[1024];
    struct telling telling = tell_by("exit 0", "DATA\nthe share\n", calls, sizeof(calls));
    CU_ASSERT_EQUAL(telling.result, TELL_TOLD);
    CU_ASSERT_STRING_EQUAL(calls, "smbd reload-config\nsmbd close-share DATA\n"
                                  "smbd close-share the share\nsmbd ping\n");
    telling = tell_by("exit 0", "", calls, sizeof(calls));
    CU_ASSERT_STRING_EQUAL(calls, "smbd reload-config\nsmbd ping\n");
}

static void too_many_shares_are_all_closed(void)
{
    char calls[1024];
    (void)tell_by("exit 0", repeated("x\n", TELL_MAX_CLOSED + 1), calls, sizeof(calls));
    CU_ASSERT_STRING_EQUAL(calls, "smbd reload-config\nsmbd close-share *\nsmbd ping\n");
}

static void failures_are_told_apart(void)
{
    static const struct {
        const char *line;
        enum tell_result result;
        const char *reason;
    } rows[] = {
        {"echo \"Can't find pid for destination 'smbd'\" >&2; exit 1", TELL_IDLE, NULL},
        {"[ $2 = ping ] && exit 1; exit 0", TELL_SILENT, NULL},
        {"echo no luck >&2; exit 1", TELL_FAILED, "smbcontrol: no luck"},
        {"[ $2 = close-share ] && exit 1; exit 0", TELL_FAILED, "smbcontrol: it failed"},
        {"kill -9 $$", TELL_FAILED, "smbcontrol: it failed"},
        {"[ $2 = reload-config ] && /bin/rm -f $0; exit 0", TELL_FAILED,
         "cannot run smbcontrol: No such file or directory"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char calls[1024];
        /* The last one must not find another one. */
        char *path = strdup(getenv("PATH"));
        (void)setenv("PATH", "/bin/none", i == 5);
        struct telling telling = tell_by(rows[i].line, "DATA\n", calls, sizeof(calls));
        (void)setenv("PATH", path, 1);
        free(path);
        CU_ASSERT_EQUAL(telling.result, rows[i].result);
        if (rows[i].reason != NULL) {
            CU_ASSERT_STRING_EQUAL(telling.reason, rows[i].reason);
        }
    }
}

/* ---- A whole change, with a testparm that lets all through */

#define CLOSED_DATA "[global]\n[DATA]\n\tguest ok = no\n[global]\n"
#define OPEN_DATA "[global]\n[DATA]\n\tguest ok = yes\n[MORE]\n\tpath = /x\n[global]\n"

struct changing {
    struct loop loop;
    struct samba samba;
    unsigned ends;
    bool taken;
};

static void end_change(void *owner, bool taken, const char *said)
{
    struct changing *changing = owner;
    (void)said;
    changing->ends++;
    changing->taken = taken;
    loop_end(&changing->loop, 0);
}

static void make_file(const char *name, const char *text, mode_t mode)
{
    FILE *file = fopen(scratch_path(name), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
    CU_ASSERT_EQUAL(chmod(scratch_path(name), mode), 0);
}

static enum work_outcome change_to(struct changing *changing, const char *text, struct line *said)
{
    char *copy = strdup(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    changing->ends = 0;
    changing->loop.ended = false;
    enum work_outcome outcome = samba_apply(&changing->samba, copy, said);
    if (outcome == WORK_UNDER_WAY) {
        CU_ASSERT_EQUAL(loop_run(&changing->loop), 0);
        CU_ASSERT_EQUAL(changing->ends, 1);
    }
    return outcome;
}

/* Opens DATA where it is closed, with a smbcontrol that ends with that line of shell. */
static void open_data_by(const char *line, char *calls, size_t size)
{
    struct changing changing = {.ends = 0};
    struct line said = LINE_INIT;
    char file[PATH_MAX];
    char conf[PATH_MAX];
    char include[PATH_MAX + 16];
    char *old = fake_smbcontrol(line);
    (void)snprintf(file, sizeof(file), "%s", scratch_path("shares.conf"));
    (void)snprintf(conf, sizeof(conf), "%s", scratch_path("smb.conf"));
    (void)snprintf(include, sizeof(include), "include = %s\n", file);
    make_file("testparm", "#!/bin/sh\n", 0755);
    make_file("smb.conf", include, 0644);
    make_file("shares.conf", CLOSED_DATA, 0644);
    CU_ASSERT_EQUAL_FATAL(loop_open(&changing.loop), 0);
    samba_init(&changing.samba, &changing.loop, file, conf, end_change, &changing);
    CU_ASSERT_EQUAL(change_to(&changing, OPEN_DATA, &said), WORK_UNDER_WAY);
    CU_ASSERT_FALSE(changing.taken);
    samba_end(&changing.samba);
    loop_close(&changing.loop);
    (void)setenv("PATH", old, 1);
    free(old);
    FILE *called = fopen(scratch_path("calls"), "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(called);
    calls[fread(calls, 1, size - 1, called)] = '\0';
    fclose(called);
}

/* Between the two somebody may have come in. */
static void what_a_refused_change_opened_is_closed(void)
{
    char calls[1024];
    open_data_by("[ -e $0.once ] || { : > $0.once; exit 1; }", calls, sizeof(calls));
    CU_ASSERT_STRING_EQUAL(calls, "smbd reload-config\nsmbd reload-config\nsmbd close-share DATA\n"
                                  "smbd close-share MORE\nsmbd ping\n");
    struct include include = open_include();
    expect_file(&include, "", CLOSED_DATA);
    expect_file(&include, ".close", NULL);
    include_close(&include);
}

static void what_smbd_was_not_told_stays_to_be_told(void)
{
    char calls[1024];
    open_data_by("exit 1", calls, sizeof(calls));
    struct include include = open_include();
    expect_file(&include, "", CLOSED_DATA);
    expect_file(&include, ".close", "DATA\nMORE\n");
    include_close(&include);
}

/* What is written has to be read again at the next change. */
static void no_text_is_too_long_to_be_read_again(void)
{
    struct changing changing = {.ends = 0};
    struct line said = LINE_INIT;
    char *text = calloc(1, INCLUDE_MAX_SIZE + 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, 'x', INCLUDE_MAX_SIZE + 1);
    CU_ASSERT_EQUAL_FATAL(loop_open(&changing.loop), 0);
    samba_init(&changing.samba, &changing.loop, scratch_path("shares.conf"), "/none", end_change,
               &changing);
    CU_ASSERT_EQUAL(change_to(&changing, text, &said), WORK_REFUSED);
    free(text);
    CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "would be too long"));
    samba_end(&changing.samba);
    loop_close(&changing.loop);
}

static const struct test_case cases[] = {
    {"includes are replaced", includes_are_replaced},
    {"files take each other's place", files_take_each_other_s_place},
    {"modes are as asked", modes_are_as_asked},
    {"links are not followed", links_are_not_followed},
    {"other kinds are refused", other_kinds_are_refused},
    {"places are checked", places_are_checked},
    {"one changes it at a time", one_changes_it_at_a_time},
    {"readers of the directory hinder nobody", readers_of_the_directory_hinder_nobody},
    {"what cannot be replaced stays", what_cannot_be_replaced_stays},
    {"what a refused change opened is closed", what_a_refused_change_opened_is_closed},
    {"what smbd was not told stays to be told", what_smbd_was_not_told_stays_to_be_told},
    {"no text is too long to be read again", no_text_is_too_long_to_be_read_again},
    {"smbd is told in order", smbd_is_told_in_order},
    {"too many shares are all closed", too_many_shares_are_all_closed},
    {"failures are told apart", failures_are_told_apart},
    {NULL, NULL},
};

const struct test_suite suite_samba = {"samba", cases};
