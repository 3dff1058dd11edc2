/*
 * recorder.c - see recorder.h.
 */
#include "recorder.h"
#include "../regstore/format_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct format format_regf;

/* ---- The sink ---- */

static void put_name(struct buffer *lines, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c > ' ' && c < 0x7f && c != '%') {
            buffer_append_byte(lines, c);
        } else {
            buffer_printf(lines, "%%%02X", c);
        }
    }
}

static int put_key(struct buffer *lines, const char *what, const struct format_key *key)
{
    buffer_append_text(lines, what);
    put_name(lines, key->name, key->name_len);
    if (key->root) {
        buffer_append_text(lines, " root");
    }
    if (key->only_if_there) {
        buffer_append_text(lines, " if-there");
    }
    if (key->absolute) {
        buffer_append_text(lines, " absolute");
    }
    if (key->class_name && key->class_len > 0) {
        buffer_append_text(lines, " class=");
        put_name(lines, key->class_name, key->class_len);
    }
    if (key->written) {
        buffer_printf(lines, " written=%llu", (unsigned long long)key->written);
    }
    return buffer_append_text(lines, "\n");
}

static int record_key(struct format_sink *sink, const struct format_key *key)
{
    return put_key(&((struct recorder *)sink)->lines, "key ", key);
}

static int record_key_delete(struct format_sink *sink, const struct format_key *key)
{
    return put_key(&((struct recorder *)sink)->lines, "delete-key ", key);
}

static void put_data(struct buffer *lines, const unsigned char *data, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325u;

    if (size > 64) {
        for (size_t i = 0; i < size; i++) {
            hash = (hash ^ data[i]) * 0x100000001b3u;
        }
        buffer_printf(lines, "#%016llx", (unsigned long long)hash);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        buffer_printf(lines, "%02x", data[i]);
    }
}

static int put_value(struct recorder *recorder, const char *what, const rs_value *value)
{
    if (recorder->refuse != RS_OK) {
        return recorder->refuse;
    }
    buffer_append_text(&recorder->lines, what);
    put_name(&recorder->lines, value->name, value->name_len);
    buffer_printf(&recorder->lines, " type=%lu size=%zu ", (unsigned long)value->type, value->size);
    put_data(&recorder->lines, value->data, value->size);
    return buffer_append_text(&recorder->lines, "\n");
}

static int record_value(struct format_sink *sink, const rs_value *value)
{
    return put_value((struct recorder *)sink, "value ", value);
}

static int record_value_add(struct format_sink *sink, const rs_value *value)
{
    return put_value((struct recorder *)sink, "add-value ", value);
}

static int record_value_delete(struct format_sink *sink, const char *name, size_t len)
{
    struct buffer *lines = &((struct recorder *)sink)->lines;

    buffer_append_text(lines, "delete-value ");
    put_name(lines, name, len);
    return buffer_append_text(lines, "\n");
}

static int record_values_delete(struct format_sink *sink)
{
    return buffer_append_text(&((struct recorder *)sink)->lines, "delete-values\n");
}

static int record_subkeys_delete(struct format_sink *sink)
{
    return buffer_append_text(&((struct recorder *)sink)->lines, "delete-subkeys\n");
}

static int record_end(struct format_sink *sink)
{
    return buffer_append_text(&((struct recorder *)sink)->lines, "end\n");
}

static int record_loss(struct format_sink *sink, enum rs_loss_kind kind, const char *value,
                       size_t value_len)
{
    struct buffer *lines = &((struct recorder *)sink)->lines;

    buffer_printf(lines, "loss %d%s", (int)kind, value ? " " : "");
    put_name(lines, value, value_len);
    return buffer_append_text(lines, "\n");
}

static int record_left_out(struct format_sink *sink, enum rs_loss_kind kind,
                           const struct format_key *key, const char *value, size_t value_len)
{
    struct buffer *lines = &((struct recorder *)sink)->lines;

    buffer_printf(lines, "left-out %d ", (int)kind);
    put_name(lines, key->name, key->name_len);
    if (value) {
        buffer_append_text(lines, " value ");
        put_name(lines, value, value_len);
    }
    return buffer_append_text(lines, "\n");
}

static void record_foreign(struct format_sink *sink)
{
    buffer_append_text(&((struct recorder *)sink)->lines, "foreign\n");
}

void recorder_begin(struct recorder *recorder)
{
    *recorder = (struct recorder){.sink = {.key_begin = record_key,
                                           .value = record_value,
                                           .key_end = record_end,
                                           .value_add = record_value_add,
                                           .value_delete = record_value_delete,
                                           .values_delete = record_values_delete,
                                           .subkeys_delete = record_subkeys_delete,
                                           .key_delete = record_key_delete,
                                           .left_out = record_left_out,
                                           .loss = record_loss,
                                           .foreign = record_foreign}};
}

