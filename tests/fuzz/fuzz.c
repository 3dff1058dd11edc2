/*
 * fuzz.c - see fuzz.h: inputs, the scratch directory and the store in it.
 */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void fuzz_broken(const char *file, int line, const char *what)
{
    dprintf(STDERR_FILENO, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

/* ---- Answers ---- */

static bool expected_sound;

void fuzz_expect_sound(bool sound)
{
    expected_sound = sound;
}

int fuzz_known(int status)
{
    FUZZ_CHECK(rs_status_name(status) != NULL);
    FUZZ_CHECK(status != RS_EDAMAGED || !expected_sound);
    return status;
}

/* ---- Inputs ---- */

unsigned fuzz_u8(struct fuzz_input *input)
{
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->at++;
}

unsigned fuzz_u16(struct fuzz_input *input)
{
    unsigned low = fuzz_u8(input);
    return low | fuzz_u8(input) << 8;
}

char *fuzz_bytes(struct fuzz_input *input, size_t size, size_t *got)
{
    *got = size < input->left ? size : input->left;
    char *copy = malloc(*got > 0 ? *got : 1);
    FUZZ_CHECK(copy != NULL);
    if (*got > 0) {
        memcpy(copy, input->at, *got);
    }
    input->at += *got;
    input->left -= *got;
    return copy;
}

char *fuzz_text(struct fuzz_input *input)
{
    char *copy = malloc(input->left + 1);
    FUZZ_CHECK(copy != NULL);
    memcpy(copy, input->at, input->left);
    copy[input->left] = '\0';
    input->at += input->left;
    input->left = 0;
    return copy;
}

/* ---- The scratch directory ---- */

/* A process has one; what it is called must be known when the process ends. */
static char scratch[512];

/* Everything below a directory whose name fits, and the directory. */
static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char name[2048];
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
            if (unlink(name) != 0) {
                remove_tree(name);
            }
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    rmdir(path);
}

static void remove_scratch(void)
{
    remove_tree(scratch);
}

const char *fuzz_scratch(void)
{
    const char *parent = getenv("TMPDIR");

    if (scratch[0] == '\0') {
        snprintf(scratch, sizeof scratch, "%s/regstore-fuzz.XXXXXX", parent ? parent : "/tmp");
        FUZZ_CHECK(mkdtemp(scratch) != NULL);
        atexit(remove_scratch);
    }
    return scratch;
}

const char *fuzz_path(const char *name)
{
    static char paths[4][1024];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", fuzz_scratch(), name);
    return path;
}

/* ---- The store ---- */

static rs_key make_key(rs_txn *txn, const char *path)
{
    rs_key key = RS_NO_KEY;
    FUZZ_CHECK(rs_key_create(txn, RS_NO_KEY, path, &key) == RS_OK);
    return key;
}

/* Names longer than what the tree keeps of them in its keys, but not by much: comparing them is
 * most of what an input costs. */
static void add_long_names(rs_txn *txn, rs_key key)
{
    char name[600];
    rs_key child;

    memset(name, 'n', sizeof name);
    FUZZ_CHECK(rs_value_set_n(txn, key, name, 520, REG_BINARY, "1", 1) == RS_OK);
    FUZZ_CHECK(rs_value_set_n(txn, key, name, 530, REG_BINARY, "2", 1) == RS_OK);
    for (size_t i = 0; i < 175 * 3; i += 3) {
        memcpy(name + i, "\xe4\xbd\xa0", 3);
    }
    FUZZ_CHECK(rs_key_create_n(txn, key, name, 175 * 3, 0, &child, NULL) == RS_OK);
    FUZZ_CHECK(rs_key_create_n(txn, key, name, 174 * 3, 0, &child, NULL) == RS_OK);
}

static void add_values(rs_txn *txn, rs_key key)
{
    static const char *const list[] = {"one", "two", NULL};

    FUZZ_CHECK(rs_set_string(txn, key, "", "default") == RS_OK);
    FUZZ_CHECK(rs_set_string(txn, key, "Text", "some text") == RS_OK);
    FUZZ_CHECK(rs_set_expanded(txn, key, "Expanded", "%HOME%/x") == RS_OK);
    FUZZ_CHECK(rs_set_dword(txn, key, "Number", 1200) == RS_OK);
    FUZZ_CHECK(rs_set_qword(txn, key, "Large", 1) == RS_OK);
    FUZZ_CHECK(rs_set_multi(txn, key, "List", list, 2) == RS_OK);
    FUZZ_CHECK(rs_set_binary(txn, key, "Bytes", "\x01\x02\x03", 3) == RS_OK);
    FUZZ_CHECK(rs_value_set(txn, key, "Odd", 77, "x", 1) == RS_OK);
}

/* The program's name is the same for each target, so that records have the same bytes. */
static rs_txn *begin_writing(rs_store *store)
{
    rs_txn *txn;

    FUZZ_CHECK(rs_begin(store, RS_WRITE, &txn) == RS_OK);
    FUZZ_CHECK(rs_txn_program(txn, "fuzz") == RS_OK);
    return txn;
}

/* A revision longer than one record, which is then taken back and done again, and one that waits to
 * be confirmed. */
static void add_history(rs_store *store)
{
    static char large[20000];
    rs_txn *txn = begin_writing(store);
    rs_key key = make_key(txn, "HKLM\\SYSTEM\\Print");

    FUZZ_CHECK(rs_txn_message(txn, "a message") == RS_OK);
    memset(large, 'l', sizeof large);
    FUZZ_CHECK(rs_set_binary(txn, key, "Bytes", large, sizeof large) == RS_OK);
    FUZZ_CHECK(rs_set_string(txn, key, "Text", "another text") == RS_OK);
    FUZZ_CHECK(rs_key_delete(txn, make_key(txn, "HKLM\\SYSTEM\\Long"), RS_RECURSIVE) == RS_OK);
    FUZZ_CHECK(rs_commit(txn, NULL) == RS_OK);
    for (uint64_t revision = 4; revision < 6; revision++) {
        txn = begin_writing(store);
        FUZZ_CHECK(rs_undo(txn, revision, revision, NULL, NULL) == RS_OK);
        FUZZ_CHECK(rs_commit(txn, NULL) == RS_OK);
    }
    txn = begin_writing(store);
    FUZZ_CHECK(rs_set_dword(txn, make_key(txn, "HKLM\\SYSTEM\\Waits"), "Number", 1) == RS_OK);
    FUZZ_CHECK(rs_txn_confirm(txn, UINT32_MAX) == RS_OK);
    FUZZ_CHECK(rs_commit(txn, NULL) == RS_OK);
}

/* Several revisions, so that the journal holds changes of every kind. */
static void fill_store(rs_store *store)
{
    rs_txn *txn = begin_writing(store);
    rs_key key;

    key = make_key(txn, "HKLM\\SYSTEM\\Print");
    add_values(txn, key);
    make_key(txn, "HKLM\\SYSTEM\\Print\\Below\\Deep");
    make_key(txn, "HKU\\S-1-22-1-0");
    FUZZ_CHECK(rs_link_create(txn, RS_NO_KEY, "HKLM\\SYSTEM\\Link", "HKLM\\SYSTEM\\Print", 0,
                              &key) == RS_OK);
    FUZZ_CHECK(rs_commit(txn, NULL) == RS_OK);

    txn = begin_writing(store);
    key = make_key(txn, "HKLM\\SYSTEM\\Print");
    FUZZ_CHECK(rs_set_dword(txn, key, "Number", 1300) == RS_OK);
    FUZZ_CHECK(rs_value_delete(txn, key, "Odd") == RS_OK);
    FUZZ_CHECK(rs_key_set_class(txn, key, "Class") == RS_OK);
    FUZZ_CHECK(rs_key_rename(txn, make_key(txn, "HKLM\\SYSTEM\\Print\\Below"), "Under") == RS_OK);
    FUZZ_CHECK(rs_commit(txn, NULL) == RS_OK);

    txn = begin_writing(store);
    FUZZ_CHECK(rs_key_delete(txn, make_key(txn, "HKLM\\SYSTEM\\Print\\Under"), RS_RECURSIVE) ==
               RS_OK);
    add_long_names(txn, make_key(txn, "HKLM\\SYSTEM\\Long"));
    FUZZ_CHECK(rs_commit(txn, NULL) == RS_OK);
    add_history(store);
}

/* The content of a new store's file, kept for all inputs: its pages, and how long the file is with
 * the reserve behind them. */
static char *image;
static size_t image_size;
static size_t image_length;
#define PAGE ((size_t)4096)

static void make_image(const char *dir)
{
    rs_store *store;
    struct stat st;

    FUZZ_CHECK(rs_open(dir, RS_CREATE, &store, NULL) == RS_OK);
    fill_store(store);
    rs_close(store);
    int fd = open(fuzz_path("store/data.mdb"), O_RDONLY | O_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && fstat(fd, &st) == 0);
    image_length = (size_t)st.st_size;
    image = malloc(image_length);
    FUZZ_CHECK(image != NULL && read(fd, image, image_length) == (ssize_t)image_length);
    close(fd);
    for (image_size = image_length; image_size > 0 && image[image_size - 1] == '\0';) {
        image_size--;
    }
    image_size = (image_size + PAGE - 1) / PAGE * PAGE;
}

const char *fuzz_store(void)
{
    const char *dir = fuzz_path("store");

    if (image == NULL) {
        make_image(dir);
    }
    /* The reserve keeps its blocks, and whatever stands in them: it belongs to no page. */
    int fd = open(fuzz_path("store/data.mdb"), O_WRONLY | O_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && write(fd, image, image_size) == (ssize_t)image_size);
    FUZZ_CHECK(ftruncate(fd, (off_t)image_length) == 0);
    close(fd);
    return dir;
}
