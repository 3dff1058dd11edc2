/*
 * test_path.c - the grammar of key paths in one table, names, views and links.
 */
#include "harness.h"
#include "../regstore/path.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

/* ---- The grammar ---- */

enum form { ROOTED, RELATIVE };

/* A path and what it means: the root's key and the names, each followed by "|"; NULL where the path
 * is refused. This table is the grammar by example; path.h has it by rule. */
static const struct {
    enum form form;
    const char *path;
    rs_key root;
    const char *names;
} grammar[] = {
    /* roots, with long and short names, in any case */
    {ROOTED, "HKLM", RS_HKLM, ""},
    {ROOTED, "hkey_Local_Machine", RS_HKLM, ""},
    {ROOTED, "HKU", RS_HKU, ""},
    {ROOTED, "HKEY_USERS", RS_HKU, ""},
    {ROOTED, "HKRS", RS_HKRS, ""},
    {ROOTED, "HKEY_REGSTORE", RS_HKRS, ""},
    {ROOTED, "HKCR", RS_HKCR, ""},
    {ROOTED, "HKEY_CLASSES_ROOT", RS_HKCR, ""},
    {ROOTED, "hkcu", RS_HKCU, ""},
    {ROOTED, "HKEY_CURRENT_USER", RS_HKCU, ""},
    {ROOTED, "HKCC", RS_HKCC, ""},
    {ROOTED, "HKEY_CURRENT_CONFIG", RS_HKCC, ""},
    {ROOTED, "HKL", 0, NULL},
    {ROOTED, "HKLMX", 0, NULL},
    {ROOTED, "HKEY_LOCAL_MACHIN", 0, NULL},
    {ROOTED, "SYSTEM", 0, NULL},
    {ROOTED, "", 0, NULL},
    {ROOTED, " HKLM", 0, NULL},

    /* names between backslashes */
    {ROOTED, "HKLM\\SYSTEM\\Select", RS_HKLM, "SYSTEM|Select|"},
    {ROOTED, "hkey_local_machine\\SYSTEM", RS_HKLM, "SYSTEM|"},
    {ROOTED, "HKLM\\a b\\ ", RS_HKLM, "a b| |"},
    {ROOTED, "HKLM\\http://x", RS_HKLM, "http://x|"}, /* "/" is an ordinary character */
    {ROOTED, "HKLM/SYSTEM", 0, NULL},

    /* one backslash at the end is accepted after a name, and nowhere else */
    {ROOTED, "HKLM\\SYSTEM\\", RS_HKLM, "SYSTEM|"},
    {ROOTED, "HKLM\\SYSTEM\\\\", 0, NULL},
    {ROOTED, "HKLM\\SYSTEM\\\\Select", 0, NULL},
    {ROOTED, "HKLM\\", 0, NULL},
    {ROOTED, "HKLM\\\\", 0, NULL},
    {ROOTED, "HKLM\\\\SYSTEM", 0, NULL},
    {ROOTED, "\\HKLM\\SYSTEM", 0, NULL},
    {ROOTED, "\\\\HKLM\\SYSTEM", 0, NULL},
    {ROOTED, "\\\\machine\\HKLM\\SYSTEM", 0, NULL},
    {ROOTED, "\\", 0, NULL},

    /* names between slashes, where the path begins with one */
    {ROOTED, "/HKLM", RS_HKLM, ""},
    {ROOTED, "/hkey_local_machine/SYSTEM/Select", RS_HKLM, "SYSTEM|Select|"},
    {ROOTED, "/HKLM/SYSTEM/", RS_HKLM, "SYSTEM|"},
    {ROOTED, "/HKLM/", 0, NULL},
    {ROOTED, "/HKLM/SYSTEM//", 0, NULL},
    {ROOTED, "/HKLM//SYSTEM", 0, NULL},
    {ROOTED, "//HKLM/SYSTEM", 0, NULL},
    {ROOTED, "/", 0, NULL},
    {ROOTED, "/v", 0, NULL},
    {ROOTED, "/HKLM\\SYSTEM", 0, NULL},
    {ROOTED, "/HKLM/SYSTEM\\Select", 0, NULL},

    /* relative paths have backslashes only */
    {RELATIVE, "", 0, ""},
    {RELATIVE, "Control", 0, "Control|"},
    {RELATIVE, "Control\\Print", 0, "Control|Print|"},
    {RELATIVE, "Control\\Print\\", 0, "Control|Print|"},
    {RELATIVE, "HKLM\\x", 0, "HKLM|x|"}, /* a name like any other */
    {RELATIVE, "a/b\\/c", 0, "a/b|/c|"},
    {RELATIVE, "\\Control", 0, NULL},
    {RELATIVE, "\\", 0, NULL},
    {RELATIVE, "Control\\\\", 0, NULL},
    {RELATIVE, "Control\\\\Print", 0, NULL},
};

