/*
 * transfer_import.c - a dump's events become keys and values, merged into the tree.
 *
 * Needs tree and format. The dump is mounted at the key that the caller names, else where the dump
 * itself says that it belongs. What is in the tree and not in the dump stays. A key that the import
 * makes, or finds without content, takes class and write time of the dump; another one keeps its
 * own (its time becomes the present when something in it changes).
 *
 * Links are never followed below the mount point: a dump's key that meets a link is refused, unless
 * it is that link itself, that is, its first value is the link's target. With RS_REPLACE the link
 * gives way to the dump's key; what it points to stays as it is.
 *
 * Hives can hold two keys or values whose names fold alike. The first is taken; the second is told
 * as RS_LOSS_DUPLICATE, a key with all that is in it. A key that was met twice is known from its
 * id: either this import made it, and ids are given in order, or it is in the set of those that
 * were found. What a key that this import made has can only come from the dump, so a value that is
 * there is met twice; of a key that was found, the names that the dump has shown are kept. So
 * memory does not depend on the dump's size: one frame per level, the value names of one key, and
 * eight bytes for each key that was in the store before and is met.
 */
#include "transfer_importer.h"

#include <stdlib.h>
#include <string.h>

/* ---- Losses ---- */

int importer_tell_loss(struct importer *importer, enum rs_loss_kind kind, const char *subkey,
                       size_t subkey_len, const char *value, size_t value_len)
{
    struct buffer name = BUFFER_INIT;
    rs_key base = importer->depth > 0 ? importer->frames[importer->depth - 1].key : importer->mount;
    int status = RS_OK;

    importer->report.losses++;
    if (!importer->options->loss) {
        return RS_OK;
    }
    importer->path.size = 0;
    if (base != RS_NO_KEY) {
        status = tree_path(importer->tree, base, &importer->path);
    }
    if (status == RS_OK && subkey_len > 0 && base != RS_NO_KEY) {
        status = buffer_append_byte(&importer->path, '\\');
    }
    if (status == RS_OK && subkey_len > 0) {
        status = buffer_append(&importer->path, subkey, subkey_len);
    }
    if (status == RS_OK) {
        status = buffer_terminate(&importer->path);
    }
    if (status == RS_OK && value) {
        status = buffer_append(&name, value, value_len);
    }
    if (status == RS_OK && value) {
        status = buffer_terminate(&name);
    }
    if (status == RS_OK) {
        importer->options->loss(importer->options->context, kind, importer->path.data,
                                value ? name.data : NULL);
    }
    buffer_free(&name);
    return status;
}

static int on_loss(struct format_sink *sink, enum rs_loss_kind kind, const char *value,
                   size_t value_len)
{
    struct importer *importer = (struct importer *)sink;

    return importer->left_out > 0 ? RS_OK
                                  : importer_tell_loss(importer, kind, NULL, 0, value, value_len);
}

static void on_foreign(struct format_sink *sink)
{
    ((struct importer *)sink)->report.foreign = 1;
}

/* ---- Keys ---- */

static int refuse_link(struct importer *importer, rs_key key)
{
    struct buffer path = BUFFER_INIT;
    int status = tree_path(importer->tree, key, &path);

    if (status == RS_OK) {
        status = fail(&importer->why, RS_ELINK, "%s is a symbolic link, and the dump's key is none",
                      path.data);
    }
    buffer_free(&path);
    return status;
}

/* The innermost open key is about to get something else than a link's target. */
static int check_no_link(struct importer *importer)
{
    struct frame *frame = importer->depth > 0 ? &importer->frames[importer->depth - 1] : NULL;

    if (!frame || !frame->link) {
        return RS_OK;
    }
    /* The key that all is put in is one that the caller has named. */
    return (importer->options->flags & RS_REPLACE) && importer->depth > 1
               ? importer_replace_link(importer, frame)
               : refuse_link(importer, frame->key);
}

static int push(struct importer *importer, const struct frame *frame)
{
    if (importer->depth == importer->capacity) {
        size_t capacity = importer->capacity ? importer->capacity * 2 : 32;
        struct frame *frames = realloc(importer->frames, capacity * sizeof *frames);
        if (!frames) {
            return RS_ENOMEM;
        }
        importer->frames = frames;
        importer->capacity = capacity;
    }
    importer->frames[importer->depth++] = *frame;
    seen_names_reset(&importer->names);
    return RS_OK;
}

