/*
 * transfer_export.c - a key and everything below it, or what makes one key into another, become a
 * file.
 *
 * Needs tree and format. The walk and the comparison give the events, a format's writer the bytes,
 * transfer_file.c the file.
 */
#include "transfer.h"

#include <stddef.h>
#include <string.h>

struct exporter {
    const struct format *format;
    const rs_export_options *options;
    struct transfer_progress progress;
    struct transfer_output output;
    rs_error why;
};

/* What tells the events. */
struct source {
    int (*tell)(struct source *source, struct format_sink *sink,
                struct transfer_progress *progress);
};

/* ---- What the file does not hold ---- */

/* In texts that end with a NUL; what there is no memory for is not told. */
static void on_loss(struct format_output *output, enum rs_loss_kind kind, const char *path,
                    size_t path_len, const char *value, size_t value_len)
{
    struct exporter *exporter =
        (struct exporter *)((char *)output - offsetof(struct exporter, output.output));
    struct buffer text = BUFFER_INIT;

    if (!exporter->options->loss) {
        return;
    }
    int status = buffer_append(&text, path, path_len);
    if (status == RS_OK) {
        status = buffer_append_byte(&text, '\0');
    }
    if (status == RS_OK && value) {
        status = buffer_append(&text, value, value_len);
    }
    if (status == RS_OK) {
        status = buffer_terminate(&text);
    }
    if (status == RS_OK) {
        exporter->options->loss(exporter->options->context, kind, text.data,
                                value ? text.data + path_len + 1 : NULL);
    }
    buffer_free(&text);
}

/* ---- The file ---- */

static int find_format(struct exporter *exporter, const char *file, const char *usual)
{
    rs_error ignored = RS_ERROR_INIT;
    int status = RS_ENOFORMAT;

    if (exporter->options->format) {
        return format_by_name(exporter->options->format, &exporter->format, &exporter->why);
    }
    if (strcmp(file, "-") != 0) {
        status = format_by_suffix(file, &exporter->format, &ignored);
    }
    if (status == RS_ENOFORMAT) {
        return format_by_name(usual, &exporter->format, &exporter->why);
    }
    return status == RS_OK ? RS_OK : fail(&exporter->why, status, "%s", ignored.text);
}

static int begin(struct exporter *exporter, const char *file, const char *usual)
{
    int status = find_format(exporter, file, usual);

    if (status == RS_OK && !exporter->format->write_begin) {
        status = fail(&exporter->why, RS_ENOFORMAT, "the format %s cannot be written",
                      exporter->format->name);
    }
    return status;
}

static bool holds_patches(const struct format_sink *sink)
{
    return sink->value_delete && sink->key_delete;
}

static int write_events(struct exporter *exporter, struct source *source, bool patch)
{
    struct format_sink *sink;

    exporter->output.output.loss = on_loss;
    exporter->output.output.exact = patch;
    int status = exporter->format->write_begin(&exporter->output.output, &sink);

    if (status != RS_OK) {
        return status;
    }
    if (patch && !holds_patches(sink)) {
        status = fail(&exporter->why, RS_ENOFORMAT, "the format %s cannot hold a patch",
                      exporter->format->name);
    } else {
        status = source->tell(source, sink, &exporter->progress);
    }
    int ended = exporter->format->write_end(sink, status == RS_OK);
    return status == RS_OK ? ended : status;
}

static int write_file(struct exporter *exporter, const char *file, struct source *source,
                      bool patch)
{
    int status = transfer_output_open(&exporter->output, file,
                                      (exporter->options->flags & RS_OVERWRITE) != 0,
                                      &exporter->progress, &exporter->why);

    if (status == RS_OK) {
        status = write_events(exporter, source, patch);
        int closed = transfer_output_close(&exporter->output, status == RS_OK);
        status = status == RS_OK ? closed : status;
    }
    return status;
}

static int refuse_own_file(struct exporter *exporter, const struct tree *tree, const char *file)
{
    return env_has_file(tree->txn->env, file)
               ? fail(&exporter->why, RS_EINVAL, "%s: a file of the store itself", file)
               : RS_OK;
}

static int explain(const struct exporter *exporter, int status, rs_error *error)
{
    if (status == RS_OK) {
        return RS_OK;
    }
    return fail(error, status, "%s",
                exporter->why.status != RS_OK ? exporter->why.text : rs_strerror(status));
}

