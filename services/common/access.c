/* access - what a client without a name and password may reach; see access.h. */
#include "access.h"

#include <regstore.h>

#include <string.h>

/* A piece of a text. */
struct span {
    const char *text;
    size_t size;
};

static struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

static bool same(struct span a, struct span b)
{
    return rs_name_compare(a.text, a.size, b.text, b.size) == 0;
}

static bool begins_with(struct span span, const char *start)
{
    size_t size = strlen(start);
    return span.size >= size && same((struct span){span.text, size}, (struct span){start, size});
}

static struct span without(struct span span, size_t size)
{
    return (struct span){span.text + size, span.size - size};
}

static bool is_own_name(const char *const *names, struct span server)
{
    for (; *names != NULL; names++) {
        if (same(span_of(*names), server)) {
            return true;
        }
    }
    return false;
}

/* Takes the server from the front of a UNC name. Gives false if it is another one. */
static bool take_server(const char *const *names, struct span *entry)
{
    if (!begins_with(*entry, "\\\\")) {
        return true;
    }
    struct span rest = without(*entry, 2);
    const char *end = memchr(rest.text, '\\', rest.size);
    if (end == NULL) {
        return false;
    }
    size_t size = (size_t)(end - rest.text);
    *entry = without(rest, size);
    return is_own_name(names, (struct span){rest.text, size});
}

/* The entry without what surrounds the name that it opens; false if it opens nothing here. */
static bool take_entry(const char *text, const char *const *names, struct span *entry, bool *whole)
{
    *entry = span_of(text);
    *whole = begins_with(*entry, "\\\\");
    if (!take_server(names, entry)) {
        return false;
    }
    if (entry->size > 0 && entry->text[entry->size - 1] == '\\') {
        entry->size--;
    }
    return entry->size > 0;
}

static bool entry_opens_share(const char *text, const char *const *names, struct span share)
{
    struct span entry;
    bool whole;
    if (!take_entry(text, names, &entry, &whole)) {
        return false;
    }
    return same(whole ? without(entry, 1) : entry, share);
}

static bool entry_opens_pipe(const char *text, const char *const *names, struct span pipe)
{
    struct span entry;
    bool whole;
    if (!take_entry(text, names, &entry, &whole)) {
        return false;
    }
    if (begins_with(entry, "\\PIPE\\")) {
        return same(without(entry, strlen("\\PIPE\\")), pipe);
    }
    return !whole && same(entry, pipe);
}

bool access_share(const struct null_sessions *allowed, const char *const *names, const char *share)
{
    struct span wanted = span_of(share);
    if (wanted.size == 0 || strchr(share, '\\') != NULL) {
        return false;
    }
    bool open = !allowed->restricted;
    for (size_t i = 0; !open && allowed->entries[i] != NULL; i++) {
        open = entry_opens_share(allowed->entries[i], names, wanted);
    }
    return open;
}

bool access_pipe(const struct null_sessions *allowed, const char *const *names, const char *pipe)
{
    struct span wanted = span_of(pipe);
    if (begins_with(wanted, "\\PIPE\\")) {
        wanted = without(wanted, strlen("\\PIPE\\"));
    }
    if (wanted.size == 0 || wanted.text[0] == '\\') {
        return false;
    }
    bool open = !allowed->restricted;
    for (size_t i = 0; !open && allowed->entries[i] != NULL; i++) {
        open = entry_opens_pipe(allowed->entries[i], names, wanted);
    }
    return open;
}
