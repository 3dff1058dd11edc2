/*
 * format_xml_gpp.c - the grammar of Registry.xml, Group Policy's registry preferences; read only.
 *
 * [MS-GPPREF] 2.2.1.17. A patch whose keys say where they are:
 *
 *     RegistrySettings = (Collection | Registry)*
 *     Collection       = (Collection | Registry | Filters)*
 *     Registry         = Properties, Filters?
 *     Properties       = (Values | SubProp)*
 *     Values           = Value*
 *
 * A collection or an item that was dragged out of the list into a file of its own is read, too.
 * Attributes that only concern the editor or the client's bookkeeping (clsid, uid, image, changed,
 * removePolicy, ...) mean nothing; an element that is not in the grammar ends the work.
 *
 * Filters (2.2.1.22) tell on which machines and for whom an item applies. Nothing here can know, so
 * a filtered item is told as RS_LOSS_TARGETED and left out; only "apply once" is always true of an
 * import. What is disabled is told as RS_LOSS_DISABLED. Filters may stand behind the items that
 * they are about, so items are kept until the outermost collection ends. No recursion: of each open
 * collection only its first item is known, and what is in <Filters> is counted.
 */
#include "format_xml.h"

#include <stdlib.h>
#include <string.h>

#define MOST_COLLECTIONS 64
#define MOST_FILTERS 64              /* nested */
#define MOST_KEPT ((size_t)64 << 20) /* bytes of items */

enum gpp_element {
    GPP_DOCUMENT, /* outside of the outermost element */
    GPP_SETTINGS,
    GPP_COLLECTION,
    GPP_REGISTRY,
    GPP_PROPERTIES,
    GPP_VALUES,
    GPP_VALUE_ELEMENT,
    GPP_SUBPROP,
    GPP_FILTERS,
    GPP_ELEMENTS
};

/* An open collection. */
struct gpp_collection {
    size_t first; /* of its items */
    bool disabled;
    bool targeted;
};

struct xml_gpp {
    enum gpp_element at;
    bool ended;
    bool in_settings;
    bool list_disabled;
    bool in_item; /* what <Filters> are about is the item, else the collection */
    bool item_disabled;
    bool item_targeted;
    struct gpp_collection collections[MOST_COLLECTIONS];
    size_t depth;
    size_t filters; /* open inside of <Filters> */
    struct gpp_draft draft;
    struct gpp_item *items;
    size_t count;
    size_t capacity;
    struct arena arena;
    size_t kept; /* bytes in it */
};

/* ---- Items that wait ---- */

static enum rs_loss_kind reason(bool disabled, bool targeted, enum rs_loss_kind other)
{
    if (disabled) {
        return RS_LOSS_DISABLED;
    }
    return targeted ? RS_LOSS_TARGETED : other;
}

static const char *keep_bytes(struct xml_gpp *gpp, const void *bytes, size_t size, int *status)
{
    const char *copy = arena_copy(&gpp->arena, bytes ? bytes : "", size);

    gpp->kept += size;
    if (!copy) {
        *status = RS_ENOMEM;
    } else if (gpp->kept > MOST_KEPT) {
        *status = RS_ETOOBIG;
    }
    return copy;
}

static int keep_item(struct xml_gpp *gpp)
{
    int status = RS_OK;

    if (gpp->count == gpp->capacity) {
        size_t capacity = gpp->capacity ? gpp->capacity * 2 : 64;
        struct gpp_item *items = realloc(gpp->items, capacity * sizeof *items);
        if (!items) {
            return RS_ENOMEM;
        }
        gpp->items = items;
        gpp->capacity = capacity;
    }
    struct gpp_item *item = &gpp->items[gpp->count];
    *item = gpp->draft.item;
    item->path = keep_bytes(gpp, item->path, item->path_len, &status);
    item->value.name = keep_bytes(gpp, item->value.name, item->value.name_len, &status);
    item->value.data = keep_bytes(gpp, item->value.data, item->value.size, &status);
    item->left_out = reason(gpp->item_disabled, gpp->item_targeted, item->left_out);
    gpp->kept += sizeof *item;
    gpp->count += status == RS_OK;
    return status;
}

/* Tells all that waits, once no open collection can say anything about it. */
static int tell_items(struct xml_reader *reader)
{
    struct xml_gpp *gpp = reader->gpp;
    int status = RS_OK;

    for (size_t i = 0; i < gpp->count && status == RS_OK; i++) {
        status = gpp_item_tell(reader->sink, &gpp->items[i]);
    }
    gpp->count = 0;
    gpp->kept = 0;
    arena_reset(&gpp->arena);
    return status == RS_OK ? RS_OK : xml_fail(reader, status, XML_TAG, "%s", rs_strerror(status));
}

/* ---- Elements ---- */

static bool is_disabled(const struct xml_reader *reader)
{
    return xml_attribute_is(reader, GPP_DISABLED, "1");
}