/* Splits a path to names as in the table; the status of the first call that did not succeed. */
static int split(enum form form, const char *path, size_t len, rs_key *key, struct buffer *names,
                 rs_error *error)
{
    const struct path_root *root = NULL;
    struct path_iter iter;
    const char *name;
    size_t name_len;
    int status = RS_OK;

    if (form == RELATIVE) {
        path_begin(&iter, path, len);
    } else {
        status = path_begin_rooted(&iter, path, len, &root, error);
    }
    while (status == RS_OK && (status = path_next(&iter, &name, &name_len, error)) == RS_OK) {
        CU_ASSERT_EQUAL(buffer_append(names, name, name_len), RS_OK);
        CU_ASSERT_EQUAL(buffer_append_byte(names, '|'), RS_OK);
    }
    CU_ASSERT_EQUAL(buffer_terminate(names), RS_OK);
    *key = root ? root->key : RS_NO_KEY;
    return status;
}

static void test_grammar(void)
{
    for (size_t i = 0; i < ROWS(grammar); i++) {
        rs_error error = RS_ERROR_INIT;
        struct buffer names = BUFFER_INIT;
        rs_key key;
        int status =
            split(grammar[i].form, grammar[i].path, strlen(grammar[i].path), &key, &names, &error);

        if (grammar[i].names) {
            CU_ASSERT_EQUAL(status, RS_END);
            CU_ASSERT_EQUAL(key, grammar[i].root);
            CU_ASSERT_STRING_EQUAL(names.data, grammar[i].names);
            CU_ASSERT_EQUAL(error.status, RS_OK);
        } else {
            CU_ASSERT_EQUAL(status, RS_EPATH);
            CU_ASSERT_EQUAL(error.status, RS_EPATH);
            CU_ASSERT_TRUE(strlen(error.text) > 0);
        }
        buffer_free(&names);
    }
}

static void test_names_may_hold_nul(void)
{
    struct path_iter iter;
    const char *name = NULL;
    size_t len = 0;

    path_begin(&iter, "a\0b\\c", 5);
    CU_ASSERT_EQUAL(path_next(&iter, &name, &len, NULL), RS_OK);
    CU_ASSERT_EQUAL(len, 3);
    CU_ASSERT_EQUAL(memcmp(name, "a\0b", 3), 0);
    CU_ASSERT_EQUAL(path_next(&iter, &name, &len, NULL), RS_OK);
    CU_ASSERT_EQUAL(len, 1);
    CU_ASSERT_EQUAL(path_next(&iter, &name, &len, NULL), RS_END);
    CU_ASSERT_EQUAL(path_next(&iter, &name, &len, NULL), RS_END);

    path_begin(&iter, NULL, 0);
    CU_ASSERT_EQUAL(path_next(&iter, &name, &len, NULL), RS_END);
}

