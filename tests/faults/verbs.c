/*
 * verbs.c - see verbs.h: places, the run of one verb, and renderings.
 */
#include "verbs.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUBKEYS 40     /* enough for more than one page */
#define BIG_DATA 70000 /* more than a chunk of the journal */
#define DEEPEST 600    /* a key deeper than that is a damaged store's */
#define SHOWN_WHOLE 64 /* longer data is rendered as its sum */
#define LONG_NAME 700  /* more than a key of LMDB holds */
#define FIXTURE "HKLM\\Verbs"

static const char foreign_dump[] =
    "<hive><mtime>2010-02-02T13:42:52Z</mtime>\n"
    " <node name=\"$$$PROTO.HIV\" root=\"1\"><mtime>2010-02-02T13:42:52Z</mtime>\n"
    "  <byte_runs><byte_run file_offset=\"4128\" len=\"92\"/></byte_runs>\n"
    "  <value type=\"string\" default=\"1\" value=\"default &amp; text\"/>\n"
    "  <value type=\"int32\" key=\"Size\" value=\"-1\"/>\n"
    "  <value type=\"int64\" key=\"Long\" value=\"99\"/>\n"
    "  <value type=\"binary\" encoding=\"base64\" key=\"Bytes\" value=\"AQIDBA==\"/>\n"
    "  <value type=\"unknown\" encoding=\"base64\" key=\"Odd\" value=\"AQI=\"/>\n"
    "  <value type=\"string-list\" key=\"List\"><string>one</string><string>t&#10;wo</string>"
    "<string/></value>\n"
    "  <value type=\"string\" key=\"LIST\" value=\"a name that folds alike\"/>\n"
    "  <node name=\"Sub\"><mtime>2010-02-02T13:42:52Z</mtime>\n"
    "   <node name=\"no time\"/>\n"
    "  </node>\n"
    " </node>\n"
    "</hive>\n";

/* ---- The content of a place ---- */

typedef int (*fixture_step)(rs_txn *txn, rs_key key);

static int add_values(rs_txn *txn, rs_key key)
{
    const char *const strings[] = {"one", "two", "three"};
    const unsigned char bytes[16] = {1, 2, 3};
    int status = rs_set_string(txn, key, "", "default");
    status = status != RS_OK ? status : rs_set_string(txn, key, "Text", "some text");
    status = status != RS_OK ? status : rs_set_expanded(txn, key, "Expand", "a%VERBS_UNSET%b");
    status = status != RS_OK ? status : rs_set_dword(txn, key, "Number", 7);
    status = status != RS_OK ? status : rs_set_qword(txn, key, "Long", UINT64_C(1) << 40);
    status = status != RS_OK ? status : rs_set_bool(txn, key, "Switch", 1);
    status = status != RS_OK ? status : rs_set_multi(txn, key, "List", strings, 3);
    status = status != RS_OK ? status : rs_set_binary(txn, key, "Bytes", bytes, sizeof bytes);
    return status != RS_OK ? status : rs_key_set_class(txn, key, "Class");
}

static int add_large(rs_txn *txn, rs_key key)
{
    char name[LONG_NAME + 1];
    char *data = calloc(1, BIG_DATA);
    int status = data != NULL ? rs_set_binary(txn, key, "Big", data, BIG_DATA) : RS_ENOMEM;
    memset(name, 'n', LONG_NAME);
    name[LONG_NAME] = '\0';
    status = status != RS_OK ? status : rs_set_dword(txn, key, name, 1);
    free(data);
    return status;
}

static int add_tree(rs_txn *txn, rs_key key)
{
    int status = RS_OK;
    for (int i = 0; status == RS_OK && i < SUBKEYS; i++) {
        char path[64];
        rs_key sub = RS_NO_KEY;
        snprintf(path, sizeof path, "Tree\\subkey number %03d\\below", i);
        status = rs_key_create(txn, key, path, &sub);
        status = status != RS_OK ? status : rs_set_string(txn, sub, "Name", path);
    }
    rs_key unused;
    return status != RS_OK ? status : rs_key_create(txn, key, "Empty", &unused);
}

