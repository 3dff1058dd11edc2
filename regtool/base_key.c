/* Paths that begin at a key. */
#include "base_key.h"

#include <stdlib.h>
#include <string.h>

#include "keypath.h"

bool base_key_is_whole(const char *word)
{
    size_t root = keypath_root_length(word);

    if (word[0] == '\\') {
        return word[1] == '\\';
    }
    return keypath_is_slashed(word) || (root > 0 && (word[root] == '\\' || word[root] == '\0'));
}

/* Cuts the last name from a path. */
static size_t above(const char *path, size_t len)
{
    while (len > 0 && path[len - 1] != '\\') {
        len--;
    }
    return len > 0 ? len - 1 : 0;
}

static size_t step(char *path, size_t len, const char *name, size_t name_len)
{
    if (name_len == 1 && name[0] == '.') {
        return len;
    }
    if (name_len == 2 && name[0] == '.' && name[1] == '.') {
        return above(path, len);
    }
    if (len > 0) {
        path[len++] = '\\';
    }
    memcpy(path + len, name, name_len);
    return len + name_len;
}

char *base_key_join(const char *base, const char *word)
{
    size_t len = word[0] == '\\' ? 0 : strlen(base);
    char *path;

    if (base_key_is_whole(word)) {
        return strdup(word);
    }
    path = malloc(strlen(base) + strlen(word) + 2);
    if (path == NULL) {
        return NULL;
    }
    memcpy(path, base, len);
    word += word[0] == '\\';
    while (*word != '\0') {
        size_t name = strcspn(word, "\\");
        len = step(path, len, word, name);
        word += name;
        word += *word == '\\';
    }
    path[len] = '\0';
    return path;
}