static void test_refused_paths_leave_outputs(void)
{
    const struct path_root *root = NULL;
    struct path_iter iter = {NULL, NULL, 'x'};

    CU_ASSERT_EQUAL(path_begin_rooted(&iter, "nothing", 7, &root, NULL), RS_EPATH);
    CU_ASSERT_EQUAL(path_begin_rooted(&iter, NULL, 0, &root, NULL), RS_EPATH);
    CU_ASSERT_PTR_NULL(root);
    CU_ASSERT_EQUAL(iter.separator, 'x');
}

static void test_errors_name_the_place(void)
{
    static const struct {
        const char *path;
        const char *text;
    } rows[] = {
        {"", "the key path is empty"},
        {"SYSTEM\\x", "the key path does not begin with a root key such as HKLM: \"SYSTEM\\x\""},
        {"\\HKLM", "the key path begins with \"\\\", not with a root key such as HKLM: \"\\HKLM\""},
        {"HKCU\\", "the key path has a \"\\\" behind the root key alone: \"HKCU\\\""},
        {"/HKLM/a\\b", "the key path has both \"/\" and \"\\\" between names: \"/HKLM/a\\b\""},
        {"HKLM\\a\\\\b", "the key path has an empty name before \"\\b\""},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        rs_error error = RS_ERROR_INIT;
        struct buffer names = BUFFER_INIT;
        rs_key key;

        CU_ASSERT_EQUAL(split(ROOTED, rows[i].path, strlen(rows[i].path), &key, &names, &error),
                        RS_EPATH);
        CU_ASSERT_STRING_EQUAL(error.text, rows[i].text);
        buffer_free(&names);
    }
}

/* ---- Roots ---- */

static void test_table_of_roots(void)
{
    size_t count = 0;
    const struct path_root *roots = path_roots(&count);

    CU_ASSERT_EQUAL_FATAL(count, 6);
    for (size_t i = 0; i < count; i++) {
        const struct path_root *stored = path_root_by_key(roots[i].stored);

        CU_ASSERT_PTR_EQUAL(path_root_by_key(roots[i].key), &roots[i]);
        CU_ASSERT_PTR_EQUAL(path_root_by_name(roots[i].name, strlen(roots[i].name)), &roots[i]);
        CU_ASSERT_PTR_EQUAL(path_root_by_name(roots[i].alias, strlen(roots[i].alias)), &roots[i]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(stored);
        CU_ASSERT_EQUAL(stored->stored, stored->key);
    }
    CU_ASSERT_PTR_NULL(path_root_by_key(RS_NO_KEY));
    CU_ASSERT_PTR_NULL(path_root_by_key(4));
    CU_ASSERT_PTR_NULL(path_root_by_name("", 0));
    CU_ASSERT_PTR_NULL(path_root_by_name("HKLM\0", 5));
}

static void test_views(void)
{
    char user[64];
    const struct {
        rs_key key;
        rs_key stored;
        const char *view;
    } rows[] = {
        {RS_HKLM, RS_HKLM, ""},
        {RS_HKU, RS_HKU, ""},
        {RS_HKRS, RS_HKRS, ""},
        {RS_HKCR, RS_HKLM, "SOFTWARE\\Classes"},
        {RS_HKCC, RS_HKLM, "SYSTEM\\CurrentControlSet\\Hardware Profiles\\Current"},
        {RS_HKCU, RS_HKU, user},
    };

    snprintf(user, sizeof user, "S-1-22-1-%lu", (unsigned long)getuid());
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct path_root *root = path_root_by_key(rows[i].key);
        struct buffer buffer = BUFFER_INIT;

        CU_ASSERT_PTR_NOT_NULL_FATAL(root);
        CU_ASSERT_EQUAL(root->stored, rows[i].stored);
        CU_ASSERT_EQUAL(path_view(root, &buffer), RS_OK);
        CU_ASSERT_EQUAL(buffer_terminate(&buffer), RS_OK);
        CU_ASSERT_STRING_EQUAL(buffer.data, rows[i].view);
        buffer_free(&buffer);
    }
}

/* ---- Names ---- */