static struct exporter new_exporter(const rs_export_options *options)
{
    static const rs_export_options no_options;
    const rs_export_options *asked = options ? options : &no_options;

    return (struct exporter){
        .options = asked,
        .progress = {.call = asked->progress, .context = asked->context},
        .why = RS_ERROR_INIT,
    };
}

/* ---- A key ---- */

struct listing {
    struct source source; /* the first member */
    struct tree *tree;
    struct node node;
    struct buffer path;
};

static int tell_listing(struct source *source, struct format_sink *sink,
                        struct transfer_progress *progress)
{
    struct listing *listing = (struct listing *)source;

    return transfer_walk(listing->tree, &listing->node, &listing->path, true, sink, progress);
}

/* The key, views and links followed, its record and its path. */
static int find_key(struct listing *listing, rs_key key)
{
    rs_key found = key;
    int status = tree_open(listing->tree, key, "", 0, RS_NOFOLLOW, &found);

    if (status == RS_OK) {
        status = tree_path(listing->tree, found, &listing->path);
    }
    return status == RS_OK ? tree_node(listing->tree, found, &listing->node) : status;
}

/* In a patch the key may be called by another path than its own, as a view is. */
static int name_key(const struct exporter *exporter, struct buffer *path)
{
    const rs_export_options *options = exporter->options;

    if (!exporter->format->patch || !options->name) {
        return RS_OK;
    }
    path->size = 0;
    return buffer_append(path, options->name, text_length(options->name, options->name_len));
}

static int export_key(struct exporter *exporter, struct listing *listing, rs_key key,
                      const char *file)
{
    int status = begin(exporter, file, strcmp(file, "-") == 0 ? "xml" : "reg");

    if (status == RS_OK) {
        status = find_key(listing, key);
    }
    if (status == RS_OK && (listing->node.flags & RS_KEY_VOLATILE)) {
        status =
            fail(&exporter->why, RS_EINVAL, "%s is volatile: never exported", listing->path.data);
    }
    if (status == RS_OK) {
        status = refuse_own_file(exporter, listing->tree, file);
    }
    if (status == RS_OK) {
        status = name_key(exporter, &listing->path);
    }
    return status == RS_OK ? write_file(exporter, file, &listing->source, false) : status;
}

int transfer_export(struct tree *tree, rs_key key, const char *file,
                    const rs_export_options *options, rs_error *error)
{
    struct exporter exporter = new_exporter(options);
    struct listing listing = {.source = {tell_listing}, .tree = tree};
    rs_error *before = tree->error;

    tree->error = &exporter.why;
    int status = export_key(&exporter, &listing, key, file);
    tree->error = before;
    buffer_free(&listing.path);
    return explain(&exporter, status, error);
}

/* ---- What makes one key into another ---- */

struct edits {
    struct source source; /* the first member */
    const struct transfer_pair *pair;
    struct format_output *output;
};

static int tell_edits(struct source *source, struct format_sink *sink,
                      struct transfer_progress *progress)
{
    struct edits *edits = (struct edits *)source;

    return transfer_tell_patch(edits->pair, sink, edits->output, progress);
}

static int export_edits(struct exporter *exporter, struct edits *edits, const char *file)
{
    int status = begin(exporter, file, "reg");

    if (status == RS_OK) {
        status = refuse_own_file(exporter, edits->pair->left, file);
    }
    if (status == RS_OK) {
        status = refuse_own_file(exporter, edits->pair->right, file);
    }
    return status == RS_OK ? write_file(exporter, file, &edits->source, true) : status;
}

int transfer_export_patch(const struct transfer_pair *pair, const char *file,
                          const rs_export_options *options, rs_error *error)
{
    struct exporter exporter = new_exporter(options);
    struct edits edits = {.source = {tell_edits}, .pair = pair, .output = &exporter.output.output};
    rs_error *before[2] = {pair->left->error, pair->right->error};

    pair->left->error = &exporter.why;
    pair->right->error = &exporter.why;
    int status = export_edits(&exporter, &edits, file);
    pair->left->error = before[0];
    pair->right->error = before[1];
    return explain(&exporter, status, error);
}