static int add_links(rs_txn *txn, rs_key key)
{
    rs_key unused;
    int status = rs_link_create(txn, key, "Link", FIXTURE "\\Tree", 0, &unused);
    status = status != RS_OK ? status : rs_key_create(txn, RS_HKCR, "Class", &unused);
    status = status != RS_OK ? status : rs_key_create(txn, RS_HKCU, "User", &unused);
    status = status != RS_OK ? status : rs_key_create(txn, RS_HKCC, "Current", &unused);
    return status != RS_OK ? status : verb_add_rules(txn);
}

/* So that importing the dump that was made before changes something. */
static int change_some(rs_txn *txn, rs_key key)
{
    rs_key sub = RS_NO_KEY;
    int status = rs_set_dword(txn, key, "Switch", 0);
    status = status != RS_OK ? status : rs_key_open(txn, key, "Tree\\subkey number 007", &sub);
    return status != RS_OK ? status : rs_key_delete(txn, sub, RS_RECURSIVE);
}

static int one_revision(rs_store *store, fixture_step step)
{
    rs_txn *txn;
    rs_key key;
    int status = rs_begin(store, RS_WRITE, &txn);
    if (status != RS_OK) {
        return status;
    }
    status = rs_key_create(txn, RS_NO_KEY, FIXTURE, &key);
    status = status != RS_OK ? status : step(txn, key);
    if (status != RS_OK) {
        rs_abort(txn);
        return status;
    }
    return rs_commit(txn, NULL);
}

const char *verb_file(struct verb_place *place, const char *name)
{
    snprintf(place->file, sizeof place->file, "%s/files/%s", place->top, name);
    return place->file;
}

static int write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        return RS_EIO;
    }
    fputs(text, file);
    return fclose(file) == 0 ? RS_OK : RS_EIO;
}

static int write_files(struct verb_place *place)
{
    rs_txn *txn;
    rs_key key;
    int status = rs_begin(place->store, RS_READ, &txn);
    if (status != RS_OK) {
        return status;
    }
    status = rs_key_open(txn, RS_NO_KEY, FIXTURE, &key);
    if (status == RS_OK) {
        status = rs_export(txn, key, verb_file(place, "ours.xml"), NULL, NULL);
    }
    if (status == RS_OK) {
        status = rs_export(txn, key, verb_file(place, "ours.hiv"), NULL, NULL);
    }
    rs_abort(txn);
    if (status == RS_OK) {
        status = rs_backup(place->store, verb_file(place, "backup.mdb"), NULL, NULL, NULL);
    }
    if (status == RS_OK) {
        status = write_text(verb_file(place, "foreign.xml"), foreign_dump);
    }
    return status == RS_OK ? write_text(verb_file(place, "out.xml"), "old\n") : status;
}

static int fill(struct verb_place *place)
{
    static const fixture_step steps[] = {add_values, add_large, add_tree, add_links};
    int status = RS_OK;
    for (size_t i = 0; status == RS_OK && i < sizeof steps / sizeof *steps; i++) {
        status = one_revision(place->store, steps[i]);
    }
    status = status != RS_OK ? status : write_files(place);
    return status != RS_OK ? status : one_revision(place->store, change_some);
}

static int begin_place(struct verb_place *place, const char *top)
{
    *place = (struct verb_place){.store = NULL};
    if (strlen(top) >= sizeof place->top) {
        return RS_ETOOLONG;
    }
    strcpy(place->top, top);
    snprintf(place->dir, sizeof place->dir, "%s/store", top);
    snprintf(place->file, sizeof place->file, "%s/tmp", top);
    if (mkdir(place->file, 0755) != 0) {
        return RS_EIO;
    }
    snprintf(place->file, sizeof place->file, "%s/files", top);
    return mkdir(place->file, 0755) == 0 ? RS_OK : RS_EIO;
}