int importer_enter(struct importer *importer, rs_key key, bool created,
                   const struct format_key *told)
{
    struct node node;
    int status = tree_node(importer->tree, key, &node);

    if (status != RS_OK) {
        return status;
    }
    struct frame frame = {
        .key = key,
        .written = told->written,
        .fresh = created || (node.values == 0 && node.subkeys == 0) ||
                 (importer->options->flags & RS_REPLACE),
        .link = !created && (node.flags & RS_KEY_LINK) != 0,
    };
    importer->report.keys_added += created;
    importer->report.keys_found += !created;
    importer->progress.now.keys++;
    if (frame.fresh && told->class_name && (told->class_len > 0 || !created)) {
        status = tree_set_class(importer->tree, key, told->class_name, told->class_len);
    }
    return status == RS_OK ? push(importer, &frame) : status;
}

int importer_view(struct importer *importer, const char **path, size_t *len)
{
    int status;

    if (!(importer->options->flags & RS_VIEW_32)) {
        return RS_OK;
    }
    importer->view.size = 0;
    status = path_to_view32(&importer->view, *path, *len);
    if (status == RS_OK) {
        *path = importer->view.data;
        *len = importer->view.size;
    }
    return status;
}

/* Where the dump goes: the key named, else what its outermost key says. */
static int enter_mount(struct importer *importer, const struct format_key *told)
{
    const char *named = importer->options->key;
    const char *path = named ? named : told->name;
    size_t len = named ? strlen(named) : told->name_len;
    bool created;

    if (importer->mount != RS_NO_KEY) {
        importer->begun = true;
        return importer_enter(importer, importer->mount, importer->mount_created, told);
    }
    importer->no_place = true;
    if (!named && !told->absolute) {
        return fail(&importer->why, RS_EPATH,
                    "this dump does not say where it belongs: name a key");
    }
    int status = importer_view(importer, &path, &len);
    if (status == RS_OK) {
        status = tree_create(importer->tree, RS_NO_KEY, path, len, RS_NOFOLLOW, &importer->mount,
                             &created);
    }
    if (status != RS_OK) {
        return status;
    }
    importer->no_place = false;
    importer->begun = true;
    return importer_enter(importer, importer->mount, created, told);
}

/* Has the dump shown this key before? */
static int was_met(struct importer *importer, rs_key key, bool created, bool *met)
{
    *met = !created && key >= importer->first_new;
    return created || *met ? RS_OK : seen_keys_add(&importer->met, key, met);
}

static int enter_child(struct importer *importer, const struct format_key *told)
{
    rs_key child;
    bool created;
    bool met;
    int status = check_no_link(importer);

    if (status == RS_OK) {
        status = tree_create_child(importer->tree, importer->frames[importer->depth - 1].key,
                                   told->name, told->name_len, 0, &child, &created);
    }
    if (status == RS_OK) {
        status = was_met(importer, child, created, &met);
    }
    if (status != RS_OK) {
        return status;
    }
    if (!met) {
        return importer_enter(importer, child, created, told);
    }
    importer->left_out = 1;
    return importer_tell_loss(importer, RS_LOSS_DUPLICATE, told->name, told->name_len, NULL, 0);
}

/* ---- The events of a key ---- */

static int on_key_begin(struct format_sink *sink, const struct format_key *told)
{
    struct importer *importer = (struct importer *)sink;

    if (importer->left_out > 0) {
        importer->left_out++;
        return RS_OK;
    }
    int status = tree_batch_write(&importer->batch, importer->tree);
    if (status == RS_OK && importer->depth > 0) {
        status = importer_sweep_values(importer, &importer->frames[importer->depth - 1]);
    }
    if (status == RS_OK) {
        status = importer->depth == 0 ? enter_mount(importer, told) : enter_child(importer, told);
    }
    arena_reset(&importer->arena);
    return status;
}

int importer_leave(struct importer *importer)
{
    const struct frame *frame = &importer->frames[--importer->depth];
    int status = RS_OK;

    seen_names_reset(&importer->names);
    if (frame->fresh && frame->written != 0) {
        status = tree_set_written(importer->tree, frame->key, frame->written);
    }
    arena_reset(&importer->arena);
    return status;
}

