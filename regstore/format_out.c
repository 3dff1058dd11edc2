/* format_out.c - see format_out.h. */
#include "format_out.h"

#include <string.h>

void format_out_keep(struct format_out *out, int status)
{
    if (out->status == RS_OK) {
        out->status = status;
    }
}

void format_out_bytes(struct format_out *out, const void *data, size_t size)
{
    if (out->status == RS_OK) {
        out->status = buffer_append(&out->bytes, data, size);
    }
}

void format_out_put(struct format_out *out, const char *text)
{
    format_out_bytes(out, text, strlen(text));
}

void format_out_flush_as(struct format_out *out, const struct buffer *encoded)
{
    if (out->status == RS_OK && encoded->size > 0) {
        out->status = out->output->write(out->output, encoded->data, encoded->size);
    }
    out->bytes.size = 0;
}

void format_out_flush(struct format_out *out)
{
    format_out_flush_as(out, &out->bytes);
}