static int open_collection(struct xml_reader *reader)
{
    struct xml_gpp *gpp = reader->gpp;

    if (gpp->depth == MOST_COLLECTIONS) {
        return xml_fail(reader, RS_EDEPTH, XML_TAG, "collections are nested deeper than %d",
                        MOST_COLLECTIONS);
    }
    gpp->collections[gpp->depth++] =
        (struct gpp_collection){.first = gpp->count, .disabled = is_disabled(reader)};
    return RS_OK;
}

/* What goes for a collection goes for all in it. */
static int close_collection(struct xml_reader *reader)
{
    struct xml_gpp *gpp = reader->gpp;
    const struct gpp_collection *ended = &gpp->collections[--gpp->depth];

    for (size_t i = ended->first; i < gpp->count; i++) {
        struct gpp_item *item = &gpp->items[i];
        if (item->left_out != RS_LOSS_DISABLED) {
            item->left_out = reason(ended->disabled, ended->targeted, item->left_out);
        }
    }
    return gpp->depth == 0 ? tell_items(reader) : RS_OK;
}

static int settings_start(struct xml_reader *reader)
{
    reader->gpp->in_settings = true;
    reader->gpp->list_disabled = is_disabled(reader);
    return RS_OK;
}

static int settings_end(struct xml_reader *reader)
{
    reader->gpp->in_settings = false;
    return RS_OK;
}

static int item_start(struct xml_reader *reader)
{
    struct xml_gpp *gpp = reader->gpp;

    gpp->in_item = true;
    gpp->item_disabled = gpp->list_disabled || is_disabled(reader);
    gpp->item_targeted = false;
    gpp->draft.described = false;
    return RS_OK;
}

static int item_end(struct xml_reader *reader)
{
    struct xml_gpp *gpp = reader->gpp;

    gpp->in_item = false;
    int status = gpp_draft_end(reader, &gpp->draft);
    if (status != RS_OK) {
        return status;
    }
    status = keep_item(gpp);
    if (status == RS_ETOOBIG) {
        return xml_fail(reader, status, XML_HERE, "a collection has more than %zu bytes of items",
                        MOST_KEPT);
    }
    if (status != RS_OK) {
        return xml_fail(reader, status, XML_HERE, "%s", rs_strerror(status));
    }
    return gpp->depth == 0 ? tell_items(reader) : RS_OK;
}

static int properties_start(struct xml_reader *reader)
{
    return gpp_draft_describe(reader, &reader->gpp->draft);
}

static int values_start(struct xml_reader *reader)
{
    struct gpp_draft *draft = &reader->gpp->draft;

    if (draft->listed) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "<Values> twice in <Properties>");
    }
    draft->listed = true;
    draft->data.size = 0; /* the list itself is more exact than what the tag says of it */
    return RS_OK;
}

static int value_end(struct xml_reader *reader)
{
    return gpp_draft_value(reader, &reader->gpp->draft);
}

/* Some bits of a number: no edit here can do that. */
static int subprop_start(struct xml_reader *reader)
{
    struct gpp_item *item = &reader->gpp->draft.item;

    if (item->action != 'D') {
        item->left_out = RS_LOSS_BITS;
    }
    return RS_OK;
}

static int nothing(struct xml_reader *reader)
{
    (void)reader;
    return RS_OK;
}

static const struct element {
    const char *name;
    unsigned parents; /* IN(...) of each */
    int (*start)(struct xml_reader *reader);
    int (*end)(struct xml_reader *reader);
} elements[GPP_ELEMENTS] = {
#define IN(which) (1u << (which))
    [GPP_SETTINGS] = {"RegistrySettings", IN(GPP_DOCUMENT), settings_start, settings_end},
    [GPP_COLLECTION] = {"Collection", IN(GPP_DOCUMENT) | IN(GPP_SETTINGS) | IN(GPP_COLLECTION),
                        open_collection, close_collection},
    [GPP_REGISTRY] = {"Registry", IN(GPP_DOCUMENT) | IN(GPP_SETTINGS) | IN(GPP_COLLECTION),
                      item_start, item_end},
    [GPP_PROPERTIES] = {"Properties", IN(GPP_REGISTRY), properties_start, nothing},
    [GPP_VALUES] = {"Values", IN(GPP_PROPERTIES), values_start, nothing},
    [GPP_VALUE_ELEMENT] = {"Value", IN(GPP_VALUES), nothing, value_end},
    [GPP_SUBPROP] = {"SubProp", IN(GPP_PROPERTIES), subprop_start, nothing},
    [GPP_FILTERS] = {"Filters", IN(GPP_COLLECTION) | IN(GPP_REGISTRY), nothing, nothing},
};

