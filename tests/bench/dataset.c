#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define SEED 42u
#define DEEPEST 9u
#define TOP_KEYS 6u /* and a chain below three of them down to the wide keys */
#define WIDE_KEYS 3u
#define LAST_FIXED (TOP_KEYS + 2 * WIDE_KEYS)
#define WIDE_SHARE 3u /* percent of all keys, below each of the wide ones */

static const char *const words[] = {
    "Adapter", "Alert",   "Backup",  "Binding",  "Browse",  "Buffer",  "Catalog", "Channel",
    "Cluster", "Code",    "Config",  "Console",  "Cursor",  "Daemon",  "Decay",   "Desk",
    "Domain",  "Error",   "Event",   "Filter",   "Format",  "Gateway", "Header",  "Host",
    "Index",   "Journal", "Kernel",  "Keyboard", "Layout",  "Library", "Limit",   "Link",
    "Logon",   "Memory",  "Monitor", "Mount",    "Network", "Option",  "Page",    "Port",
    "Print",   "Queue",   "Remote",  "Retry",    "Route",   "Share",   "Spool",   "Time",
};
#define WORDS (sizeof words / sizeof *words)

uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint32_t below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)(random_next(state) % limit);
}

static const char *word(uint64_t *state)
{
    return words[below(state, WORDS)];
}

/* ---- Memory for names and data, freed as a whole ---- */

#define BLOCK_SIZE ((size_t)1 << 20)

struct data_block {
    struct data_block *next;
    size_t used;
    unsigned char bytes[BLOCK_SIZE];
};

static void *take(struct data_block **blocks, size_t size)
{
    if (size > BLOCK_SIZE) {
        die("a value of %zu bytes does not belong to the data", size);
    }
    if (*blocks == NULL || (*blocks)->used + size > BLOCK_SIZE) {
        struct data_block *block = malloc(sizeof *block);
        if (block == NULL) {
            die("out of memory");
        }
        block->next = *blocks;
        block->used = 0;
        *blocks = block;
    }
    void *at = (*blocks)->bytes + (*blocks)->used;
    (*blocks)->used += size;
    return at;
}

static const char *keep(struct data_block **blocks, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(take(blocks, size), text, size);
}

static void free_blocks(struct data_block *block)
{
    while (block != NULL) {
        struct data_block *next = block->next;
        free(block);
        block = next;
    }
}

/* ---- Values ---- */

/* ASCII as strings are stored: UTF-16LE with a NUL. */
static unsigned char *put_text(uint64_t *random, unsigned char *at, unsigned len)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789 \\.-_%:/&";
    for (unsigned i = 0; i <= len; i++) {
        *at++ = i < len ? (unsigned char)letters[below(random, sizeof letters - 1)] : 0;
        *at++ = 0;
    }
    return at;
}

static void fill_strings(struct data_value *value, uint64_t *random, unsigned char *scratch)
{
    unsigned char *end = scratch;
    unsigned strings = value->type == REG_MULTI_SZ ? 2 + below(random, 5) : 1;
    for (unsigned i = 0; i < strings; i++) {
        unsigned len = value->type == REG_MULTI_SZ ? 8 + below(random, 33)
                       : value->type == REG_SZ     ? 10 + below(random, 111)
                                                   : 10 + below(random, 80);
        end = put_text(random, end, len);
    }
    value->size = (uint32_t)(end - scratch);
}

static void fill_bytes(struct data_value *value, uint64_t *random, unsigned char *scratch)
{
    value->size = value->type == REG_DWORD    ? 4
                  : value->type == REG_QWORD  ? 8
                  : value->type == REG_BINARY ? 16 + below(random, 497)
                                              : 0;
    for (uint32_t i = 0; i < value->size; i++) {
        scratch[i] = (unsigned char)random_next(random);
    }
}

static uint32_t choose_type(uint64_t *random)
{
    static const struct {
        uint32_t until; /* percent */
        uint32_t type;
    } shares[] = {{45, REG_SZ},       {75, REG_DWORD}, {85, REG_BINARY},
                  {90, REG_MULTI_SZ}, {94, REG_QWORD}, {98, REG_EXPAND_SZ}};
    uint32_t percent = below(random, 100);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        if (percent < shares[i].until) {
            return shares[i].type;
        }
    }
    return REG_NONE;
}

