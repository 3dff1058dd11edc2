/*
 * path_view32.c - the 32-bit view: where a path leads for a Windows program of 32 bits.
 *
 * Needs path. On 64-bit Windows some keys are there twice. What a 32-bit program sees of such a key
 * lies in a subkey WOW6432Node of it, or of the key above it; all other keys are shared by both
 * views. The table is Microsoft's "Registry Keys Affected by WOW64", the column for Windows 7 and
 * later. A row holds for everything below it, as far as no longer row says something else.
 */
#include "path.h"

#include <string.h>
#include <strings.h>

#define NODE "WOW6432Node"

/* What is redirected in a key of classes: it lies in WOW6432Node of that key. */
static const char *const classes[] = {
    "CLSID", "DirectShow", "Interface", "Media Type", "MediaFoundation",
};

/* Where classes are; "*" is any beginning of a name. On Windows HKCU\SOFTWARE\Classes is a link to
 * HKU\SID_Classes. */
static const struct class_row {
    rs_key root;
    const char *names;
} class_rows[] = {
    {RS_HKCR, ""},
    {RS_HKLM, "SOFTWARE\\Classes"},
    {RS_HKCU, "SOFTWARE\\Classes"},
    {RS_HKU, "*\\SOFTWARE\\Classes"},
    {RS_HKU, "*_Classes"},
};

/* Shared keys in HKLM\SOFTWARE, all else of which is redirected. (Microsoft's table has the names
 * SOFTWARE\Microsoft twice in the path of MSInfo.) */
#define MS "Microsoft\\"
#define WINDOWS MS "Windows\\CurrentVersion\\"
#define NT MS "Windows NT\\CurrentVersion\\"
static const char *const shared[] = {
    "Classes",
    "Clients",
    MS "COM3",
    MS "Cryptography\\Calais\\Current",
    MS "Cryptography\\Calais\\Readers",
    MS "Cryptography\\Services",
    MS "CTF\\SystemShared",
    MS "CTF\\TIP",
    MS "DFS",
    MS "Driver Signing",
    MS "EnterpriseCertificates",
    MS "EventSystem",
    MS "MSMQ",
    MS "Non-Driver Signing",
    MS "Notepad\\DefaultFonts",
    MS "OLE",
    MS "RAS",
    MS "RPC",
    MS "Shared Tools\\MSInfo",
    MS "SystemCertificates",
    MS "TermServLicensing",
    MS "TransactionServer",
    WINDOWS "App Paths",
    WINDOWS "Control Panel\\Cursors\\Schemes",
    WINDOWS "Explorer\\AutoplayHandlers",
    WINDOWS "Explorer\\DriveIcons",
    WINDOWS "Explorer\\KindMap",
    WINDOWS "Group Policy",
    WINDOWS "Policies",
    WINDOWS "PreviewHandlers",
    WINDOWS "Setup",
    WINDOWS "Telephony\\Locations",
    NT "Console",
    NT "FontDpi",
    NT "FontLink",
    NT "FontMapper",
    NT "Fonts",
    NT "FontSubstitutes",
    NT "Gre_Initialize",
    NT "Image File Execution Options",
    NT "Language Pack",
    NT "NetworkCards",
    NT "Perflib",
    NT "Ports",
    NT "Print",
    NT "ProfileList",
    NT "Time Zones",
    "Policies",
    "RegisteredApplications",
    NODE, /* the path says itself that it means the 32-bit view */
};

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

/* Whether a name is meant by a pattern, which may begin with "*". */
static bool is_name(const char *name, size_t len, const char *pattern, size_t pattern_len)
{
    if (pattern_len > 0 && pattern[0] == '*') {
        pattern++;
        pattern_len--;
        if (len < pattern_len) {
            return false;
        }
        name += len - pattern_len;
        len = pattern_len;
    }
    return len == pattern_len && strncasecmp(name, pattern, len) == 0;
}

/* Steps over the names of a row; false, and *iter anywhere, if the path has others. */
static bool step_over(struct path_iter *iter, const char *row)
{
    const char *name;
    size_t len;

    while (*row != '\0') {
        const size_t row_len = strcspn(row, "\\");
        if (path_next(iter, &name, &len, NULL) != RS_OK || !is_name(name, len, row, row_len)) {
            return false;
        }
        row += row_len + (row[row_len] == '\\');
    }
    return true;
}

/* Whether the path goes on with one of the rows. */
static bool goes_on(const struct path_iter *iter, const char *const *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct path_iter copy = *iter;
        if (step_over(&copy, rows[i])) {
            return true;
        }
    }
    return false;
}

/* Whether the rest of the path is well formed. */
static bool has_names(struct path_iter iter)
{
    const char *name;
    size_t len;
    int status;

    do {
        status = path_next(&iter, &name, &len, NULL);
    } while (status == RS_OK);
    return status == RS_END;
}

/* Where the names that were stepped over end. */
static size_t offset_of(const struct path_iter *iter, const char *path)
{
    const size_t offset = (size_t)(iter->at - path);

    return offset > 0 && path[offset - 1] == iter->separator ? offset - 1 : offset;
}

size_t rs_path_view32(const char *path, size_t len)
{
    const struct path_root *root;
    struct path_iter start;
    struct path_iter iter;

    len = text_length(path, len);
    if (path_begin_rooted(&start, path, len, &root, NULL) != RS_OK || !has_names(start)) {
        return 0;
    }
    for (size_t i = 0; i < ROWS(class_rows); i++) {
        iter = start;
        if (class_rows[i].root == root->key && step_over(&iter, class_rows[i].names) &&
            goes_on(&iter, classes, ROWS(classes))) {
            return offset_of(&iter, path);
        }
    }
    iter = start;
    if (root->key == RS_HKLM && step_over(&iter, "SOFTWARE") &&
        !goes_on(&iter, shared, ROWS(shared))) {
        return offset_of(&iter, path);
    }
    return 0;
}

int path_to_view32(struct buffer *buffer, const char *path, size_t len)
{
    const size_t offset = rs_path_view32(path, len);
    int status = buffer_append(buffer, path, offset);

    if (status == RS_OK && offset > 0) {
        status = buffer_append_byte(buffer, path[0] == '/' ? '/' : '\\');
    }
    if (status == RS_OK && offset > 0) {
        status = buffer_append_text(buffer, NODE);
    }
    if (status == RS_OK) {
        status = buffer_append(buffer, path + offset, len - offset);
    }
    return status == RS_OK ? buffer_terminate(buffer) : status;
}