/* A filter; those inside another one say no more than that one does. */
static int filter_start(struct xml_reader *reader, const char *name)
{
    struct xml_gpp *gpp = reader->gpp;

    if (gpp->filters == MOST_FILTERS) {
        return xml_fail(reader, RS_EDEPTH, XML_TAG, "filters are nested deeper than %d",
                        MOST_FILTERS);
    }
    if (gpp->filters++ > 0 || strcmp(name, "FilterRunOnce") == 0) {
        return RS_OK;
    }
    if (gpp->in_item) {
        gpp->item_targeted = true;
    } else {
        gpp->collections[gpp->depth - 1].targeted = true;
    }
    return RS_OK;
}

/* ---- The parser's side ---- */

static unsigned find_attribute(const char *name)
{
    static const char *const names[GPP_ATTRIBUTES] = {
        [GPP_ACTION] = "action",   [GPP_HIVE] = "hive",         [GPP_KEY] = "key",
        [GPP_NAME] = "name",       [GPP_TYPE] = "type",         [GPP_VALUE] = "value",
        [GPP_DEFAULT] = "default", [GPP_BITFIELD] = "bitfield", [GPP_DISABLED] = "disabled",
    };

    for (unsigned i = 0; i < GPP_NONE; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return XML_IGNORED;
}

static int element_start(struct xml_reader *reader, const char *name)
{
    struct xml_gpp *gpp = reader->gpp;
    unsigned which = GPP_SETTINGS;

    if (gpp->at == GPP_FILTERS) {
        return filter_start(reader, name);
    }
    while (which < GPP_ELEMENTS && strcmp(elements[which].name, name) != 0) {
        which++;
    }
    if (which == GPP_ELEMENTS || !(elements[which].parents & IN(gpp->at))) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "<%s> may not stand %s%s%s", name,
                        gpp->at == GPP_DOCUMENT ? "there" : "in <",
                        gpp->at == GPP_DOCUMENT ? "" : elements[gpp->at].name,
                        gpp->at == GPP_DOCUMENT ? "" : ">");
    }
    gpp->at = (enum gpp_element)which;
    reader->text.size = 0;
    return elements[which].start(reader);
}

static int element_text(struct xml_reader *reader, const char *text, size_t len)
{
    const struct xml_gpp *gpp = reader->gpp;
    int status = RS_OK;

    if (gpp->at != GPP_VALUE_ELEMENT) {
        return gpp->at == GPP_FILTERS || xml_is_space(text, len)
                   ? RS_OK
                   : xml_fail(reader, RS_EFORMAT, XML_TEXT, "text where none may be, in <%s>",
                              elements[gpp->at].name);
    }
    if (reader->text.size + len > RS_MAX_DATA / 2 * 5) { /* an escape has five bytes for one unit */
        return xml_fail(reader, RS_ETOOBIG, XML_HERE, "text of <Value> is too long");
    }
    status = buffer_append(&reader->text, text, len);
    return status == RS_OK ? RS_OK : xml_fail(reader, status, XML_HERE, "%s", rs_strerror(status));
}

/* The element around the one that has ended. */
static enum gpp_element around(const struct xml_gpp *gpp)
{
    switch (gpp->at) {
    case GPP_VALUE_ELEMENT:
        return GPP_VALUES;
    case GPP_VALUES:
    case GPP_SUBPROP:
        return GPP_PROPERTIES;
    case GPP_PROPERTIES:
        return GPP_REGISTRY;
    default:
        break;
    }
    if (gpp->in_item) {
        return GPP_REGISTRY;
    }
    if (gpp->depth > 0) {
        return GPP_COLLECTION;
    }
    return gpp->in_settings ? GPP_SETTINGS : GPP_DOCUMENT;
}

static int element_end(struct xml_reader *reader)
{
    struct xml_gpp *gpp = reader->gpp;

    if (gpp->at == GPP_FILTERS && gpp->filters > 0) {
        gpp->filters--;
        return RS_OK;
    }
    int status = elements[gpp->at].end(reader);
    gpp->at = around(gpp);
    gpp->ended = gpp->at == GPP_DOCUMENT;
    return status;
}

static bool is_whole(const struct xml_reader *reader)
{
    return reader->gpp->ended;
}

static const struct xml_grammar grammar = {
    .what = "preference files",
    .attribute = find_attribute,
    .start = element_start,
    .text = element_text,
    .end = element_end,
    .is_whole = is_whole,
};

/* ---- The format ---- */

int xml_read_gpp_chunked(struct format_input *input, struct format_sink *sink, size_t chunk,
                         rs_error *error)
{
    struct xml_gpp gpp = {.at = GPP_DOCUMENT};
    struct xml_reader reader = {
        .grammar = &grammar, .gpp = &gpp, .input = input, .sink = sink, .error = error};
    int status = xml_read_with(&reader, chunk);

    gpp_draft_free(&gpp.draft);
    free(gpp.items);
    arena_free(&gpp.arena);
    return status;
}

static int read_preferences(struct format_input *input, struct format_sink *sink, rs_error *error)
{
    return xml_read_gpp_chunked(input, sink, XML_CHUNK, error);
}

const struct format format_gpp = {
    .name = "gpp",
    .patch = true,
    .read = read_preferences,
};