static int on_key_end(struct format_sink *sink)
{
    struct importer *importer = (struct importer *)sink;

    if (importer->left_out > 0) {
        importer->left_out--;
        return RS_OK;
    }
    int status = check_no_link(importer);
    if (status == RS_OK) {
        status = tree_batch_write(&importer->batch, importer->tree);
    }
    if (status == RS_OK) {
        status = importer_sweep(importer, &importer->frames[importer->depth - 1]);
    }
    return status == RS_OK ? importer_leave(importer) : status;
}

/* ---- Values ---- */

bool importer_is_link_target(const rs_value *value)
{
    return value->type == REG_LINK &&
           text_compare(value->name, value->name_len, TREE_LINK_VALUE, TREE_LINK_VALUE_LEN) == 0;
}

/* What is set under the value's name; *set false if nothing is. */
static int find_set(struct importer *importer, const struct frame *frame, const rs_value *value,
                    rs_value *found, bool *set)
{
    struct tree *tree = importer->tree;

    tree->error = NULL; /* that there is none is no failure */
    int status = tree_value_get(tree, frame->key, value->name, value->name_len, found);
    tree->error = &importer->why;
    *set = status == RS_OK;
    return status == RS_ENOTFOUND ? RS_OK : status;
}

int importer_merge_value(struct importer *importer, const struct frame *frame,
                         const rs_value *value)
{
    rs_value found;
    bool set;
    int status = find_set(importer, frame, value, &found, &set);

    if (status != RS_OK) {
        return status;
    }
    if (set && found.type == value->type && found.size == value->size &&
        memcmp(found.data, value->data, value->size) == 0) {
        importer->report.values_same++;
        return RS_OK;
    }
    if (set && (importer->options->flags & RS_KEEP)) {
        importer->report.values_kept++;
        return RS_OK;
    }
    importer->report.values_added += !set;
    importer->report.values_changed += set;
    return tree_value_set(importer->tree, frame->key, value->name, value->name_len, value->type,
                          value->data, value->size);
}

/* Puts a value into a key; *seen if the dump has shown one of this name. */
static int put_value(struct importer *importer, const struct frame *frame, const rs_value *value,
                     bool *seen)
{
    if (frame->key >= importer->first_new) {
        int status = tree_batch_add(&importer->batch, importer->tree, frame->key, value);
        *seen = status == RS_EEXIST;
        importer->report.values_added += status == RS_OK;
        return *seen ? RS_OK : status;
    }
    int status = seen_names_add(&importer->names, value->name, value->name_len, seen);
    return status == RS_OK && !*seen ? importer_merge_value(importer, frame, value) : status;
}

static int on_value(struct format_sink *sink, const rs_value *value)
{
    struct importer *importer = (struct importer *)sink;
    bool seen = false;

    if (importer->left_out > 0) {
        return RS_OK;
    }
    struct frame *frame = &importer->frames[importer->depth - 1];
    if (importer_is_link_target(value)) {
        frame->link = false;
    }
    int status = check_no_link(importer);
    if (status == RS_OK) {
        status = put_value(importer, frame, value, &seen);
    }
    arena_reset(&importer->arena);
    if (seen) {
        return importer_tell_loss(importer, RS_LOSS_DUPLICATE, NULL, 0, value->name,
                                  value->name_len);
    }
    importer->progress.now.values++;
    return status;
}

/* ---- The whole ---- */

/* Describes a failure: the file's own as it is, another with the place that the reader found. */
static int explain(struct importer *importer, int status, const rs_error *place, rs_error *error)
{
    const char *file = importer->input.input.name;

    if (!error || error->status != RS_OK) {
        return status;
    }
    if (importer->input_error.status != RS_OK) {
        *error = importer->input_error;
    } else if (importer->why.status == RS_OK && place->status != RS_OK) {
        *error = *place;
    } else if (importer->why.status == RS_OK) {
        fail(error, status, "%s: %s", file, rs_strerror(status));
    } else if (importer->no_place || (place->line == 0 && place->offset == 0)) {
        fail(error, status, "%s: %s", file, importer->why.text);
    } else if (place->line == 0) { /* no file of lines */
        fail(error, status, "%s: offset %llu: %s", file, (unsigned long long)place->offset,
             importer->why.text);
        error->offset = place->offset;
    } else if (place->offset == 0) { /* a file of lines only */
        fail(error, status, "%s:%llu: %s", file, (unsigned long long)place->line,
             importer->why.text);
        error->line = place->line;
    } else {
        fail(error, status, "%s:%llu: offset %llu: %s", file, (unsigned long long)place->line,
             (unsigned long long)place->offset, importer->why.text);
        error->line = place->line;
        error->offset = place->offset;
    }
    return status;
}

