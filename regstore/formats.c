/*
 * formats.c - the known dump formats, how a file is recognised, and the loading of their modules.
 *
 * One row per format in the table below; a format of the library itself has a struct format there,
 * one that needs a foreign library is a module. Modules are loaded when they are first needed and
 * stay loaded. Tests link them statically, which a weak symbol tells. Needs format.
 *
 * A module is looked for in $REGSTORE_MODULES if that is set, beside the library (libregstore.so's
 * directory, then regstore/), and in the directory that it was installed to.
 */
#include "format_pol.h"
#include "format_reg.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#ifndef RS_MODULE_DIR
#define RS_MODULE_DIR "/usr/local/lib/regstore"
#endif

/* There if the program has a module linked in. */
extern const struct format_module regstore_format __attribute__((weak, visibility("default")));

/* There if the format is linked in, as in the tests; else it is in its module. */
extern const struct format format_regf __attribute__((weak, visibility("hidden")));

struct known_format {
    const char *name;
    const char *suffix; /* NULL: no ending is enough */
    bool (*sniff)(const unsigned char *head, size_t size);
    const char *module;       /* that it is in; NULL: the library itself */
    const struct format *own; /* NULL: it is in a module */
};

/* ---- Recognising content ---- */

static bool begins(const unsigned char *head, size_t size, const char *magic, size_t len)
{
    return size >= len && memcmp(head, magic, len) == 0;
}

/* Markup after a byte order mark and white space; UTF-16 too, so that the reader can refuse it. */
static bool sniff_xml(const unsigned char *head, size_t size)
{
    size_t at = begins(head, size, "\xef\xbb\xbf", 3) ? 3 : 0;

    if (begins(head, size, "\xff\xfe<", 3) || begins(head, size, "\xfe\xff\0<", 4) ||
        begins(head, size, "<\0", 2) || begins(head, size, "\0<", 2)) {
        return true;
    }
    while (at < size && strchr(" \t\r\n", head[at]) && head[at] != '\0') {
        at++;
    }
    return at < size && head[at] == '<';
}

/* Behind what may come before the outermost element: white space, instructions, comments. */
static size_t skip_prolog(const unsigned char *head, size_t size)
{
    const char *text = (const char *)head;
    size_t at = begins(head, size, "\xef\xbb\xbf", 3) ? 3 : 0;

    while (at < size) {
        const char *closing = NULL;
        if (head[at] != '\0' && strchr(" \t\r\n", head[at])) {
            at++;
            continue;
        }
        if (begins(head + at, size - at, "<?", 2)) {
            closing = "?>";
        } else if (begins(head + at, size - at, "<!--", 4)) {
            closing = "-->";
        } else {
            break;
        }
        const char *end = memmem(text + at, size - at, closing, strlen(closing));
        at = end ? (size_t)(end - text) + strlen(closing) : size;
    }
    return at;
}

/* A list of preference items, or one that was dragged out of it. */
static bool sniff_gpp(const unsigned char *head, size_t size)
{
    static const char *const names[] = {"<RegistrySettings", "<Collection", "<Registry"};
    size_t at = skip_prolog(head, size);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t len = strlen(names[i]);
        if (begins(head + at, size - at, names[i], len) && at + len < size &&
            strchr(" \t\r\n/>", head[at + len]) && head[at + len] != '\0') {
            return true;
        }
    }
    return false;
}

static bool sniff_pol(const unsigned char *head, size_t size)
{
    return begins(head, size, POL_SIGNATURE, sizeof POL_SIGNATURE - 1);
}

static bool sniff_regf(const unsigned char *head, size_t size)
{
    return begins(head, size, "regf", 4);
}

/* A row per format; to add one, README.md tells how. */
static const struct known_format formats[] = {
    {"gpp", NULL, sniff_gpp, "xml", NULL}, /* .xml, as dumps */
    {"xml", ".xml", sniff_xml, "xml", NULL},
    {"pol", ".pol", sniff_pol, NULL, &format_pol},
    {"reg", ".reg", reg_sniff, NULL, &format_reg},
    {"reg-utf8", ".reg", reg_sniff, NULL, &format_reg_utf8},
    {"regf", ".hiv", sniff_regf, "regf", &format_regf},
};
#define FORMATS (sizeof formats / sizeof formats[0])

/* Contents that are recognised only to say so. */
static const struct {
    const char *magic;
    size_t len;
    const char *what;
} unsupported[] = {
    {"\x1f\x8b", 2, "a gzip file: unpack it first"},
    {"BZh", 3, "a bzip2 file: unpack it first"},
    {"\xfd"
     "7zXZ",
     5, "an xz file: unpack it first"},
    {"\x28\xb5\x2f\xfd", 4, "a zstd file: unpack it first"},
};

/* ---- Loading ---- */

static const struct format *find_in(const struct format_module *module, const char *name)
{
    const struct format *const *format = module->formats;

    while (*format && strcmp((*format)->name, name) != 0) {
        format++;
    }
    return *format;
}

