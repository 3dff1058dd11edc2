/*
 * swap_directory.c - preloaded: whoever owns the directory around is quicker. As soon as a
 * directory with the name in SWAP_NAME is made, a symbolic link to the path in SWAP_TARGET takes
 * its place.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#pragma GCC visibility push(default)
int mkdir(const char *path, mode_t mode);
#pragma GCC visibility pop

typedef int maker(const char *path, mode_t mode);

int mkdir(const char *path, mode_t mode)
{
    /* A pointer to a function comes as one to data; POSIX says that this is how to get it. */
    union {
        void *data;
        maker *function;
    } found = {dlsym(RTLD_NEXT, "mkdir")};
    const char *name = getenv("SWAP_NAME");
    const char *target = getenv("SWAP_TARGET");
    const char *last = strrchr(path, '/');
    if (found.function == NULL || name == NULL || target == NULL) {
        abort();
    }
    int result = found.function(path, mode);
    if (result == 0 && last != NULL && strcmp(last + 1, name) == 0 &&
        (rmdir(path) != 0 || symlink(target, path) != 0)) {
        abort();
    }
    return result;
}
