/*
 * transfer_export.c - a key and everything below it become a dump's events.
 *
 * Needs tree and format. Volatile keys are left out. Links are written as links: their target is
 * one of their values, and the walk goes by key ids, which do not follow. The walk keeps a list of
 * subkeys per level, in memory of its own.
 */
#include "transfer.h"

#include <stdlib.h>
#include <string.h>

struct exporter {
    struct tree *tree;
    struct format_sink *sink;
    struct transfer_progress progress;
    struct transfer_output output;
    rs_error *error;
    struct tree_list *levels; /* the subkeys of each open key */
    size_t depth;
    size_t capacity;
    struct tree_list values;
};

/* ---- The walk ---- */

static int put_values(struct exporter *exporter, rs_key key)
{
    rs_value value;
    int status = tree_list_values(&exporter->values, exporter->tree, key);

    while (status == RS_OK) {
        status = tree_list_next_value(&exporter->values, &value);
        if (status == RS_OK) {
            exporter->progress.now.values++;
            status = exporter->sink->value(exporter->sink, &value);
        }
    }
    return status == RS_END ? RS_OK : status;
}

/* Room for one more level. */
static int reserve_level(struct exporter *exporter)
{
    if (exporter->depth < exporter->capacity) {
        return RS_OK;
    }
    size_t capacity = exporter->capacity ? exporter->capacity * 2 : 16;
    struct tree_list *levels = realloc(exporter->levels, capacity * sizeof *levels);
    if (!levels) {
        return RS_ENOMEM;
    }
    memset(levels + exporter->capacity, 0, (capacity - exporter->capacity) * sizeof *levels);
    exporter->levels = levels;
    exporter->capacity = capacity;
    return RS_OK;
}

/* Writes a key's beginning and values and opens its list of subkeys. path: of the outermost key,
 * else NULL. */
static int enter(struct exporter *exporter, const struct node *node, const struct buffer *path)
{
    struct format_key key = {
        .name = path ? path->data : node->name,
        .name_len = path ? path->size : node->name_len,
        .absolute = path != NULL,
        .root = path != NULL,
        .class_name = node->class_name,
        .class_len = node->class_len,
        .written = node->written,
        .flags = node->flags,
    };
    rs_key id = node->id;
    int status = exporter->sink->key_begin(exporter->sink, &key);

    exporter->progress.now.keys++;
    if (status == RS_OK) {
        status = put_values(exporter, id);
    }
    if (status == RS_OK) {
        status = reserve_level(exporter);
    }
    if (status == RS_OK) {
        status = tree_list_subkeys(&exporter->levels[exporter->depth], exporter->tree, id);
    }
    if (status == RS_OK) {
        exporter->depth++;
    }
    return status;
}

static int walk(struct exporter *exporter)
{
    int status = RS_OK;

    while (status == RS_OK && exporter->depth > 0) {
        struct node node;
        status = tree_list_next_key(&exporter->levels[exporter->depth - 1], &node);
        if (status == RS_END) {
            status = exporter->sink->key_end(exporter->sink);
            exporter->depth--;
        } else if (status == RS_OK && !(node.flags & RS_KEY_VOLATILE)) {
            status = enter(exporter, &node, NULL);
        }
    }
    return status;
}

/* ---- The whole ---- */

static int find_format(const char *file, const rs_export_options *options,
                       const struct format **format, rs_error *error)
{
    rs_error ignored = RS_ERROR_INIT;
    int status = RS_ENOFORMAT;

    if (options->format) {
        return format_by_name(options->format, format, error);
    }
    if (strcmp(file, "-") != 0) {
        status = format_by_suffix(file, format, &ignored);
    }
    if (status == RS_ENOFORMAT) {
        return format_by_name("xml", format, error);
    }
    return status == RS_OK ? RS_OK : fail(error, status, "%s", ignored.text);
}

static int write_dump(struct exporter *exporter, const struct format *format,
                      const struct node *node, const struct buffer *path)
{
    int status = format->write_begin(&exporter->output.output, &exporter->sink);

    if (status != RS_OK) {
        return status;
    }
    status = enter(exporter, node, path);
    if (status == RS_OK) {
        status = walk(exporter);
    }
    int ended = format->write_end(exporter->sink, status == RS_OK);
    return status == RS_OK ? ended : status;
}

/* The key, views and links followed, its record and its path. */
static int find_key(struct tree *tree, rs_key key, struct node *node, struct buffer *path)
{
    rs_key found = key;
    int status = tree_open(tree, key, "", 0, RS_NOFOLLOW, &found);

    if (status == RS_OK) {
        status = tree_path(tree, found, path);
    }
    return status == RS_OK ? tree_node(tree, found, node) : status;
}

static int run(struct exporter *exporter, const char *file, const rs_export_options *options,
               const struct format *format, rs_key key)
{
    struct buffer path = BUFFER_INIT;
    struct node node;
    int status = find_key(exporter->tree, key, &node, &path);

    if (status == RS_OK && (node.flags & RS_KEY_VOLATILE)) {
        status = fail(exporter->error, RS_EINVAL, "%s is volatile: never exported", path.data);
    }
    if (status == RS_OK && env_has_file(exporter->tree->txn->env, file)) {
        status = fail(exporter->error, RS_EINVAL, "%s: a file of the store itself", file);
    }
    if (status == RS_OK) {
        status = transfer_output_open(&exporter->output, file, (options->flags & RS_OVERWRITE) != 0,
                                      &exporter->progress, exporter->error);
    }
    if (status == RS_OK) {
        status = write_dump(exporter, format, &node, &path);
        int closed = transfer_output_close(&exporter->output, status == RS_OK);
        status = status == RS_OK ? closed : status;
    }
    buffer_free(&path);
    return status;
}

int transfer_export(struct tree *tree, rs_key key, const char *file,
                    const rs_export_options *options, rs_error *error)
{
    static const rs_export_options no_options;
    const rs_export_options *asked = options ? options : &no_options;
    rs_error why = RS_ERROR_INIT;
    rs_error *before = tree->error;
    struct exporter exporter = {
        .tree = tree,
        .progress = {.call = asked->progress, .context = asked->context},
        .error = &why,
    };
    const struct format *format;
    int status = find_format(file, asked, &format, &why);

    tree->error = &why;
    if (status == RS_OK && !format->write_begin) {
        status = fail(&why, RS_ENOFORMAT, "the format %s cannot be written", format->name);
    }
    if (status == RS_OK) {
        status = run(&exporter, file, asked, format, key);
    }
    tree->error = before;
    if (status != RS_OK) {
        fail(error, status, "%s", why.status != RS_OK ? why.text : rs_strerror(status));
    }
    for (size_t i = 0; i < exporter.capacity; i++) {
        tree_list_free(&exporter.levels[i]);
    }
    free(exporter.levels);
    tree_list_free(&exporter.values);
    return status;
}