static void add_value(struct dataset *data, uint64_t *random, unsigned index)
{
    unsigned char scratch[1024];
    char name[64] = "";
    if (data->value_count == data->value_capacity) {
        data->value_capacity = data->value_capacity * 2 + 1024;
        data->values = realloc(data->values, data->value_capacity * sizeof *data->values);
        if (data->values == NULL) {
            die("out of memory");
        }
    }
    struct data_value *value = &data->values[data->value_count++];
    if (index > 0 || below(random, 10) >= 4) {
        snprintf(name, sizeof name, "%s%s%u", word(random), word(random), index);
    }
    value->name = keep(&data->blocks, name);
    value->type = choose_type(random);
    if (value->type == REG_SZ || value->type == REG_EXPAND_SZ || value->type == REG_MULTI_SZ) {
        fill_strings(value, random, scratch);
    } else {
        fill_bytes(value, random, scratch);
    }
    value->data = memcpy(take(&data->blocks, value->size + 1), scratch, value->size);
}

static uint32_t choose_value_count(uint64_t *random)
{
    uint32_t percent = below(random, 100);
    if (percent < 77) {
        return percent < 10 ? 0 : percent < 35 ? 1 : percent < 50 ? 2 : percent < 66 ? 3 : 4;
    }
    return percent < 92   ? 5 + below(random, 4)
           : percent < 99 ? 9 + below(random, 10)
                          : 21 + below(random, 30);
}

/* ---- Keys ---- */

static void choose_name(uint64_t *random, size_t index, uint32_t depth, char *name, size_t size)
{
    uint32_t kind = depth == 1 ? 100 : below(random, 100);
    if (kind < 28) {
        uint64_t a = random_next(random);
        uint64_t b = random_next(random);
        snprintf(name, size, "{%08X-%04X-%04X-%04X-%012llX}", (unsigned)a,
                 (unsigned)(a >> 32 & 0xffff), (unsigned)(a >> 48), (unsigned)(b & 0xffff),
                 (unsigned long long)(b >> 16));
    } else if (kind < 80) {
        snprintf(name, size, "%s%s%zx", word(random), word(random), index);
    } else if (kind < 90) {
        snprintf(name, size, "%04zu", index);
    } else if (kind < 100) {
        snprintf(name, size, "%s.%s.%zu", word(random), word(random), index);
    } else {
        snprintf(name, size, "%s%zu", word(random), index);
    }
}

/* Each key is in the list once, and once more for each subkey: so who has many gets more. */
struct attachment {
    uint32_t *list;
    size_t count;
};

static uint32_t choose_parent(const struct dataset *data, const struct attachment *attachment,
                              uint64_t *random, size_t index)
{
    if (index <= TOP_KEYS) {
        return 0;
    }
    if (index <= LAST_FIXED) {
        return (uint32_t)(index <= TOP_KEYS + WIDE_KEYS ? index - TOP_KEYS : index - WIDE_KEYS);
    }
    uint32_t percent = below(random, 100);
    if (percent < WIDE_SHARE * WIDE_KEYS) {
        return (uint32_t)(LAST_FIXED - percent / WIDE_SHARE);
    }
    uint32_t parent;
    do {
        parent = attachment->list[random_next(random) % attachment->count];
    } while (data->keys[parent].depth >= DEEPEST);
    return parent;
}

static void attach(struct dataset *data, struct attachment *attachment, uint32_t index)
{
    struct data_key *key = &data->keys[index];
    struct data_key *parent = &data->keys[key->parent];
    if (parent->first_child == 0) {
        parent->first_child = index;
    } else {
        data->keys[parent->last_child].next_sibling = index;
    }
    parent->last_child = index;
    key->depth = parent->depth + 1;
    attachment->list[attachment->count++] = index;
    if (key->parent > LAST_FIXED) {
        attachment->list[attachment->count++] = key->parent;
    }
}