int verb_prepare(struct verb_place *place, const char *top)
{
    int status = begin_place(place, top);
    if (status == RS_OK) {
        status = rs_open(place->dir, RS_CREATE, &place->store, &place->error);
    }
    if (status == RS_OK) {
        status = fill(place);
    }
    rs_close(place->store);
    place->store = NULL;
    return status;
}

static int copy_file(const struct verb_place *from, const struct verb_place *to, const char *name)
{
    char source[PATH_MAX], target[PATH_MAX], block[1 << 16];
    size_t size;
    snprintf(source, sizeof source, "%s/%s", from->top, name);
    snprintf(target, sizeof target, "%s/%s", to->top, name);
    FILE *in = fopen(source, "re");
    FILE *out = fopen(target, "we");
    while (in != NULL && out != NULL && (size = fread(block, 1, sizeof block, in)) > 0) {
        fwrite(block, 1, size, out);
    }
    bool good = in != NULL && out != NULL && !ferror(in) && !ferror(out);
    if (in != NULL) {
        fclose(in);
    }
    if (out != NULL) {
        good = fchmod(fileno(out), 0640) == 0 && good;
        good = fclose(out) == 0 && good;
    }
    return good ? RS_OK : RS_EIO;
}

/* The lock file, the bell and the like are made when the copy is opened. */
int verb_copy(const struct verb_place *from, struct verb_place *to, const char *top)
{
    static const char *const names[] = {"store/data.mdb",    "files/ours.xml", "files/ours.hiv",
                                        "files/foreign.xml", "files/out.xml",  "files/backup.mdb"};
    int status = begin_place(to, top);
    if (status == RS_OK && mkdir(to->dir, 0750) != 0) {
        status = RS_EIO;
    }
    for (size_t i = 0; status == RS_OK && i < sizeof names / sizeof *names; i++) {
        status = copy_file(from, to, names[i]);
    }
    return status;
}

int verb_open(struct verb_place *place)
{
    int status = rs_open(place->dir, RS_CREATE, &place->store, &place->error);
    if (status == RS_OK) {
        status =
            rs_watch_open(place->store, FIXTURE, RS_SUBTREE, RS_NOW, &place->watch, &place->error);
    }
    if (status != RS_OK) {
        verb_close(place);
    }
    return status;
}

void verb_close(struct verb_place *place)
{
    rs_watch_close(place->watch);
    rs_close(place->store);
    place->watch = NULL;
    place->store = NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    if (walk->level > 0) {
        remove(path);
    }
    return 0;
}

void verb_remove(const char *top)
{
    nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- The run of a verb ---- */

/* A value's data takes pages of its own, and what is deleted has to come back. */
static int change_for_a_while(rs_txn *txn, rs_key key)
{
    rs_key tree = RS_NO_KEY;
    int status = rs_set_string(txn, key, "Text", "for a while");
    status = status != RS_OK ? status : rs_value_delete(txn, key, "Big");
    status = status != RS_OK ? status : rs_key_open(txn, key, "Tree", &tree);
    return status != RS_OK ? status : rs_key_delete(txn, tree, RS_RECURSIVE);
}

static int change_until_due(rs_txn *txn, rs_key key)
{
    int status = rs_txn_confirm(txn, 0);
    return status != RS_OK ? status : change_for_a_while(txn, key);
}

static int change_and_wait(rs_txn *txn, rs_key key)
{
    int status = rs_txn_confirm(txn, 1000);
    return status != RS_OK ? status : change_for_a_while(txn, key);
}

static int take_last_back(rs_txn *txn, rs_key key)
{
    (void)key;
    return rs_undo(txn, VERB_LAST, VERB_LAST, NULL, NULL);
}

int verb_arrange(const struct verb *verb, struct verb_place *place)
{
    rs_store *store = NULL;
    fixture_step step = (verb->flags & VERB_DUE) != 0      ? change_until_due
                        : (verb->flags & VERB_WAITS) != 0  ? change_and_wait
                        : (verb->flags & VERB_UNDONE) != 0 ? take_last_back
                                                           : NULL;
    if (step == NULL) {
        return RS_OK;
    }
    int status = rs_open(place->dir, RS_CREATE, &store, &place->error);
    if (status == RS_OK) {
        status = one_revision(store, step);
    }
    rs_close(store);
    return status;
}

const struct verb *verb_at(size_t number)
{
    static const struct verb *const tables[] = {verb_reads, verb_writes, verb_rules, verb_history,
                                                verb_services};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        for (const struct verb *verb = tables[i]; verb->name != NULL; verb++) {
            if (number-- == 0) {
                return verb;
            }
        }
    }
    return NULL;
}

