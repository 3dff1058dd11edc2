/* spoolss_enum - RpcEnumPrinters, the part of spoolss that lists; see spoolss_enum.h. */
#include "spoolss_enum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_UNITS 260
#define NAME_SIZE (3 * NAME_UNITS + 1)

/* ---- The network's printers ------------------------------------------------------------------ */

/* Those of this computer and those of others, both in the order of their names. */
static const struct announcement **merge(const struct own *own, const struct cache *cache,
                                         size_t *count)
{
    size_t most = own->count + cache->count;
    const struct announcement **all = malloc((most + 1) * sizeof(*all));
    size_t kept = 0;
    size_t i = 0;
    size_t k = 0;
    while (all != NULL && (i < own->count || k < cache->count)) {
        int order = i == own->count     ? 1
                    : k == cache->count ? -1
                                        : rs_name_compare(own->rows[i].name, RS_NTS,
                                                          cache->sorted[k]->says.name, RS_NTS);
        all[kept++] = order <= 0 ? &own->rows[i] : &cache->sorted[k]->says;
        i += order <= 0;
        k += order >= 0;
    }
    *count = kept;
    return all;
}

/* The flag of a listed printer says that it can be asked for by its name. Those of the announcement
 * are no such flags and are not repeated: where 0x18 is announced, 8 is listed. */
static void network_row(const void *context, size_t index, struct listing_row *row)
{
    const struct announcement *const *all = context;
    row->numbers[ROW1_FLAGS] = PRINTER_ENUM_NAME;
    row->texts[ROW1_DESCRIPTION] = all[index]->description;
    row->texts[ROW1_NAME] = all[index]->name;
    row->texts[ROW1_COMMENT] = all[index]->comment;
}

static bool list_network(const struct spoolss *spoolss, struct listing *listing)
{
    size_t count;
    const struct announcement **all = merge(spoolss->own, &spoolss->cache, &count);
    bool made = all != NULL && listing_make(listing, 1, count, network_row, all);
    free(all);
    return made;
}

/* ---- The printers of this computer ----------------------------------------------------------- */

struct local {
    const struct printer **rows;
    size_t count;
    char **names; /* and descriptions, in pairs */
    char *server; /* NULL: names stand alone */
};

static void free_local(struct local *local)
{
    for (size_t i = 0; local->names != NULL && i < 2 * local->count; i++) {
        free(local->names[i]);
    }
    free(local->names);
    free(local->rows);
    free(local->server);
}

static bool name_rows(struct local *local)
{
    const char *server = local->server != NULL ? local->server : "";
    const char *separator = local->server != NULL ? "\\" : "";
    for (size_t i = 0; i < local->count; i++) {
        const char *const *texts = local->rows[i]->texts;
        char **pair = &local->names[2 * i];
        if (asprintf(&pair[0], "%s%s%s", server, separator, texts[PRINTER_NAME]) < 0) {
            pair[0] = NULL;
            return false;
        }
        if (asprintf(&pair[1], "%s,%s,%s", pair[0], texts[PRINTER_DRIVER],
                     texts[PRINTER_LOCATION]) < 0) {
            pair[1] = NULL;
            return false;
        }
    }
    return true;
}

static bool fill_local(struct local *local, const struct spoolss *spoolss, unsigned flags)
{
    const struct printers *printers = spoolss->printers;
    local->rows = malloc((printers->count + 1) * sizeof(local->rows[0]));
    local->names = calloc(printers->count + 1, 2 * sizeof(local->names[0]));
    if (local->rows == NULL || local->names == NULL) {
        return false;
    }
    for (size_t i = 0; i < printers->count; i++) {
        if ((flags & PRINTER_ENUM_SHARED) == 0 || printers->rows[i]->shared) {
            local->rows[local->count++] = printers->rows[i];
        }
    }
    if ((flags & PRINTER_ENUM_NAME) != 0 &&
        asprintf(&local->server, "\\\\%s", spoolss->server) < 0) {
        local->server = NULL;
        return false;
    }
    return name_rows(local);
}

static void local_row1(const struct local *local, size_t index, struct listing_row *row)
{
    row->numbers[ROW1_FLAGS] = PRINTER_ENUM_ICON8;
    row->texts[ROW1_NAME] = local->names[2 * index];
    row->texts[ROW1_DESCRIPTION] = local->names[2 * index + 1];
    row->texts[ROW1_COMMENT] = local->rows[index]->texts[PRINTER_COMMENT];
}