struct dataset *data_make(size_t keys)
{
    uint64_t random = SEED;
    char name[128];
    struct dataset *data = calloc(1, sizeof *data);
    struct attachment attachment = {calloc(keys + 1, 2 * sizeof(uint32_t)), 0};
    if (data == NULL || attachment.list == NULL ||
        (data->keys = calloc(keys + 1, sizeof *data->keys)) == NULL) {
        die("out of memory");
    }
    data->keys[0].name = "";
    for (data->key_count = 1; data->key_count <= keys; data->key_count++) {
        struct data_key *key = &data->keys[data->key_count];
        key->parent = choose_parent(data, &attachment, &random, data->key_count);
        attach(data, &attachment, (uint32_t)data->key_count);
        choose_name(&random, data->key_count, key->depth, name, sizeof name);
        key->name = keep(&data->blocks, name);
        key->first_value = (uint32_t)data->value_count;
        key->values = choose_value_count(&random);
        for (unsigned i = 0; i < key->values; i++) {
            add_value(data, &random, i);
        }
    }
    free(attachment.list);
    return data;
}

void data_free(struct dataset *data)
{
    if (data != NULL) {
        free_blocks(data->blocks);
        free(data->values);
        free(data->keys);
        free(data);
    }
}

uint32_t data_next(const struct dataset *data, uint32_t key)
{
    if (data->keys[key].first_child != 0) {
        return data->keys[key].first_child;
    }
    while (key != 0 && data->keys[key].next_sibling == 0) {
        key = data->keys[key].parent;
    }
    return data->keys[key].next_sibling;
}

/* ---- Probes ---- */

static void describe_probe(const struct dataset *data, struct probes *probes, struct probe *probe)
{
    char path[PROBE_DEPTH * 128] = "";
    const struct data_key *key = &data->keys[probe->key];
    probe->depth = key->depth;
    probe->id = key->id;
    for (unsigned i = key->depth; i-- > 0; key = &data->keys[key->parent]) {
        probe->parts[i] = key->name;
    }
    for (unsigned i = 0; i < probe->depth; i++) {
        strcat(strcat(path, i > 0 ? "\\" : ""), probe->parts[i]);
    }
    probe->path = keep(&probes->blocks, path);
    probe->path_len = strlen(path);
    probe->name_len = strlen(probe->name);
}

static bool is_wanted(const struct data_key *key, unsigned depth)
{
    return depth == 0 ? key->depth > 0 && key->depth <= PROBE_DEPTH : key->depth == depth;
}

/* Every value that may be chosen. */
static struct probe *find_candidates(const struct dataset *data, unsigned depth, size_t *count)
{
    struct probe *all = calloc(data->value_count + 1, sizeof *all);
    if (all == NULL) {
        die("out of memory");
    }
    *count = 0;
    for (uint32_t i = 0; i < data->key_count; i++) {
        const struct data_key *key = &data->keys[i];
        for (uint32_t j = 0; is_wanted(key, depth) && j < key->values; j++) {
            const struct data_value *value = &data->values[key->first_value + j];
            if (value->type == REG_DWORD) {
                struct probe *probe = &all[(*count)++];
                probe->key = i;
                probe->name = value->name;
                memcpy(&probe->number, value->data, sizeof probe->number);
                probe->number = le32toh(probe->number);
            }
        }
    }
    return all;
}

struct probes probes_choose(const struct dataset *data, unsigned depth, size_t count, int distinct)
{
    uint64_t random = SEED + depth;
    size_t found;
    struct probe *all = find_candidates(data, depth, &found);
    if (found == 0) {
        die("%zu keys are too few: no REG_DWORD at depth %u", data->key_count - 1, depth);
    }
    struct probes probes = {.count = distinct && found < count ? found : count};
    probes.list = calloc(probes.count, sizeof *probes.list);
    if (probes.list == NULL) {
        die("out of memory");
    }
    for (size_t i = 0; i < probes.count; i++) {
        size_t from = distinct ? i : 0;
        size_t chosen = from + random_next(&random) % (found - from);
        probes.list[i] = all[chosen];
        all[chosen] = all[from];
        all[from] = probes.list[i];
        describe_probe(data, &probes, &probes.list[i]);
    }
    free(all);
    return probes;
}

void probes_free(struct probes *probes)
{
    free_blocks(probes->blocks);
    free(probes->list);
    *probes = (struct probes){0};
}