static int act(const struct verb *verb, struct verb_place *place)
{
    int status = RS_OK;
    if (verb->key != NULL) {
        status = rs_key_open_n(place->txn, RS_NO_KEY, verb->key, RS_NTS, RS_NOFOLLOW, &place->key);
    }
    return status == RS_OK ? verb->act(place) : status;
}

static int end_writing(struct verb_place *place, int status, enum verb_ending ending)
{
    if (status != RS_OK && ending == VERB_ABORTS) {
        rs_abort(place->txn);
        return status;
    }
    int committed = rs_commit(place->txn, NULL);
    return status != RS_OK ? status : committed;
}

int verb_run(const struct verb *verb, struct verb_place *place, enum verb_ending ending)
{
    place->error = (rs_error)RS_ERROR_INIT;
    place->key = RS_NO_KEY;
    if ((verb->flags & VERB_OPENS) != 0 || (verb->flags & (VERB_READS | VERB_WRITES)) == 0) {
        return act(verb, place);
    }
    bool writes = (verb->flags & VERB_WRITES) != 0;
    int status = rs_begin(place->store, writes ? RS_WRITE : RS_READ, &place->txn);
    if (status != RS_OK) {
        return status;
    }
    rs_txn_errors(place->txn, &place->error);
    status = act(verb, place);
    if (writes) {
        return end_writing(place, status, ending);
    }
    rs_abort(place->txn);
    return status;
}

/* ---- Renderings ---- */

/* FNV-1a: two contents with one sum are not met by accident. */
static uint64_t sum_of(const unsigned char *data, size_t size)
{
    uint64_t sum = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < size; i++) {
        sum = (sum ^ data[i]) * UINT64_C(1099511628211);
    }
    return sum;
}

static void print_hex(FILE *out, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    putc_unlocked(digits[byte >> 4], out);
    putc_unlocked(digits[byte & 15], out);
}

static void print_text(FILE *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c < 0x7f) {
            putc_unlocked(c, out);
        } else {
            fputs("\\x", out);
            print_hex(out, c);
        }
    }
}

static void print_value(FILE *out, const rs_value *value)
{
    const unsigned char *data = value->data;
    fputs("  ", out);
    print_text(out, value->name, value->name_len);
    fprintf(out, " = %u:%zu:", value->type, value->size);
    if (value->size > SHOWN_WHOLE) {
        fprintf(out, "%016llx", (unsigned long long)sum_of(data, value->size));
    } else {
        for (size_t i = 0; i < value->size; i++) {
            print_hex(out, data[i]);
        }
    }
    fputc('\n', out);
}