/* count copies of a piece. */
static void repeat(struct buffer *buffer, const char *piece, size_t count)
{
    buffer->size = 0;
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT_EQUAL_FATAL(buffer_append_text(buffer, piece), RS_OK);
    }
}

static void test_names_are_checked(void)
{
    static const struct {
        const char *name;
        size_t len;
        int status;
    } rows[] = {
        {"a", 1, RS_OK},        {"a/b c", 5, RS_OK},
        {"a\0b", 3, RS_OK},     {"\xed\xa0\x80", 3, RS_OK},
        {"", 0, RS_ENAME},      {"a\\b", 3, RS_ENAME},
        {"a\0\\", 3, RS_ENAME}, {"\\", 1, RS_ENAME},
        {"a\xff", 2, RS_ETEXT},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        rs_error error = RS_ERROR_INIT;

        CU_ASSERT_EQUAL(path_check_name(rows[i].name, rows[i].len, &error), rows[i].status);
        CU_ASSERT_EQUAL(error.status, rows[i].status);
    }
}

static void test_length_of_names_is_in_units(void)
{
    static const struct {
        const char *piece;
        size_t most;
    } rows[] = {
        {"x", 255},
        {"\xc3\xa9", 255},
        {"\xe2\x82\xac", 255},
        {"\xf0\x9f\x98\x80", 127}, /* two units each */
    };
    struct buffer name = BUFFER_INIT;

    for (size_t i = 0; i < ROWS(rows); i++) {
        rs_error error = RS_ERROR_INIT;

        repeat(&name, rows[i].piece, rows[i].most);
        CU_ASSERT_EQUAL(path_check_name(name.data, name.size, &error), RS_OK);
        repeat(&name, rows[i].piece, rows[i].most + 1);
        CU_ASSERT_EQUAL(path_check_name(name.data, name.size, &error), RS_ETOOLONG);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "has 256 UTF-16 units, at most 255 fit"));
    }
    buffer_free(&name);
}

/* ---- Links ---- */

/* The key path of a target given as text; NULL in expected: refused. */
static void check_target(const char *target, size_t len, size_t terminators, const char *expected)
{
    struct buffer data = BUFFER_INIT, path = BUFFER_INIT;
    int status;

    CU_ASSERT_EQUAL(text_to_utf16(&data, target, len), RS_OK);
    for (size_t i = 0; i < terminators; i++) {
        CU_ASSERT_EQUAL(buffer_append(&data, "\0", 2), RS_OK);
    }
    CU_ASSERT_EQUAL(buffer_append_text(&path, "before:"), RS_OK);
    status = path_from_link(&path, data.data, data.size);
    CU_ASSERT_EQUAL(status, expected ? RS_OK : RS_EDATA);
    CU_ASSERT_EQUAL(buffer_terminate(&path), RS_OK);
    CU_ASSERT_STRING_EQUAL(path.data + strlen("before:"), expected ? expected : "");
    buffer_free(&data);
    buffer_free(&path);
}

static void test_link_targets(void)
{
    static const struct {
        const char *target;
        const char *path;
    } rows[] = {
        {"\\Registry\\Machine", "HKEY_LOCAL_MACHINE"},
        {"\\Registry\\Machine\\SYSTEM\\ControlSet001", "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001"},
        {"\\REGISTRY\\MACHINE\\System\\", "HKEY_LOCAL_MACHINE\\System"},
        {"\\registry\\user\\S-1-5-18", "HKEY_USERS\\S-1-5-18"},
        {"\\Registry\\User", "HKEY_USERS"},
        {"HKLM\\SYSTEM\\ControlSet001", "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001"},
        {"HKCU\\Software", "HKEY_CURRENT_USER\\Software"},
        {"/HKRS/Rules/a", "HKEY_REGSTORE\\Rules\\a"},
        {"\\Registry\\Machine\\\\SYSTEM", NULL},
        {"\\Registry\\Machine\\SYSTEM\\\\", NULL},
        {"\\Registry\\MachineX\\SYSTEM", NULL},
        {"\\Registry\\Machines", NULL},
        {"\\Registry\\Mach", NULL},
        {"\\Registry\\Other\\x", NULL},
        {"\\Registry", NULL},
        {"Registry\\Machine\\SYSTEM", NULL},
        {"\\Device\\x", NULL},
        {"SYSTEM\\ControlSet001", NULL},
        {"HKLM\\", NULL},
        {"", NULL},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        for (size_t terminators = 0; terminators < 3; terminators++) {
            check_target(rows[i].target, strlen(rows[i].target), terminators, rows[i].path);
        }
    }
}

