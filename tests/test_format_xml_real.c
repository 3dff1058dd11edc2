/*
 * test_format_xml_real.c - dumps of real hives, and those that ship.
 */
#include "harness.h"
#include "hive_grammar.h"
#include "recorder.h"
#include "../regstore/format_xml.h"

#include <dirent.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Unpacks a dump of the corpus; false if it cannot be. */
static bool unpack(const char *directory, const char *name, char *path, size_t size)
{
    char command[3 * 4096];

    snprintf(path, size, "%s/real.xml", scratch_dir());
    snprintf(command, sizeof command, "xz -dc '%s/%s' > '%s'", directory, name, path);
    return system(command) == 0; /* NOLINT: names of a directory that we know */
}

/* What is read of a dump, written and read again is the same, and is what was said of the file. */
static void check_real_dump(const char *path)
{
    struct recorder first;
    struct memory_output output;
    struct format_sink *sink;
    rs_error error = RS_ERROR_INIT;

    recorder_begin(&first);
    CU_ASSERT_EQUAL(read_file(path, &first.sink, &error), RS_OK);
    memory_output_begin(&output);
    CU_ASSERT_EQUAL_FATAL(format_xml.write_begin(&output.output, &sink), RS_OK);
    CU_ASSERT_EQUAL(read_file(path, sink, &error), RS_OK);
    CU_ASSERT_EQUAL(format_xml.write_end(sink, true), RS_OK);
    CU_ASSERT_STRING_EQUAL(error.text, "");
    char *second = events_of(output.bytes.data, output.bytes.size, &error);
    CU_ASSERT_STRING_EQUAL(error.text, "");
    /* Ours has no losses to tell; all other lines are the same. */
    buffer_terminate(&first.lines);
    const char *a = first.lines.data;
    const char *b = second;
    while (*a) {
        size_t len = strcspn(a, "\n") + 1;
        if (strncmp(a, "foreign\n", 8) != 0 && strncmp(a, "loss ", 5) != 0) {
            CU_ASSERT_EQUAL_FATAL(strncmp(a, b, len), 0);
            b += len;
        }
        a += len;
    }
    CU_ASSERT_EQUAL(*b, '\0');
    free(second);
    recorder_free(&first);
    buffer_free(&output.bytes);
}

/* Calls check for each dump of the corpus, unpacked. */
static void for_each_dump(void (*check)(const char *path))
{
    char directory[4096];
    unsigned count = 0;

    snprintf(directory, sizeof directory, "%s/corpus/hives", shared_dir() ? shared_dir() : "");
    DIR *list = shared_dir() ? opendir(directory) : NULL;
    if (!list) {
        test_skip("there is no corpus of real dumps beside the checkout");
        return;
    }
    for (struct dirent *entry; (entry = readdir(list));) {
        size_t len = strlen(entry->d_name);
        char path[4096];
        if (len < 7 || strcmp(entry->d_name + len - 7, ".xml.xz") != 0) {
            continue;
        }
        CU_ASSERT_FATAL(unpack(directory, entry->d_name, path, sizeof path));
        check(path);
        count++;
    }
    closedir(list);
    CU_ASSERT(count > 0);
}

static void test_real_dumps(void)
{
    for_each_dump(check_real_dump);
}

static void check_valid(const char *path)
{
    CU_ASSERT_EQUAL(hive_grammar_check(path), 0);
}

static void test_grammar(void)
{
    for_each_dump(check_valid);
}

/* It is valid, of our dialect, and has lost nothing. */
static void check_shipped(const char *path)
{
    struct recorder recorder;
    rs_error error = RS_ERROR_INIT;

    CU_ASSERT_EQUAL(hive_grammar_check(path), 0);
    recorder_begin(&recorder);
    CU_ASSERT_EQUAL(read_file(path, &recorder.sink, &error), RS_OK);
    buffer_terminate(&recorder.lines);
    CU_ASSERT_PTR_NULL(strstr(recorder.lines.data, "loss"));
    CU_ASSERT_PTR_NULL(strstr(recorder.lines.data, "foreign"));
    recorder_free(&recorder);
}

static void test_shipped(void)
{
    static const char *const patterns[] = {"hives/*.xml", "hives/rules/*.xml"};

    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        char pattern[4096];
        glob_t found;
        snprintf(pattern, sizeof pattern, "%s/%s", top_dir(), patterns[i]);
        CU_ASSERT_EQUAL_FATAL(glob(pattern, 0, NULL, &found), 0);
        for (size_t j = 0; j < found.gl_pathc; j++) {
            check_shipped(found.gl_pathv[j]);
        }
        globfree(&found);
    }
}

const struct test_suite suite_format_xml_real = {
    "format_xml_real",
    (const struct test_case[]){
        {"real dumps are written as they were read", test_real_dumps},
        {"the grammar of real dumps", test_grammar},
        {"the dumps that ship", test_shipped},
        {NULL, NULL},
    },
};