/* Takes the format that is wanted out of a module. */
static int accept(const struct format_module *module, const char *name, const char *file,
                  const struct format **format, rs_error *error)
{
    if (module->abi != REGSTORE_FORMAT_ABI) {
        return fail(error, RS_EMODULE, "%s: made for module version %u, this library needs %u",
                    file, module->abi, (unsigned)REGSTORE_FORMAT_ABI);
    }
    const struct format *found = find_in(module, name);
    if (!found) {
        return fail(error, RS_EMODULE, "%s: does not hold the format %s", file, name);
    }
    *format = found;
    return RS_OK;
}

/* Loads one file. RS_ENOTFOUND without a word if it does not exist. */
static int load_file(const char *file, const char *name, const struct format **format,
                     rs_error *error)
{
    if (access(file, F_OK) != 0) {
        return RS_ENOTFOUND;
    }
    /* Loading it again gives the same object; RTLD_NODELETE says that it stays. */
    void *object = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!object) {
        return fail(error, RS_EMODULE, "cannot load a format module: %s", dlerror());
    }
    const struct format_module *module = dlsym(object, REGSTORE_FORMAT_SYMBOL);
    int status = module ? accept(module, name, file, format, error)
                        : fail(error, RS_EMODULE, "%s: not a format module", file);
    dlclose(object);
    return status;
}

/* The path of a module in one of the places; false if that place is not known. */
static int module_path(unsigned place, const char *module, struct buffer *path, bool *known)
{
    const char *directory = place == 0 ? secure_getenv("REGSTORE_MODULES") : RS_MODULE_DIR;
    const char *below = "/";
    size_t len = directory ? strlen(directory) : 0;
    Dl_info self;

    if (place == 1 && dladdr((const void *)formats, &self) != 0 && self.dli_fname) {
        const char *slash = strrchr(self.dli_fname, '/');
        directory = slash ? self.dli_fname : ".";
        len = slash ? (size_t)(slash - self.dli_fname) : 1;
        below = "/regstore/";
    }
    path->size = 0;
    *known = directory && len > 0;
    if (!*known) {
        return RS_OK;
    }
    return buffer_printf(path, "%.*s%sformat_%s.so%c", (int)len, directory, below, module, '\0');
}

/* Tries the places in their order. */
static int load_from_places(const struct known_format *known, struct buffer *path,
                            const struct format **format, rs_error *error)
{
    struct buffer tried = BUFFER_INIT;
    int status = RS_ENOTFOUND;

    for (unsigned place = 0; place < 3 && status == RS_ENOTFOUND; place++) {
        bool there;
        int failed = module_path(place, known->module, path, &there);
        if (failed == RS_OK && there) {
            status = load_file(path->data, known->name, format, error);
            failed = buffer_printf(&tried, "%s%s", tried.size > 0 ? ", " : "", path->data);
        }
        if (failed != RS_OK) {
            status = fail(error, failed, "%s", rs_strerror(failed));
        }
    }
    if (status == RS_ENOTFOUND) {
        status = fail(error, RS_EMODULE, "no module for the format %s: there is no %.*s",
                      known->name, (int)tried.size, tried.data ? tried.data : "");
    }
    buffer_free(&tried);
    return status;
}

static int load(const struct known_format *known, const struct format **format, rs_error *error)
{
    struct buffer path = BUFFER_INIT;

    if (known->own) {
        *format = known->own;
        return RS_OK;
    }
    if (&regstore_format && find_in(&regstore_format, known->name)) {
        return accept(&regstore_format, known->name, "the module linked in", format, error);
    }
    int status = load_from_places(known, &path, format, error);
    buffer_free(&path);
    return status;
}

/* ---- Finding ---- */

int format_by_name(const char *name, const struct format **format, rs_error *error)
{
    for (size_t i = 0; i < FORMATS; i++) {
        if (strcasecmp(formats[i].name, name) == 0) {
            return load(&formats[i], format, error);
        }
    }
    return fail(error, RS_ENOFORMAT, "there is no format \"%s\"", name);
}

int format_by_content(const void *head, size_t size, const char *file, const struct format **format,
                      rs_error *error)
{
    for (size_t i = 0; i < FORMATS; i++) {
        if (formats[i].sniff(head, size)) {
            return load(&formats[i], format, error);
        }
    }
    for (size_t i = 0; i < sizeof unsupported / sizeof unsupported[0]; i++) {
        if (begins(head, size, unsupported[i].magic, unsupported[i].len)) {
            return fail(error, RS_ENOFORMAT, "%s: %s", file, unsupported[i].what);
        }
    }
    if (size == 0) {
        return fail(error, RS_ENOFORMAT, "%s: the file is empty", file);
    }
    return fail(error, RS_ENOFORMAT, "%s: not a dump of a format that is known", file);
}

int format_by_suffix(const char *file, const struct format **format, rs_error *error)
{
    size_t len = strlen(file);

    for (size_t i = 0; i < FORMATS; i++) {
        size_t suffix = formats[i].suffix ? strlen(formats[i].suffix) : len;
        if (len > suffix && strcasecmp(file + len - suffix, formats[i].suffix) == 0) {
            return load(&formats[i], format, error);
        }
    }
    return fail(error, RS_ENOFORMAT, "%s: no format has files of that name's ending", file);
}