static void test_link_data_that_is_none(void)
{
    struct buffer path = BUFFER_INIT;

    CU_ASSERT_EQUAL(path_from_link(&path, "H\0K\0L\0M\0x", 9), RS_EDATA);
    CU_ASSERT_EQUAL(path_from_link(&path, NULL, 0), RS_EDATA);
    CU_ASSERT_EQUAL(path.size, 0);
    buffer_free(&path);
}

/* The target of a path as text. */
static int target_of(const char *path, struct buffer *text, rs_error *error)
{
    struct buffer data = BUFFER_INIT;
    int status = path_to_link(&data, path, strlen(path), error);

    CU_ASSERT_EQUAL(text_from_utf16(text, data.data, data.size), RS_OK);
    CU_ASSERT_EQUAL(buffer_terminate(text), RS_OK);
    buffer_free(&data);
    return status;
}

static void test_paths_to_links(void)
{
    char user[96];
    const struct {
        const char *path;
        const char *target;
    } rows[] = {
        {"HKLM", "\\Registry\\Machine"},
        {"HKLM\\SYSTEM\\ControlSet001\\", "\\Registry\\Machine\\SYSTEM\\ControlSet001"},
        {"/HKU/S-1-5-18", "\\Registry\\User\\S-1-5-18"},
        {"HKCR", "\\Registry\\Machine\\SOFTWARE\\Classes"},
        {"HKCR\\.txt", "\\Registry\\Machine\\SOFTWARE\\Classes\\.txt"},
        {"HKCC\\System",
         "\\Registry\\Machine\\SYSTEM\\CurrentControlSet\\Hardware Profiles\\Current\\System"},
        {"HKCU\\Software", user},
        {"HKRS\\Rules", "HKEY_REGSTORE\\Rules"},
    };

    snprintf(user, sizeof user, "\\Registry\\User\\S-1-22-1-%lu\\Software",
             (unsigned long)getuid());
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct buffer text = BUFFER_INIT;

        CU_ASSERT_EQUAL(target_of(rows[i].path, &text, NULL), RS_OK);
        CU_ASSERT_STRING_EQUAL(text.data, rows[i].target);
        buffer_free(&text);
    }
}

static void test_paths_that_make_no_link(void)
{
    static const struct {
        const char *path;
        int status;
    } rows[] = {
        {"SYSTEM", RS_EPATH},      {"HKLM\\a\\\\b", RS_EPATH}, {"", RS_EPATH},
        {"HKLM\\a\xff", RS_ETEXT}, {"HKLM\\", RS_EPATH},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        rs_error error = RS_ERROR_INIT;
        struct buffer text = BUFFER_INIT;

        CU_ASSERT_EQUAL(target_of(rows[i].path, &text, &error), rows[i].status);
        CU_ASSERT_EQUAL(error.status, rows[i].status);
        CU_ASSERT_STRING_EQUAL(text.data, "");
        buffer_free(&text);
    }
}

/* ---- The 32-bit view ---- */

