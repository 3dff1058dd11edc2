#include "journal_digest.h"
#include "journal_part.h"

#define LEAST_FILTER 64u /* bytes */
#define MOST_FILTER 2048u
#define PROBES 4u     /* bits of the filter for each path */
#define MOST_SHARE 6u /* a filter is made smaller as long as one bit in so many is set at most */
#define MARKS (JOURNAL_BLOCK / 8)
/* Numbered chunks that are looked through for one digest, so that no commit pays for a long
 * revision of another one. */
#define MOST_CHUNKS 128u

struct digest {
    unsigned char marks[MARKS];
    size_t size; /* of the filter */
    unsigned char filter[MOST_FILTER];
};

static uint64_t block_of(uint64_t revision)
{
    return revision / JOURNAL_BLOCK;
}

static uint64_t last_of(uint64_t block)
{
    return block * JOURNAL_BLOCK + JOURNAL_BLOCK - 1;
}

static struct slice digest_key(struct journal_key *key, uint64_t block)
{
    return journal_key(key, 0, (uint32_t)block);
}

static bool is_marked(const unsigned char *marks, uint64_t revision)
{
    return (marks[revision % JOURNAL_BLOCK / 8] >> revision % 8 & 1) != 0;
}

static bool has_marks(const unsigned char *marks)
{
    static const unsigned char none[MARKS];
    return memcmp(marks, none, MARKS) != 0;
}

static void mark(struct digest *digest, uint64_t revision)
{
    digest->marks[revision % JOURNAL_BLOCK / 8] |= (unsigned char)(1 << revision % 8);
}

/* ---- Paths as numbers ---- */

/* What a path stands for in a filter. */
enum role { ROLE_BELOW = 1, ROLE_ABOVE = 2 };

/* The folded path and those above it, the root first. */
struct prefixes {
    struct slice path;
    size_t at;
    uint64_t hash;
};

#define HASH_START UINT64_C(0xcbf29ce484222325)

static struct prefixes prefixes_of(struct slice path)
{
    return (struct prefixes){path, 0, HASH_START};
}