void recorder_free(struct recorder *recorder)
{
    buffer_free(&recorder->lines);
}

/* ---- Dumps in memory and in files ---- */

struct memory_input {
    struct format_input input; /* the first member */
    const char *at;
    size_t rest;
    size_t step;
};

static int read_step(struct format_input *base, void *buffer, size_t size, size_t *got)
{
    struct memory_input *input = (struct memory_input *)base;
    size_t most = size < input->step ? size : input->step;

    *got = most < input->rest ? most : input->rest;
    memcpy(buffer, input->at, *got);
    input->at += *got;
    input->rest -= *got;
    return RS_OK;
}

int read_memory(const void *dump, size_t size, size_t chunk, size_t step, struct format_sink *sink,
                rs_error *error)
{
    struct memory_input input = {{read_step, "dump.xml", -1}, dump, size, step};

    return xml_read_chunked(&input.input, sink, chunk, error);
}

int read_gpp_memory(const void *file, size_t size, size_t chunk, size_t step,
                    struct format_sink *sink, rs_error *error)
{
    struct memory_input input = {{read_step, "Registry.xml", -1}, file, size, step};

    return xml_read_gpp_chunked(&input.input, sink, chunk, error);
}

int read_memory_as(const struct format *format, const void *dump, size_t size, size_t step,
                   struct format_sink *sink, rs_error *error)
{
    struct memory_input input = {{read_step, "dump", -1}, dump, size, step};

    return format->read(&input.input, sink, error);
}

struct file_input {
    struct format_input input; /* the first member */
    FILE *file;
};

static int read_from_file(struct format_input *base, void *buffer, size_t size, size_t *got)
{
    struct file_input *input = (struct file_input *)base;

    *got = fread(buffer, 1, size, input->file);
    return ferror(input->file) ? RS_EIO : RS_OK;
}

int read_file(const char *path, struct format_sink *sink, rs_error *error)
{
    struct file_input input = {{read_from_file, path, -1}, fopen(path, "rb")};

    if (!input.file) {
        return fail_errno(error, "cannot open %s", path);
    }
    int status = format_xml.read(&input.input, sink, error);
    fclose(input.file);
    return status;
}

char *events_of(const void *dump, size_t size, rs_error *error)
{
    struct recorder recorder;

    recorder_begin(&recorder);
    if (read_memory(dump, size, XML_CHUNK, size ? size : 1, &recorder.sink, error) != RS_OK) {
        recorder.lines.size = 0;
    }
    buffer_append(&recorder.lines, "", 1);
    return recorder.lines.data;
}

char *events_as(const struct format *format, const void *dump, size_t size, rs_error *error)
{
    struct recorder recorder;

    recorder_begin(&recorder);
    if (read_memory_as(format, dump, size, size ? size : 1, &recorder.sink, error) != RS_OK) {
        recorder.lines.size = 0;
    }
    buffer_append(&recorder.lines, "", 1);
    return recorder.lines.data;
}

static int keep_bytes(struct format_output *base, const void *data, size_t size)
{
    return buffer_append(&((struct memory_output *)base)->bytes, data, size);
}

void memory_output_begin(struct memory_output *output)
{
    *output = (struct memory_output){.output = {.write = keep_bytes}};
}

static int write_hive(struct format_output *output, const rs_value *value)
{
    struct format_key key = {
        .name = "top", .name_len = 3, .class_name = "", .root = true, .written = 129u << 24};
    struct format_sink *sink;
    int status = format_regf.write_begin(output, &sink);

    if (status != RS_OK) {
        return status;
    }
    status = sink->key_begin(sink, &key);
    if (status == RS_OK) {
        status = sink->value(sink, value);
    }
    if (status == RS_OK) {
        status = sink->key_end(sink);
    }
    int ended = format_regf.write_end(sink, status == RS_OK);
    return status == RS_OK ? ended : status;
}

struct buffer hive_of(char letter, size_t size)
{
    struct memory_output output;
    struct buffer data = BUFFER_INIT;

    memory_output_begin(&output);
    int status = buffer_reserve(&data, size);
    if (status == RS_OK) {
        memset(data.data, letter, size);
        rs_value value = {"v", 1, REG_BINARY, data.data, size};
        status = write_hive(&output.output, &value);
    }
    buffer_free(&data);
    if (status != RS_OK) {
        buffer_free(&output.bytes);
    }
    return output.bytes;
}