/* A path, and what it leads to for a program of 32 bits; NULL: to the same key. */
static const struct {
    const char *path;
    const char *view;
} views32[] = {
    {"HKLM", NULL},
    {"HKLM\\SOFTWARE", "HKLM\\SOFTWARE\\WOW6432Node"},
    {"HKLM\\SOFTWARE\\", "HKLM\\SOFTWARE\\WOW6432Node\\"},
    {"hkey_local_machine\\software\\A b\\c", "hkey_local_machine\\software\\WOW6432Node\\A b\\c"},
    {"/HKLM/SOFTWARE/a", "/HKLM/SOFTWARE/WOW6432Node/a"},
    {"HKLM\\SOFTWARE\\wow6432node\\a", NULL},
    {"HKLM\\SOFTWAREX\\a", NULL},
    {"HKLM\\SYSTEM\\Select", NULL},
    {"HKCU\\SOFTWARE\\a", NULL},
    {"HKLM\\SOFTWARE\\Policies\\a", NULL},
    {"HKLM\\SOFTWARE\\PoliciesX", "HKLM\\SOFTWARE\\WOW6432Node\\PoliciesX"},
    {"HKLM\\SOFTWARE\\Microsoft", "HKLM\\SOFTWARE\\WOW6432Node\\Microsoft"},
    {"HKLM\\SOFTWARE\\microsoft\\rpc", NULL},
    {"HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Print\\x", NULL},
    {"HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion",
     "HKLM\\SOFTWARE\\WOW6432Node\\Microsoft\\Windows NT\\CurrentVersion"},
    {"HKLM\\SOFTWARE\\Classes", NULL},
    {"HKLM\\SOFTWARE\\Classes\\.txt", NULL},
    {"HKLM\\SOFTWARE\\Classes\\clsid\\{1}", "HKLM\\SOFTWARE\\Classes\\WOW6432Node\\clsid\\{1}"},
    {"HKLM\\SOFTWARE\\Classes\\Wow6432Node\\CLSID", NULL},
    {"HKCR\\CLSID", "HKCR\\WOW6432Node\\CLSID"},
    {"HKCR\\AppID", NULL},
    {"HKCU\\Software\\Classes\\Interface\\x", "HKCU\\Software\\Classes\\WOW6432Node\\Interface\\x"},
    {"HKU\\S-1-5-18\\Software\\Classes\\Media Type",
     "HKU\\S-1-5-18\\Software\\Classes\\WOW6432Node\\Media Type"},
    {"HKU\\S-1-5-18_Classes\\DirectShow", "HKU\\S-1-5-18_Classes\\WOW6432Node\\DirectShow"},
    {"HKU\\S-1-5-18\\DirectShow", NULL},
    {"HKRS\\SOFTWARE\\a", NULL},
    {"SOFTWARE\\a", NULL},
    {"HKLM\\SOFTWARE\\\\a", NULL},
    {"HKLM\\", NULL},
    {"", NULL},
};

static void test_view_of_32_bits(void)
{
    for (size_t i = 0; i < ROWS(views32); i++) {
        const char *path = views32[i].path;
        struct buffer view = BUFFER_INIT;

        CU_ASSERT_EQUAL(path_to_view32(&view, path, strlen(path)), RS_OK);
        CU_ASSERT_STRING_EQUAL(view.data, views32[i].view ? views32[i].view : path);
        CU_ASSERT_EQUAL(rs_path_view32(path, RS_NTS) != 0, views32[i].view != NULL);
        buffer_free(&view);
    }
}

static const struct test_case cases[] = {
    {"the grammar", test_grammar},
    {"the view of 32 bits", test_view_of_32_bits},
    {"names may hold NUL", test_names_may_hold_nul},
    {"refused paths leave the outputs", test_refused_paths_leave_outputs},
    {"errors name the place", test_errors_name_the_place},
    {"the table of roots", test_table_of_roots},
    {"views", test_views},
    {"names are checked", test_names_are_checked},
    {"the length of names is in units", test_length_of_names_is_in_units},
    {"targets of links", test_link_targets},
    {"data that is no target", test_link_data_that_is_none},
    {"paths to targets", test_paths_to_links},
    {"paths that make no target", test_paths_that_make_no_link},
    {NULL, NULL},
};

const struct test_suite suite_path = {"path", cases};