static void local_row2(const struct local *local, size_t index, struct listing_row *row)
{
    const struct printer *printer = local->rows[index];
    static const enum printer_text texts[] = {
        [ROW2_SHARE] = PRINTER_SHARE,          [ROW2_PORT] = PRINTER_PORT,
        [ROW2_DRIVER] = PRINTER_DRIVER,        [ROW2_COMMENT] = PRINTER_COMMENT,
        [ROW2_LOCATION] = PRINTER_LOCATION,    [ROW2_SEPARATOR] = PRINTER_SEPARATOR,
        [ROW2_PROCESSOR] = PRINTER_PROCESSOR,  [ROW2_DATATYPE] = PRINTER_DATATYPE,
        [ROW2_PARAMETERS] = PRINTER_PARAMETERS};
    static const enum printer_number numbers[] = {[ROW2_ATTRIBUTES] = PRINTER_ATTRIBUTES,
                                                  [ROW2_PRIORITY] = PRINTER_PRIORITY,
                                                  [ROW2_DEFAULT_PRIORITY] =
                                                      PRINTER_DEFAULT_PRIORITY,
                                                  [ROW2_START_TIME] = PRINTER_START_TIME,
                                                  [ROW2_UNTIL_TIME] = PRINTER_UNTIL_TIME,
                                                  [ROW2_STATUS] = PRINTER_STATUS};
    for (size_t i = ROW2_SHARE; i <= ROW2_PARAMETERS; i++) {
        row->texts[i] = printer->texts[texts[i]];
    }
    for (size_t i = 0; i <= ROW2_STATUS; i++) {
        row->numbers[i] = printer->numbers[numbers[i]];
    }
    row->texts[ROW2_SERVER] = local->server;
    row->texts[ROW2_NAME] = local->names[2 * index];
}

static void local_row(const void *context, size_t index, struct listing_row *row)
{
    local_row1(context, index, row);
}

static void local_full_row(const void *context, size_t index, struct listing_row *row)
{
    local_row2(context, index, row);
}

static bool list_local(const struct spoolss *spoolss, unsigned flags, unsigned level,
                       struct listing *listing)
{
    struct local local = {0};
    bool made =
        fill_local(&local, spoolss, flags) &&
        listing_make(listing, level, local.count, level == 1 ? local_row : local_full_row, &local);
    free_local(&local);
    return made;
}

/* ---- The print provider ---------------------------------------------------------------------- */

static void provider_row(const void *context, size_t index, struct listing_row *row)
{
    (void)context;
    (void)index;
    row->numbers[ROW1_FLAGS] = PRINTER_ENUM_ICON8 | PRINTER_ENUM_CONTAINER | PRINTER_ENUM_EXPAND;
    row->texts[ROW1_DESCRIPTION] = "regstore";
    row->texts[ROW1_NAME] = "regstore";
    row->texts[ROW1_COMMENT] = "Local printers";
}

/* ---- Which listing --------------------------------------------------------------------------- */

#define LISTS_PROVIDER 0x100u /* beside the flags of callers that matter */
#define LISTS_MASK                                                                                 \
    (PRINTER_ENUM_LOCAL | PRINTER_ENUM_NAME | PRINTER_ENUM_SHARED | PRINTER_ENUM_NETWORK)

/* Calls that are answered by the same listing have the same flags here. */
static unsigned wanted(uint32_t flags, unsigned level, bool named)
{
    if ((flags & (PRINTER_ENUM_NETWORK | PRINTER_ENUM_REMOTE)) != 0) {
        return PRINTER_ENUM_NETWORK;
    }
    if ((flags & PRINTER_ENUM_NAME) != 0 && !named) {
        if (level == 1 && (flags & PRINTER_ENUM_LOCAL) == 0) {
            return LISTS_PROVIDER;
        }
        flags = (flags & ~PRINTER_ENUM_NAME) | PRINTER_ENUM_LOCAL;
    }
    if ((flags & (PRINTER_ENUM_LOCAL | PRINTER_ENUM_NAME)) == 0) {
        return 0;
    }
    return flags & LISTS_MASK;
}

static bool list(const struct spoolss *spoolss, unsigned what, unsigned level,
                 struct listing *listing)
{
    switch (what) {
    case PRINTER_ENUM_NETWORK:
        return list_network(spoolss, listing);
    case LISTS_PROVIDER:
        return listing_make(listing, 1, 1, provider_row, NULL);
    case 0:
        return listing_make(listing, level, 0, provider_row, NULL);
    default:
        return list_local(spoolss, what, level, listing);
    }
}