static uint64_t stir(uint64_t hash)
{
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

static uint64_t add_name(uint64_t hash, const char *name, size_t len)
{
    uint64_t word;
    hash ^= len;
    for (; len >= sizeof word; len -= sizeof word) {
        memcpy(&word, name, sizeof word);
        hash = stir(hash ^ le64toh(word));
        name += sizeof word;
    }
    return stir(hash ^ le64toh(text_word(name, len)));
}

static bool next_prefix(struct prefixes *prefixes, uint64_t *hash)
{
    if (prefixes->at > prefixes->path.size) {
        return false;
    }
    const char *name = (const char *)prefixes->path.data + prefixes->at;
    size_t left = prefixes->path.size - prefixes->at;
    const char *end = memchr(name, '\\', left);
    size_t len = end != NULL ? (size_t)(end - name) : left;
    prefixes->hash = add_name(prefixes->hash, name, len);
    prefixes->at += len + 1;
    *hash = prefixes->hash;
    return true;
}

static uint64_t spread(uint64_t hash, enum role role)
{
    hash += role;
    hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    hash = (hash ^ hash >> 27) * UINT64_C(0x94d049bb133111eb);
    return hash ^ hash >> 31;
}

/* ---- The filter ---- */

static size_t bit_of(uint64_t hash, unsigned probe, size_t size)
{
    return (size_t)(hash >> 16 * probe) & (8 * size - 1);
}

static void filter_add(struct digest *digest, uint64_t hash)
{
    for (unsigned i = 0; i < PROBES; i++) {
        size_t bit = bit_of(hash, i, digest->size);
        digest->filter[bit / 8] |= (unsigned char)(1 << bit % 8);
    }
}

static bool filter_has(const unsigned char *filter, size_t size, uint64_t hash)
{
    for (unsigned i = 0; i < PROBES; i++) {
        size_t bit = bit_of(hash, i, size);
        if ((filter[bit / 8] >> bit % 8 & 1) == 0) {
            return false;
        }
    }
    return true;
}

/* Half a filter is the union of both halves, as each bit is found by the end of its number. */
static bool filter_halve(struct digest *digest)
{
    unsigned char half[MOST_FILTER / 2];
    uint64_t word, other;
    size_t size = digest->size / 2;
    size_t set = 0;
    for (size_t i = 0; i < size; i += sizeof word) {
        memcpy(&word, digest->filter + i, sizeof word);
        memcpy(&other, digest->filter + size + i, sizeof other);
        word |= other;
        memcpy(half + i, &word, sizeof word);
        set += (size_t)__builtin_popcountll(word);
    }
    if (size < LEAST_FILTER || MOST_SHARE * set > 8 * size) {
        return false;
    }
    memcpy(digest->filter, half, size);
    digest->size = size;
    return true;
}

/* ---- Adding revisions ---- */

struct builder {
    struct digest digest;
    struct journal_reader reader; /* memory */
    struct buffer folded;         /* the same */
    struct buffer parent;         /* of the last path, as it was spelled */
    uint64_t hash;                /* of it */
    uint32_t chunks;              /* that may still be looked through */
};

static int add_parent(struct builder *builder, struct slice parent)
{
    uint64_t hash = 0;
    builder->parent.size = 0;
    builder->folded.size = 0;
    int status = text_fold_append(&builder->folded, parent.data, parent.size);
    struct prefixes prefixes =
        prefixes_of((struct slice){builder->folded.data, builder->folded.size});
    while (status == RS_OK && next_prefix(&prefixes, &hash)) {
        filter_add(&builder->digest, spread(hash, ROLE_BELOW));
    }
    builder->hash = hash;
    return status == RS_OK ? buffer_append(&builder->parent, parent.data, parent.size) : status;
}

/* A name in a parent, which is mostly that of the last one, too. Size 0: a root. */
static int add_key(struct builder *builder, struct slice parent, struct slice name, bool of_value)
{
    int status = RS_OK;
    if (builder->parent.size != parent.size ||
        (parent.size > 0 && memcmp(builder->parent.data, parent.data, parent.size) != 0)) {
        status = add_parent(builder, parent);
    }
    builder->folded.size = 0;
    if (status == RS_OK) {
        status = text_fold_append(&builder->folded, name.data, name.size);
    }
    if (status == RS_OK) {
        uint64_t above = parent.size > 0 ? builder->hash : HASH_START;
        uint64_t hash = add_name(above, builder->folded.data, builder->folded.size);
        filter_add(&builder->digest, spread(hash, ROLE_BELOW));
        if (!of_value) {
            filter_add(&builder->digest, spread(hash, ROLE_ABOVE));
        }
    }
    return status;
}

/* The path, and what a renamed key was called then. */
static int add_path(struct builder *builder, enum rs_change_kind kind, struct slice path,
                    struct slice renamed)
{
    const char *start = path.data;
    const char *last = memrchr(start, '\\', path.size);
    struct slice parent = {start, last != NULL ? (size_t)(last - start) : 0};
    size_t at = last != NULL ? parent.size + 1 : 0;
    if (kind < RS_KEY_CREATED || kind > RS_VALUE_DELETED) {
        return RS_EDAMAGED;
    }
    int status = add_key(builder, parent, (struct slice){start + at, path.size - at},
                         kind == RS_VALUE_SET || kind == RS_VALUE_DELETED);
    return status == RS_OK && kind == RS_KEY_RENAMED ? add_key(builder, parent, renamed, false)
                                                     : status;
}

static int add_change(struct builder *builder, const struct change *change)
{
    return change->inner
               ? RS_OK
               : add_path(builder, change->kind, (struct slice){change->path, change->path_len},
                          (struct slice){change->after.name, change->after.name_len});
}

static int add_glance(struct builder *builder, const struct journal_glance *glance)
{
    struct change change;
    if (glance->kind != RS_KEY_RENAMED) {
        return add_path(builder, glance->kind, (struct slice){glance->path, glance->path_len},
                        (struct slice){"", 0});
    }
    int status = journal_get_change(glance->stored, &change);
    return status == RS_OK ? add_change(builder, &change) : status;
}

/* Many values of one key are often set one after the other. */
static int add_stream(struct builder *builder, struct slice stream)
{
    struct journal_glance glance;
    struct slice last = {"", 0};
    int status = RS_OK;
    while (status == RS_OK && (status = journal_glance(&stream, &glance)) == RS_OK) {
        bool again = glance.kind == RS_VALUE_SET && glance.path_len == last.size &&
                     memcmp(glance.path, last.data, last.size) == 0;
        if (!glance.inner && !again) {
            status = add_glance(builder, &glance);
            last = (struct slice){glance.path, glance.path_len};
        }
    }
    return status == RS_END ? RS_OK : status;
}

/* RS_END if it is too long. */
static int add_long(struct builder *builder, struct env_txn *txn, uint64_t revision)
{
    struct journal_head head;
    struct change change;
    int status = journal_open(&builder->reader, txn, revision, &head);
    if (status == RS_OK && builder->reader.chunks > builder->chunks) {
        return RS_END;
    }
    builder->chunks -= status == RS_OK ? builder->reader.chunks : 0;
    while (status == RS_OK && (status = journal_next(&builder->reader, &change)) == RS_OK) {
        status = add_change(builder, &change);
    }
    return status == RS_END ? RS_OK : status;
}

static int add_revision(struct builder *builder, const struct journal_scan *scan)
{
    return scan->longer ? add_long(builder, scan->txn, scan->revision)
                        : add_stream(builder, scan->tail);
}

static void builder_free(struct builder *builder)
{
    journal_close(&builder->reader);
    buffer_free(&builder->folded);
    buffer_free(&builder->parent);
}

/* ---- A block's digest, written and removed ---- */

/* What cannot be added has to be read by who searches, and is told to him if it is damaged. */
static int add_block(struct builder *builder, struct env_txn *txn, uint64_t block)
{
    struct journal_scan scan;
    struct journal_head head;
    int status = journal_scan_begin(&scan, txn, last_of(block));
    while (status == RS_OK && (status = journal_scan_next(&scan, &head)) == RS_OK &&
           block_of(scan.revision) == block) {
        status = add_revision(builder, &scan);
        if (status != RS_OK && status != RS_ENOMEM) {
            mark(&builder->digest, scan.revision);
            status = RS_OK;
        }
    }
    journal_scan_end(&scan);
    return status == RS_END ? RS_OK : status;
}

static int put_digest(struct env_txn *txn, uint64_t block, const struct digest *digest,
                      uint64_t *bytes)
{
    struct journal_key key;
    const struct slice parts[] = {{digest->marks, sizeof digest->marks},
                                  {digest->filter, digest->size}};
    int status = env_put_parts(txn, TABLE_JOURNAL, digest_key(&key, block), parts, 2);
    *bytes += status == RS_OK ? sizeof key.bytes + sizeof digest->marks + digest->size : 0;
    return status;
}

int journal_digest_write(struct env_txn *txn, uint64_t revision, uint64_t *bytes)
{
    uint64_t block = block_of(revision);
    if (revision != last_of(block) || block > UINT32_MAX) {
        return RS_OK;
    }
    struct builder builder = {.digest.size = MOST_FILTER, .chunks = MOST_CHUNKS};
    int status = add_block(&builder, txn, block);
    while (status == RS_OK && filter_halve(&builder.digest)) {
    }
    if (status == RS_OK) {
        status = put_digest(txn, block, &builder.digest, bytes);
    }
    builder_free(&builder);
    return status == RS_EDAMAGED ? RS_OK : status; /* an old revision's damage refuses no new one */
}

static int remove_digest(struct env_txn *txn, uint64_t block, uint64_t *removed)
{
    struct journal_key key;
    struct slice found;
    int status = block <= UINT32_MAX ? env_get(txn, TABLE_JOURNAL, digest_key(&key, block), &found)
                                     : RS_ENOTFOUND;
    uint64_t size = status == RS_OK ? sizeof key.bytes + found.size : 0;
    if (status == RS_OK) {
        status = env_delete(txn, TABLE_JOURNAL, digest_key(&key, block));
    }
    *removed += status == RS_OK ? size : 0;
    return status;
}

int journal_digest_trim(struct env_txn *txn, uint64_t revision, uint64_t *removed)
{
    uint64_t block = block_of(revision);
    int status = revision == last_of(block) ? remove_digest(txn, block, removed) : RS_OK;
    return status == RS_ENOTFOUND ? RS_OK : status;
}

int journal_digest_cut(struct env_txn *txn, uint64_t last, uint64_t *removed)
{
    struct journal_key first;
    struct env_cursor cursor = {NULL};
    struct slice key;
    struct slice record;
    if (block_of(last + 1) > UINT32_MAX) {
        return RS_OK;
    }
    struct slice from = digest_key(&first, block_of(last + 1));
    int status = env_cursor_open(txn, TABLE_JOURNAL, &cursor);
    while (status == RS_OK) {
        status = env_cursor_seek(&cursor, from, &key, &record);
        if (status != RS_OK || key.size != from.size || env_get_be64(key.data) != 0) {
            break;
        }
        *removed += key.size + record.size;
        status = env_cursor_delete(&cursor);
    }
    env_cursor_close(&cursor);
    return status == RS_END ? RS_OK : status;
}

/* ---- Checking ---- */

static bool is_digest(struct slice record)
{
    size_t size = record.size - MARKS;
    return record.size >= MARKS + LEAST_FILTER && size <= MOST_FILTER && (size & (size - 1)) == 0;
}

/* Does a filter of the same size have all of a digest? */
static bool includes(const unsigned char *filter, const struct digest *digest)
{
    for (size_t i = 0; i < digest->size; i++) {
        if ((digest->filter[i] & ~filter[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* The revision may be on its way out, or damaged, which is told elsewhere. */
static int check_revision(struct builder *builder, const struct journal_scan *scan,
                          const unsigned char *record, rs_error *why)
{
    memset(builder->digest.filter, 0, builder->digest.size);
    builder->parent.size = 0;
    builder->chunks = UINT32_MAX;
    int status = is_marked(record, scan->revision) ? RS_END : add_revision(builder, scan);
    if (status == RS_ENOMEM) {
        return status;
    }
    return status != RS_OK || includes(record + MARKS, &builder->digest)
               ? RS_OK
               : fail(why, RS_EDAMAGED, "revision %llu is missing in the digest of its block",
                      (unsigned long long)scan->revision);
}

int journal_digest_check(struct env_txn *txn, uint64_t block, struct slice record, rs_error *why)
{
    struct journal_scan scan;
    struct journal_head head;
    if (!is_digest(record)) {
        return fail(why, RS_EDAMAGED, "the digest of block %llu is none",
                    (unsigned long long)block);
    }
    struct builder builder = {.digest.size = record.size - MARKS};
    int status = journal_scan_begin(&scan, txn, last_of(block));
    status = status == RS_OK ? journal_scan_next(&scan, &head) : status;
    if (status == RS_END || (status == RS_OK && scan.revision != last_of(block))) {
        status = fail(why, RS_EDAMAGED, "the digest of block %llu is without its last revision",
                      (unsigned long long)block);
    }
    while (status == RS_OK && block_of(scan.revision) == block) {
        status = check_revision(&builder, &scan, record.data, why);
        status = status == RS_OK ? journal_scan_next(&scan, &head) : status;
    }
    journal_scan_end(&scan);
    builder_free(&builder);
    return status == RS_END || (status == RS_EDAMAGED && why->status == RS_OK) ? RS_OK : status;
}

/* ---- Asking ---- */

static int want(struct journal_wanted *wanted, uint64_t hash, enum role role)
{
    uint64_t wanted_hash = spread(hash, role);
    return buffer_append(&wanted->hashes, &wanted_hash, sizeof wanted_hash);
}

int journal_want_below(struct journal_wanted *wanted, struct slice path)
{
    struct prefixes prefixes = prefixes_of(path);
    uint64_t hash = 0;
    while (next_prefix(&prefixes, &hash)) {
    }
    return want(wanted, hash, ROLE_BELOW);
}

int journal_want_above(struct journal_wanted *wanted, struct slice path)
{
    struct prefixes prefixes = prefixes_of(path);
    uint64_t hash;
    int status = RS_OK;
    while (status == RS_OK && next_prefix(&prefixes, &hash)) {
        status = want(wanted, hash, ROLE_ABOVE);
    }
    return status;
}

void journal_wanted_free(struct journal_wanted *wanted)
{
    buffer_free(&wanted->hashes);
}

int journal_sieve_begin(struct journal_sieve *sieve, struct env_txn *txn,
                        const struct journal_wanted *wanted)
{
    *sieve = (struct journal_sieve){.wanted = wanted};
    return env_cursor_open(txn, TABLE_JOURNAL, &sieve->cursor);
}

static bool may_have(const struct journal_wanted *wanted, struct slice record)
{
    const uint64_t *hashes = (const uint64_t *)(const void *)wanted->hashes.data;
    const unsigned char *filter = (const unsigned char *)record.data + MARKS;
    for (size_t i = 0; i < wanted->hashes.size / sizeof *hashes; i++) {
        if (filter_has(filter, record.size - MARKS, hashes[i])) {
            return true;
        }
    }
    return false;
}

/* Nothing of the record is kept, as who is told of a revision may change the store. */
static int load(struct journal_sieve *sieve, uint64_t block)
{
    struct journal_key wanted;
    struct slice key;
    struct slice record;
    sieve->loaded = true;
    sieve->block = block;
    sieve->maybe = true;
    if (block > UINT32_MAX) {
        return RS_OK;
    }
    struct slice name = digest_key(&wanted, block);
    int status = env_cursor_seek(&sieve->cursor, name, &key, &record);
    if (status == RS_OK && key.size == name.size && memcmp(key.data, name.data, name.size) == 0 &&
        is_digest(record)) {
        sieve->maybe = may_have(sieve->wanted, record);
        memcpy(sieve->marked, record.data, MARKS);
        sieve->some = has_marks(sieve->marked);
    }
    return status == RS_END ? RS_OK : status;
}

int journal_sieve_next(struct journal_sieve *sieve, uint64_t oldest, uint64_t *revision)
{
    uint64_t at = *revision;
    while (at > 0 && at >= oldest && at <= *revision) {
        uint64_t block = block_of(at);
        int status = !sieve->loaded || sieve->block != block ? load(sieve, block) : RS_OK;
        if (status != RS_OK) {
            return status;
        }
        if (sieve->maybe || is_marked(sieve->marked, at)) {
            *revision = at;
            return RS_OK;
        }
        at -= sieve->some ? 1 : at % JOURNAL_BLOCK + 1;
    }
    return RS_END;
}

void journal_sieve_end(struct journal_sieve *sieve)
{
    env_cursor_close(&sieve->cursor);
}
