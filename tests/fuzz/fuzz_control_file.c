/*
 * fuzz_control_file.c - fuzz target: the control file of a job.
 *
 * What is read names files that can have been sent, each once, and holds text that is UTF-8 without
 * control characters. Needs control_file.
 */
#include "fuzz.h"
#include "../../services/lpdsvc/control_file.h"

#include <stdlib.h>
#include <string.h>

/* A text that is clean stays as it is, and what is longer than it may be was cut. */
static void check_text(const char text[JOB_TEXT])
{
    char again[JOB_TEXT];
    FUZZ_CHECK(memchr(text, '\0', JOB_TEXT) != NULL);
    control_file_clean((const uint8_t *)text, strlen(text), again, sizeof(again));
    FUZZ_CHECK(strcmp(text, again) == 0);
    for (const char *at = text; *at != '\0'; at++) {
        FUZZ_CHECK((unsigned char)*at >= 0x20 && *at != 0x7f);
    }
}

static void check_print(const struct control_file *control, size_t i)
{
    const struct control_print *print = &control->prints[i];
    FUZZ_CHECK(memchr(print->file, '\0', sizeof(print->file)) != NULL);
    FUZZ_CHECK(lpd_name_problem(print->file) == NULL && print->file[0] == 'd');
    FUZZ_CHECK(print->copies >= 1 && print->copies <= JOB_COPIES);
    FUZZ_CHECK(print->format >= 'a' && print->format <= 'z');
    FUZZ_CHECK(control_file_find(control, print->file) == (int)i); /* and so each once */
    check_text(print->title);
}

/* The same text in a smaller room is a beginning of it. */
static void check_cut(const uint8_t *bytes, size_t size)
{
    char large[600];
    char small[20];
    control_file_clean(bytes, size < 200 ? size : 200, large, sizeof(large));
    control_file_clean(bytes, size < 200 ? size : 200, small, sizeof(small));
    FUZZ_CHECK(strlen(small) < sizeof(small) && strncmp(small, large, strlen(small)) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct control_file control;
    struct line problem = LINE_INIT;
    uint8_t *copy = malloc(size > 0 ? size : 1);
    FUZZ_CHECK(copy != NULL);
    memcpy(copy, data, size);
    bool good = control_file_read(copy, size, &control, &problem);
    FUZZ_CHECK(good == (problem.length == 0) && strchr(problem.text, '\n') == NULL);
    if (good) {
        FUZZ_CHECK(control.count >= 1 && control.count <= JOB_DOCUMENTS);
        check_text(control.host);
        check_text(control.user);
        check_text(control.title);
        for (size_t i = 0; i < control.count; i++) {
            check_print(&control, i);
        }
    }
    check_cut(copy, size);
    free(copy);
    return 0;
}