static int render_values(FILE *out, rs_txn *txn, rs_key key)
{
    rs_cursor *cursor;
    rs_value value;
    int status = rs_values(txn, key, &cursor);
    if (status != RS_OK) {
        return status;
    }
    while ((status = rs_next_value(cursor, &value)) == RS_OK) {
        print_value(out, &value);
    }
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

static int render_info(FILE *out, rs_txn *txn, rs_key key)
{
    const char *path;
    size_t len;
    rs_key_info info;
    int status = rs_key_path(txn, key, &path, &len);
    status = status != RS_OK ? status : rs_key_info_get(txn, key, &info);
    if (status != RS_OK) {
        return status;
    }
    print_text(out, path, len);
    fprintf(out, " %llu %u %u %u ", (unsigned long long)key, info.flags, info.subkeys, info.values);
    print_text(out, info.class_name, info.class_len);
    fputc('\n', out);
    return render_values(out, txn, key);
}

static int render_below(FILE *out, rs_txn *txn, rs_key key, unsigned depth)
{
    rs_cursor *cursor;
    rs_key_info info;
    int status = depth < DEEPEST ? render_info(out, txn, key) : RS_EDEPTH;
    status = status != RS_OK ? status : rs_subkeys(txn, key, &cursor);
    if (status != RS_OK) {
        return status;
    }
    while ((status = rs_next_key(cursor, &info)) == RS_OK) {
        status = render_below(out, txn, info.key, depth + 1);
        if (status != RS_OK) {
            break;
        }
    }
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

static int render_store(FILE *out, rs_store *store)
{
    static const rs_key roots[] = {RS_HKLM, RS_HKU, RS_HKRS};
    rs_txn *txn;
    rs_stat stat;
    rs_pending pending;
    int status = rs_begin(store, RS_READ, &txn);
    if (status != RS_OK) {
        return status;
    }
    if (rs_confirm_pending(txn, &pending) == RS_OK) {
        fprintf(out, "revision %llu waits\n", (unsigned long long)pending.revision);
    }
    status = rs_stat_get(txn, &stat);
    if (status == RS_OK) {
        fprintf(out, "revision %llu, from %llu; %llu keys, %llu values\n",
                (unsigned long long)rs_revision(txn), (unsigned long long)stat.first_revision,
                (unsigned long long)stat.keys, (unsigned long long)stat.values);
    }
    for (size_t i = 0; status == RS_OK && i < sizeof roots / sizeof *roots; i++) {
        status = render_below(out, txn, roots[i], 0);
    }
    rs_abort(txn);
    return status;
}

int verb_render(rs_store *store, char **text)
{
    char *rendered = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&rendered, &size);
    if (out == NULL) {
        return RS_ENOMEM;
    }
    int status = render_store(out, store);
    bool whole = !ferror(out);
    if (fclose(out) != 0 || !whole) {
        status = RS_ENOMEM;
    }
    if (status != RS_OK) {
        free(rendered);
        return status;
    }
    *text = rendered;
    return RS_OK;
}

int verb_render_dir(const char *dir, char **text)
{
    rs_store *store;
    int status = rs_open(dir, RS_READONLY, &store, NULL);
    if (status == RS_OK) {
        status = verb_render(store, text);
        rs_close(store);
    }
    return status;
}

bool verb_left_nothing(const struct verb_place *place)
{
    char dir[PATH_MAX];
    snprintf(dir, sizeof dir, "%s/tmp", place->top);
    return rmdir(dir) == 0 && mkdir(dir, 0755) == 0;
}

static bool render_file(FILE *out, const char *dir, const char *name)
{
    char path[PATH_MAX * 2];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && fstat(fd, &st) == 0;
    unsigned char *data = good ? malloc((size_t)st.st_size + 1) : NULL;
    good = data != NULL && read(fd, data, (size_t)st.st_size) == st.st_size;
    if (good) {
        fprintf(out, "%s %lld %016llx\n", name, (long long)st.st_size,
                (unsigned long long)sum_of(data, (size_t)st.st_size));
    }
    free(data);
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

char *verb_render_files(const struct verb_place *place)
{
    char dir[PATH_MAX];
    char *text = NULL;
    size_t size = 0;
    struct dirent **entries = NULL;
    snprintf(dir, sizeof dir, "%s/files", place->top);
    int count = scandir(dir, &entries, NULL, alphasort);
    FILE *out = open_memstream(&text, &size);
    bool good = count >= 0 && out != NULL;
    for (int i = 0; i < count; i++) {
        if (good && strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0) {
            good = render_file(out, dir, entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
    if (out != NULL && fclose(out) == 0 && good) {
        return text;
    }
    free(text);
    return NULL;
}