/* Recognises the file and lets its format read it. */
static int read_dump(struct importer *importer, rs_error *place)
{
    struct selection before = selection_now(importer->tree);
    const struct format *format;
    int status = format_by_content(importer->input.head, importer->input.head_size,
                                   importer->input.input.name, &format, &importer->input_error);

    if (status != RS_OK) {
        return status;
    }
    importer->report.format = format->name;
    if (format->patch) {
        status = importer_take_patch(importer);
    }
    if (status != RS_OK) {
        return status;
    }
    status = format->read(&importer->input.input, &importer->sink, place);
    return status == RS_OK ? selection_link(importer, &before) : status;
}

/* Completes the report, in the memory of the transaction. */
static int finish_report(struct importer *importer, struct arena *arena)
{
    importer->path.size = 0;
    if (importer->mount == RS_NO_KEY) {
        return RS_OK;
    }
    int status = tree_path(importer->tree, importer->mount, &importer->path);

    if (status != RS_OK) {
        return status;
    }
    importer->report.key = arena_copy(arena, importer->path.data, importer->path.size);
    return importer->report.key ? RS_OK : RS_ENOMEM;
}

/* With the tree's memory and errors turned to the import's own, so that the transaction's memory
 * does not grow with the dump. */
static int run(struct importer *importer, rs_error *place)
{
    struct tree *tree = importer->tree;
    struct arena *arena = tree->arena;
    rs_error *error = tree->error;

    tree->arena = &importer->arena;
    tree->error = &importer->why;
    int status = read_dump(importer, place);
    tree->arena = arena;
    tree->error = error;
    return status;
}

static void release(struct importer *importer)
{
    transfer_input_close(&importer->input);
    free(importer->frames);
    buffer_free(&importer->trail.path);
    free(importer->trail.steps);
    seen_keys_free(&importer->met);
    tree_batch_free(&importer->batch);
    seen_names_free(&importer->names);
    seen_names_free(&importer->own);
    arena_free(&importer->arena);
    buffer_free(&importer->path);
    buffer_free(&importer->view);
}

void importer_begin(struct importer *importer, struct tree *tree, const rs_import_options *options)
{
    *importer = (struct importer){
        .sink = {.key_begin = on_key_begin,
                 .value = on_value,
                 .key_end = on_key_end,
                 .loss = on_loss,
                 .foreign = on_foreign},
        .tree = tree,
        .options = options,
        .progress = {.call = options->progress, .context = options->context},
        .input = {.input = {.descriptor = -1}},
        .first_new = tree->state.next_id,
    };
}

int importer_end(struct importer *importer, int status, rs_import_report *report)
{
    struct tree *tree = importer->tree;

    if (status == RS_OK) {
        status = finish_report(importer, tree->arena);
    }
    if (status != RS_OK && tree->failed == RS_OK && importer->begun) {
        tree->failed = status; /* part of the dump is in the tree */
    }
    if (status == RS_OK && report) {
        *report = importer->report;
    }
    release(importer);
    return status;
}

int transfer_import(struct tree *tree, const char *file, const rs_import_options *options,
                    rs_import_report *report, rs_error *error)
{
    static const rs_import_options no_options;
    rs_error place = RS_ERROR_INIT;
    struct importer importer;

    if (!tree->cache) {
        return fail(error, RS_EREADONLY, "cannot import in a read-only transaction");
    }
    importer_begin(&importer, tree, options ? options : &no_options);
    int status = transfer_input_open(&importer.input, file, importer.options->spool,
                                     &importer.progress, &importer.input_error);
    if (status == RS_OK) {
        status = run(&importer, &place);
    }
    status = importer_end(&importer, status, report);
    return status == RS_OK ? RS_OK : explain(&importer, status, &place, error);
}
