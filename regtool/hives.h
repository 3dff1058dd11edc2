/*
 * The hives that are loaded: keys whose content came from a hive file by "regtool load", and the
 * file of each. They are values of HKRS\Hives, REG_MULTI_SZ: the name is the key's path, the
 * strings are the file's path and the key's number, because another key may take its place. It
 * needs an open session; what is told of a key that was deleted or renamed since is passed over.
 */
#ifndef REGTOOL_HIVES_H
#define REGTOOL_HIVES_H

#include "json.h"
#include "tool.h"

struct hive {
    const char *path; /* of the key, with the root's long name */
    size_t path_len;
    const char *file;
};

/* Calls each for every loaded hive, in the order in which they were loaded; another answer than 0
 * ends that. Returns a status, or that answer. */
int hives_each(struct session *session, int (*each)(void *context, const struct hive *hive),
               void *context);
/* Finds the loaded hive whose file a file is: by its path, or because it is the same file under
 * another name. *path is the hive's key, the caller's to free; NULL: there is none, as for "-".
 * Returns a status. */
int hives_find_file(struct session *session, const char *file, char **path);
/* Remembers a hive, or forgets the one at a path. */
int hives_add(struct session *session, const char *path, const char *file);
int hives_remove(struct session *session, const char *path);

/* Prints a line, or an object of a list, for every loaded hive. Returns a status. */
int hives_print(struct session *session, const char *indent);
int hives_json(struct session *session, struct json *json, bool lines);
/* How many there are. Returns a status. */
int hives_count(struct session *session, uint64_t *count);

#endif