/* The listing, which spoolss keeps; NULL without memory. */
static const struct listing *find(struct spoolss *spoolss, unsigned what, unsigned level)
{
    bool network = what == PRINTER_ENUM_NETWORK;
    struct spoolss_listing *kept = network ? &spoolss->network : &spoolss->local;
    uint64_t generation = spoolss->generation + (network ? spoolss->cache.generation : 0);
    if (kept->listing.bytes != NULL && kept->flags == what && kept->listing.level == level &&
        kept->generation == generation) {
        return &kept->listing;
    }
    listing_free(&kept->listing);
    if (!list(spoolss, what, level, &kept->listing)) {
        return NULL;
    }
    kept->flags = what;
    kept->generation = generation;
    return &kept->listing;
}

/* ---- The call -------------------------------------------------------------------------------- */

struct question {
    uint32_t flags;
    uint32_t level;
    uint32_t capacity;
    bool has_buffer;
    char name[NAME_SIZE];
};

/* The buffer comes with the question, too, and means nothing. */
static bool pull_question(const struct rpc_call *call, struct question *question)
{
    struct ndr_pull pull = ndr_pull_of(call->arguments, call->size);
    struct ndr_bytes buffer = {0};
    *question = (struct question){.flags = ndr_pull_u32(&pull)};
    if (ndr_pull_pointer(&pull)) {
        struct ndr_text name = ndr_pull_text(&pull, NAME_UNITS);
        pull.failed |= !ndr_text_utf8(name, question->name, NAME_SIZE);
    }
    question->level = ndr_pull_u32(&pull);
    question->has_buffer = ndr_pull_pointer(&pull);
    if (question->has_buffer) {
        buffer = ndr_pull_bytes(&pull, RPC_MOST_ARGUMENTS);
    }
    question->capacity = ndr_pull_u32(&pull);
    return ndr_pull_ok(&pull) && (!question->has_buffer || buffer.size == question->capacity);
}

/* A server's name, with the two backslashes of UNC or without. */
static bool names_server(const char *name)
{
    const char *server = strncmp(name, "\\\\", 2) == 0 ? name + 2 : name;
    return server[0] != '\0' && strpbrk(server, "\\/,") == NULL;
}

static enum spoolss_error judge(const struct question *question)
{
    uint32_t of_network = PRINTER_ENUM_NETWORK | PRINTER_ENUM_REMOTE;
    if ((question->flags & ~PRINTER_ENUM_ALL) != 0 || question->flags == 0) {
        return SPOOLSS_INVALID_FLAGS;
    }
    if (!listing_has_level(question->level) ||
        (question->level != 1 && (question->flags & of_network) != 0)) {
        return SPOOLSS_INVALID_LEVEL;
    }
    if (!question->has_buffer && question->capacity != 0) {
        return SPOOLSS_INVALID_USER_BUFFER;
    }
    if ((question->flags & PRINTER_ENUM_NAME) != 0 && question->name[0] != '\0' &&
        !names_server(question->name)) {
        return SPOOLSS_INVALID_NAME;
    }
    return SPOOLSS_OK;
}

static enum spoolss_error answer_listing(const struct question *question,
                                         const struct listing *listing, struct ndr_push *answer)
{
    bool fits = listing->size <= question->capacity;
    ndr_push_pointer(answer, question->has_buffer);
    if (question->has_buffer) {
        ndr_push_u32(answer, question->capacity);
        uint8_t *buffer = ndr_push_space(answer, question->capacity);
        if (buffer != NULL && fits && listing->size > 0) {
            listing_place(listing, buffer, question->capacity);
        }
        ndr_push_align(answer, 4);
    }
    ndr_push_u32(answer, (uint32_t)listing->size);
    ndr_push_u32(answer, fits ? listing->count : 0);
    return fits ? SPOOLSS_OK : SPOOLSS_INSUFFICIENT_BUFFER;
}

uint32_t spoolss_enum_printers(struct spoolss *spoolss, const struct rpc_call *call,
                               struct ndr_push *answer)
{
    static const struct listing nothing;
    const struct listing *listing = &nothing;
    struct question question;
    if (!pull_question(call, &question)) {
        return RPC_FAULT_BAD_STUB_DATA;
    }
    enum spoolss_error error = judge(&question);
    spoolss_expire(spoolss);
    if (error == SPOOLSS_OK) {
        unsigned what = wanted(question.flags, question.level, question.name[0] != '\0');
        listing = find(spoolss, what, question.level);
    }
    if (listing == NULL) {
        error = SPOOLSS_OUT_OF_MEMORY;
        listing = &nothing;
    }
    enum spoolss_error fits = answer_listing(&question, listing, answer);
    ndr_push_u32(answer, error != SPOOLSS_OK ? error : fits);
    if (spoolss->network.listing.size > SPOOLSS_KEPT_LISTING) {
        listing_free(&spoolss->network.listing);
    }
    return 0;
}
