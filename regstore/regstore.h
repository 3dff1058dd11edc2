/*
 * regstore.h - the public face of libregstore, a registry-shaped configuration store.
 *
 * A store is a directory that holds one typed, hierarchical tree of keys and values, with the
 * names, types and rules of the Windows registry ([MS-RRP] 3.1.1.1, 2.2.9). Programs read it
 * through snapshots, change it through transactions that are checked, recorded and committed as a
 * whole, and watch it for changes made by any other process. This is the only header that is
 * installed and the only one that a program outside regstore/ includes.
 *
 * Conventions, true of every call unless its comment says otherwise:
 *
 *  - A call returns RS_OK (0) or a negative RS_E... status. Output arguments stand last and are
 * written only on success.
 *  - Text is UTF-8, NUL-terminated. Names in real hives may hold NUL and lone surrogates; so lone
 *    surrogates are taken and given as three-byte sequences (WTF-8), and each call that takes a
 * name or a path has a form ending in _n with a length in bytes, RS_NTS meaning "up to the first
 * NUL". Lengths do not count the terminator, which is always there in texts that the library
 * returns.
 *  - What a transaction returns (texts, data, arrays) belongs to the transaction and lives until it
 *    ends; what a cursor returns lives until the cursor's next step; what a watch returns lives
 * until the next rs_watch_next() on it. Only what rs_free() is named for is the caller's to free.
 *  - Times are FILETIMEs: 100 ns since 1601-01-01 UTC ([MS-DTYP] 2.3.3).
 *  - Read calls never block. rs_begin(RS_WRITE) blocks while another writer is at work; rs_commit()
 *    returns after the disk has the data.
 *  - A store may be used by many threads, a transaction, cursor or watch by one at a time; a write
 *    transaction must end in the thread that began it. Nothing crosses fork(2): in the child every
 * call on the parent's store answers RS_EFORK, and the child opens its own.
 *  - The library never prints, never logs and never exits.
 */
#ifndef REGSTORE_H
#define REGSTORE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define RS_API __attribute__((visibility("default")))
#define RS_MUST_USE __attribute__((warn_unused_result))
#define RS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define RS_API
#define RS_MUST_USE
#define RS_PRINTF(fmt, args)
#endif
#define RS_CALL RS_API RS_MUST_USE /* a call whose status matters */

/* ---- Statuses ---- */

/* The one list of statuses: name, number, text. Worth switching on in ordinary programs: RS_END,
 * RS_ENOTFOUND, RS_EDELETED, RS_ETYPE, RS_EBEHIND, RS_EFULL, RS_EACCESS. */
#define RS_STATUS_LIST(X)                                                                          \
    X(RS_OK, 0, "success")                                                                         \
    X(RS_END, -1, "no more entries")                                                               \
    X(RS_ENOTFOUND, -2, "no such key or value")                                                    \
    X(RS_EEXIST, -3, "a key or file of this name exists")                                          \
    X(RS_EDELETED, -4, "the key has been deleted")                                                 \
    X(RS_EINVAL, -5, "invalid argument")                                                           \
    X(RS_EPATH, -6, "malformed key path")                                                          \
    X(RS_ENAME, -7, "invalid name")                                                                \
    X(RS_ETEXT, -8, "text is not valid UTF-8")                                                     \
    X(RS_ETOOLONG, -9, "name is too long")                                                         \
    X(RS_EDEPTH, -10, "keys are nested too deep")                                                  \
    X(RS_ETOOBIG, -11, "value data is too large")                                                  \
    X(RS_ETYPE, -12, "the value has another type")                                                 \
    X(RS_EDATA, -13, "data does not fit the type")                                                 \
    X(RS_ELOOP, -14, "too many symbolic links, or a loop of them")                                 \
    X(RS_ELINK, -15, "the key is a symbolic link")                                                 \
    X(RS_ENOTEMPTY, -16, "the key has subkeys")                                                    \
    X(RS_EROOT, -17, "not possible for a root key")                                                \
    X(RS_EREADONLY, -18, "the store or the transaction is read-only")                              \
    X(RS_EACCESS, -19, "permission denied")                                                        \
    X(RS_ENOSTORE, -20, "no store there")                                                          \
    X(RS_EUNSAFE, -21, "the store's directory or a file of it is not safe to use")                 \
    X(RS_EVERSION, -22, "the store was made by another version")                                   \
    X(RS_EDAMAGED, -23, "the store is damaged")                                                    \
    X(RS_EFULL, -24, "the store is full")                                                          \
    X(RS_EDISK, -25, "no space left on the device")                                                \
    X(RS_EREADERS, -26, "too many concurrent readers")                                             \
    X(RS_EBEHIND, -27, "the journal no longer reaches back that far")                              \
    X(RS_EFORMAT, -28, "malformed input file")                                                     \
    X(RS_ENOFORMAT, -29, "the file's format is not known")                                         \
    X(RS_EMODULE, -30, "a format module cannot be loaded")                                         \
    X(RS_ECANCELLED, -31, "cancelled by the caller")                                               \
    X(RS_EBUSY, -32, "in use")                                                                     \
    X(RS_ENOMEM, -33, "out of memory")                                                             \
    X(RS_EIO, -34, "input or output error")                                                        \
    X(RS_EFORK, -35, "the store was opened before a fork")                                         \
    X(RS_EREOPEN, -36, "a write has failed; the open transactions have to end first")              \
    X(RS_EREPLACED, -37, "the store's files were replaced or removed since it was opened")         \
    X(RS_EREFUSED, -38, "a rule does not allow it")                                                \
    X(RS_ERULE, -39, "a rule is malformed")                                                        \
    X(RS_ECONFLICT, -40, "something has been changed since")                                       \
    X(RS_EREJECTED, -41, "a service has rejected it")                                              \
    X(RS_ETIMEOUT, -42, "no answer in time")

enum rs_status {
#define RS_STATUS_ENUM(name, number, text) name = number,
    RS_STATUS_LIST(RS_STATUS_ENUM)
#undef RS_STATUS_ENUM
};

/* The text of a status; never NULL, static. */
RS_API const char *rs_strerror(int status);
/* The name of a status, "RS_EPATH"; NULL for a number that is none. Static. */
RS_API const char *rs_status_name(int status);
/* The library's version, "0.1.0"; static. */
RS_API const char *rs_version(void);

/*
 * A failure described for a person; the caller owns it and starts with RS_ERROR_INIT. Calls that
 * are given one fill it when they fail; the first error wins, so one rs_error can serve a row of
 * calls. The text is one line without line end, names the file and place, and has control
 * characters escaped.
 */
#define RS_ERROR_TEXT_MAX 1024
typedef struct rs_error {
    int status;      /* RS_OK as long as nothing failed */
    uint64_t line;   /* in a dump, from 1; 0 where there is none */
    uint64_t column; /* in bytes from 1; 0 where there is none */
    uint64_t offset; /* bytes from the start of a dump */
    char text[RS_ERROR_TEXT_MAX];
} rs_error;
#define RS_ERROR_INIT                                                                              \
    {                                                                                              \
        0, 0, 0, 0,                                                                                \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

/* ---- Types and limits ---- */

/* The one table of value types ([MS-RRP] 3.1.1.5, winnt.h): name, number. Any other number up to
 * 0xffffffff is stored and given back as it is. */
#define RS_TYPE_LIST(X)                                                                            \
    X(REG_NONE, 0)                                                                                 \
    X(REG_SZ, 1)                                                                                   \
    X(REG_EXPAND_SZ, 2)                                                                            \
    X(REG_BINARY, 3)                                                                               \
    X(REG_DWORD, 4)                                                                                \
    X(REG_DWORD_BIG_ENDIAN, 5)                                                                     \
    X(REG_LINK, 6)                                                                                 \
    X(REG_MULTI_SZ, 7)                                                                             \
    X(REG_RESOURCE_LIST, 8)                                                                        \
    X(REG_FULL_RESOURCE_DESCRIPTOR, 9)                                                             \
    X(REG_RESOURCE_REQUIREMENTS_LIST, 10)                                                          \
    X(REG_QWORD, 11)

enum rs_type {
#define RS_TYPE_ENUM(name, number) name = number,
    RS_TYPE_LIST(RS_TYPE_ENUM)
#undef RS_TYPE_ENUM
};

#define RS_MAX_KEY_NAME 255            /* UTF-16 units in a key's name */
#define RS_MAX_VALUE_NAME 16383        /* UTF-16 units in a value's name */
#define RS_MAX_CLASS 32767             /* UTF-16 units in a class name */
#define RS_MAX_DEPTH 512               /* names between a root key and a key */
#define RS_MAX_DATA ((size_t)16 << 20) /* bytes of data in a value */

#define RS_NTS ((size_t)-1) /* as a length: the text ends at its first NUL */

typedef struct rs_store rs_store;
typedef struct rs_txn rs_txn;
typedef struct rs_cursor rs_cursor;
typedef struct rs_watch rs_watch;
typedef struct rs_spool rs_spool;

/*
 * A key: a plain number, not a resource. It stays valid across transactions, processes and renames
 * of the key or its ancestors and is never given to another key; once the key is deleted, calls
 * answer RS_EDELETED.
 */
typedef uint64_t rs_key;

/* The root keys. HKLM, HKU and HKRS (the store's own: rules and settings) are stored. The others
 * are views, looked up anew at each use: HKCR is HKLM\SOFTWARE\Classes, HKCC is
 * HKLM\SYSTEM\CurrentControlSet\Hardware Profiles\Current, HKCU is HKU\S-1-22-1-<uid of the
 * process>, the SID that Samba gives a Unix user. A view whose target does not exist answers
 * RS_ENOTFOUND, and rs_key_create() below it makes the target. */
#define RS_NO_KEY ((rs_key)0) /* as a base: the path begins with the name of a root */
#define RS_HKLM ((rs_key)1)
#define RS_HKU ((rs_key)2)
#define RS_HKRS ((rs_key)3)
#define RS_HKCR ((rs_key)-1)
#define RS_HKCU ((rs_key)-2)
#define RS_HKCC ((rs_key)-3)
/* The one table of their names: short, long. RS_ and the short name is the constant. */
#define RS_ROOT_LIST(X)                                                                            \
    X(HKLM, "HKEY_LOCAL_MACHINE")                                                                  \
    X(HKU, "HKEY_USERS")                                                                           \
    X(HKRS, "HKEY_REGSTORE")                                                                       \
    X(HKCR, "HKEY_CLASSES_ROOT")                                                                   \
    X(HKCU, "HKEY_CURRENT_USER")                                                                   \
    X(HKCC, "HKEY_CURRENT_CONFIG")

/* Stored bytes of a value, exactly as Windows keeps them: strings are UTF-16LE, terminated or not.
 */
typedef struct rs_value {
    const char *name; /* "" for the default value */
    size_t name_len;
    uint32_t type;
    const void *data; /* not aligned; never NULL */
    size_t size;      /* bytes */
} rs_value;

#define RS_KEY_LINK                                                                                \
    1u /* the key is a symbolic link: it has a REG_LINK value "SymbolicLinkValue"                  \
        */
#define RS_KEY_VOLATILE 2u /* made by the system, never exported or saved */

typedef struct rs_key_info {
    rs_key key;
    rs_key parent;    /* RS_NO_KEY for a root */
    const char *name; /* as spelled at creation or last rename; a root's long name */
    size_t name_len;
    const char *class_name; /* "" if it has none */
    size_t class_len;
    uint64_t written; /* last write time */
    uint32_t subkeys;
    uint32_t values;
    unsigned flags; /* RS_KEY_... */
} rs_key_info;

/* ---- The store ---- */

#define RS_CREATE 1u /* make the directory and the store if there is none */
/* Change no data, whatever the permissions allow; not with RS_CREATE. Readers, too, write in LMDB's
 * lock file, which is made where it is missing. */
#define RS_READONLY 2u
#define RS_NEW 4u /* with RS_CREATE: RS_EEXIST where there is a store, so that one makes it */

/*
 * Opens the store in directory dir, or for NULL in the default one (rs_default_dir). A directory
 * opened twice in one process shares one environment. Without RS_READONLY a store whose files may
 * not be written is opened for reading, and rs_begin(RS_WRITE) answers RS_EREADONLY. Switch on:
 * RS_ENOSTORE; RS_EUNSAFE (others can write the directory or own it, a file is a symlink);
 * RS_EVERSION; RS_EDAMAGED (header damaged, file cut short); RS_EACCESS; RS_EREPLACED (this process
 * still has it open, with files that were replaced or removed since: close it everywhere first).
 * For writing it first takes back an unconfirmed change whose time is over, if there is one, and
 * waits for other writers then.
 */
RS_CALL int rs_open(const char *dir, unsigned flags, rs_store **store, rs_error *error);
/* Closes the store; all its transactions, cursors and watches must have ended. NULL is allowed. */
RS_API void rs_close(rs_store *store);
/* The store's directory; lives as long as the store. */
RS_API const char *rs_store_dir(const rs_store *store);
/* The default directory: $REGSTORE, else /var/lib/regstore for root, else $XDG_STATE_HOME/regstore
 * (~/.local/state/regstore). *dir is the caller's, to be released with rs_free(). RS_ENOTFOUND if
 * the environment names no home. */
RS_CALL int rs_default_dir(char **dir);
/* Releases memory that a call named as the caller's. NULL is allowed. */
RS_API void rs_free(void *memory);

/* ---- Transactions ---- */

#define RS_READ 0u
#define RS_WRITE 1u

/*
 * Begins a transaction: with RS_READ a snapshot of the latest revision, which later commits do not
 * change; with RS_WRITE the store's one writer: a second one waits, in the same thread for ever.
 * Keep read transactions short: a snapshot held open keeps the file from reusing space. Switch on:
 * RS_EREADONLY; RS_EREADERS; RS_EFORK; RS_EREOPEN; RS_EREPLACED: the store's files were removed or
 * replaced, and what would be written would be lost.
 *
 * After some failed writes the files have to be opened anew. The first rs_begin() that finds no
 * open transaction of the process on this store does so; until then it answers RS_EREOPEN. What is
 * open may be read on and has to be ended.
 */
RS_CALL int rs_begin(rs_store *store, unsigned mode, rs_txn **txn);
/*
 * Commits a write transaction: all of its changes become the next revision, durably, or none does.
 * The transaction has ended in either case. revision may be NULL; it receives the new revision, or
 * the current one when nothing was changed: then no revision is made. After a failed change that
 * left the transaction unusable the commit gives that call's status again. Switch on: RS_EREFUSED,
 * RS_ERULE (see rs_txn_check); RS_EFULL, RS_EDISK, RS_EIO; RS_EREPLACED: the store's files were
 * removed, nothing was committed. On a read transaction: RS_EINVAL.
 *
 * After RS_EIO and RS_EDISK the disk decides whether the revision is there, whole, or not at all:
 * the number that the next transaction sees tells. On a full disk, or where the store's map ends
 * (RS_EFULL), a transaction that only deletes still succeeds, for which a megabyte is kept. Where
 * that is not enough, its revision says that something was deleted, but not what was in it; and if
 * that is too much, the older half of the journal is removed, and half of the rest, as long as it
 * helps. Where the map ends a deleting call can fail before the commit; trying again may succeed.
 */
RS_CALL int rs_commit(rs_txn *txn, uint64_t *revision);
/* Ends a transaction; a write transaction's changes are dropped. NULL is allowed. */
RS_API void rs_abort(rs_txn *txn);
/* The revision that the transaction sees (in a write transaction: the one it started from). */
RS_API uint64_t rs_revision(const rs_txn *txn);
/* From here on, calls on txn that fail describe it in *error, which must outlive the transaction;
 * NULL ends that. */
RS_API void rs_txn_errors(rs_txn *txn, rs_error *error);
/* The message and the program recorded with the revision; copied. At most 4,096 bytes, else
 * RS_ETOOLONG. The program is the process's name unless set. */
RS_API int rs_txn_message(rs_txn *txn, const char *message);
RS_API int rs_txn_program(rs_txn *txn, const char *program);

/* ---- Keys ---- */

#define RS_NOFOLLOW 1u  /* a link at the end of the path is opened itself, not what it points to */
#define RS_RECURSIVE 2u /* with subkeys and everything below; never through links */
#define RS_VOLATILE 4u  /* create: mark the key as volatile */

/*
 * Opens the key at path below base. A path is names joined by '\'; "" is base itself. With
 * RS_NO_KEY as base it begins with a root (HKLM or HKEY_LOCAL_MACHINE), and if it begins with '/'
 * and a root, '/' joins. One trailing separator is accepted after a name. Links on the way are
 * followed. Switch on: RS_ENOTFOUND; RS_EPATH (empty component, unknown root); RS_ELOOP;
 * RS_EDELETED (base).
 */
RS_CALL int rs_key_open_n(rs_txn *txn, rs_key base, const char *path, size_t len, unsigned flags,
                          rs_key *key);
/* The same, and makes each key of the path that does not exist. created may be NULL; it receives 1
 * if the last key was made, else 0. Switch on: RS_ENAME, RS_ETOOLONG, RS_EDEPTH (limits above);
 * RS_EREADONLY. Nothing is made when it fails. */
RS_CALL int rs_key_create_n(rs_txn *txn, rs_key base, const char *path, size_t len, unsigned flags,
                            rs_key *key, int *created);
/* Deletes a key with its values; with RS_RECURSIVE also everything below. A link is deleted itself,
 * its target stays. Switch on: RS_ENOTEMPTY; RS_EROOT; RS_EDELETED. */
RS_CALL int rs_key_delete(rs_txn *txn, rs_key key, unsigned flags);
/* Gives a key another name below the same parent; a change of case alone is possible. Switch on:
 * RS_EEXIST; RS_EROOT. */
RS_CALL int rs_key_rename_n(rs_txn *txn, rs_key key, const char *name, size_t len);
/* Sets the class name ("" removes it). */
RS_CALL int rs_key_set_class_n(rs_txn *txn, rs_key key, const char *name, size_t len);
/* What is known about a key. */
RS_CALL int rs_key_info_get(rs_txn *txn, rs_key key, rs_key_info *info);
/* The canonical path of a key: the root's long name, then names as spelled, joined by '\'. len may
 * be NULL. */
RS_CALL int rs_key_path(rs_txn *txn, rs_key key, const char **path, size_t *len);

/* Makes a symbolic link at path below base that points to the key path target, which need not
 * exist. An existing link is pointed elsewhere; an existing key that is no link gives RS_EEXIST.
 * flags: RS_VOLATILE. */
RS_CALL int rs_link_create_n(rs_txn *txn, rs_key base, const char *path, size_t len,
                             const char *target, size_t target_len, unsigned flags, rs_key *key);
/* Where a link (opened with RS_NOFOLLOW) points, as a canonical path. RS_ENOTFOUND if the key is no
 * link. */
RS_CALL int rs_link_target(rs_txn *txn, rs_key key, const char **target, size_t *len);

/* ---- Listing ---- */

/* A cursor over a key's subkeys in the order of their folded names, or over its values in the order
 * of their creation. It shows the key as it was when the cursor was made: subkeys deleted since are
 * left out, later ones are not shown. Close cursors before their transaction ends. */
RS_CALL int rs_subkeys(rs_txn *txn, rs_key key, rs_cursor **cursor);
RS_CALL int rs_values(rs_txn *txn, rs_key key, rs_cursor **cursor);
/* The next entry; RS_END after the last. */
RS_CALL int rs_next_key(rs_cursor *cursor, rs_key_info *info);
RS_CALL int rs_next_value(rs_cursor *cursor, rs_value *value);
/* NULL is allowed. */
RS_API void rs_cursor_close(rs_cursor *cursor);

/* ---- Values, as stored ---- */

/* Reads the stored bytes. Name "" is the default value. Switch on: RS_ENOTFOUND; RS_EDELETED. */
RS_CALL int rs_value_get_n(rs_txn *txn, rs_key key, const char *name, size_t len, rs_value *value);
/* Stores bytes under a type number, as they are. A value that exists keeps its place and its first
 * spelling. Storing what is stored already changes nothing. Switch on: RS_ETOOLONG, RS_ETOOBIG;
 * RS_EREADONLY. */
RS_CALL int rs_value_set_n(rs_txn *txn, rs_key key, const char *name, size_t len, uint32_t type,
                           const void *data, size_t size);
RS_CALL int rs_value_delete_n(rs_txn *txn, rs_key key, const char *name, size_t len);

/* ---- Values, typed ---- */

/* Where an effective value comes from. */
enum rs_origin {
    RS_ORIGIN_NONE = 0,   /* not set and no default known */
    RS_ORIGIN_SET = 1,    /* set in the store */
    RS_ORIGIN_DEFAULT = 2 /* the default of its rule */
};

/* The effective value: what is set, else the default known for it. value may be NULL. *origin tells
 * which; a value that is neither gives RS_OK with RS_ORIGIN_NONE and leaves *value alone. */
RS_CALL int rs_effective_n(rs_txn *txn, rs_key key, const char *name, size_t len, rs_value *value,
                           enum rs_origin *origin);

/*
 * The getters give the effective value decoded. Statuses worth switching on: RS_ENOTFOUND;
 * RS_ETYPE, the value has a type that the call does not take; RS_EDATA, the data does not decode (a
 * REG_DWORD of 3 bytes). A string ends at its first NUL, as Windows programs read it; a missing
 * terminator and an odd last byte are tolerated. rs_get_string() takes REG_SZ and REG_EXPAND_SZ
 * unexpanded; rs_get_expanded() replaces %NAME% in a REG_EXPAND_SZ by the environment variable of
 * that name (unset: left as it is) and takes REG_SZ too. rs_get_bool() takes a REG_DWORD: 0 is
 * false, all else true. rs_get_multi() gives an array of *count texts followed by NULL; empty
 * strings inside a list are kept. rs_get_binary() takes REG_BINARY and REG_NONE.
 */
RS_CALL int rs_get_dword_n(rs_txn *txn, rs_key key, const char *name, size_t len, uint32_t *number);
RS_CALL int rs_get_qword_n(rs_txn *txn, rs_key key, const char *name, size_t len, uint64_t *number);
RS_CALL int rs_get_bool_n(rs_txn *txn, rs_key key, const char *name, size_t len, int *truth);
RS_CALL int rs_get_string_n(rs_txn *txn, rs_key key, const char *name, size_t len,
                            const char **text, size_t *text_len);
RS_CALL int rs_get_expanded_n(rs_txn *txn, rs_key key, const char *name, size_t len,
                              const char **text, size_t *text_len);
RS_CALL int rs_get_multi_n(rs_txn *txn, rs_key key, const char *name, size_t len,
                           const char *const **strings, size_t *count);
RS_CALL int rs_get_binary_n(rs_txn *txn, rs_key key, const char *name, size_t len,
                            const void **data, size_t *size);

/* The setters store the type named, strings with their terminator. Switch on: RS_ETEXT (not UTF-8).
 * A multi-string may not hold a NUL inside an entry. */
RS_CALL int rs_set_dword_n(rs_txn *txn, rs_key key, const char *name, size_t len, uint32_t number);
RS_CALL int rs_set_qword_n(rs_txn *txn, rs_key key, const char *name, size_t len, uint64_t number);
RS_CALL int rs_set_bool_n(rs_txn *txn, rs_key key, const char *name, size_t len, int truth);
RS_CALL int rs_set_string_n(rs_txn *txn, rs_key key, const char *name, size_t len,
                            const char *text);
RS_CALL int rs_set_expanded_n(rs_txn *txn, rs_key key, const char *name, size_t len,
                              const char *text);
RS_CALL int rs_set_multi_n(rs_txn *txn, rs_key key, const char *name, size_t len,
                           const char *const *strings, size_t count);
RS_CALL int rs_set_binary_n(rs_txn *txn, rs_key key, const char *name, size_t len, const void *data,
                            size_t size);

/* Adds a string at the end of a REG_MULTI_SZ, or removes it, keeping all others (KB Q121853:
 * entries that exist must not be replaced). They start from the effective value, or from an empty
 * list. Strings compare as names do, regardless of case; appending one that is there and removing
 * one that is not change nothing. changed may be NULL; it receives 1 or 0. Switch on: RS_ETYPE;
 * RS_ENOTFOUND (remove, no value). */
RS_CALL int rs_multi_append_n(rs_txn *txn, rs_key key, const char *name, size_t len,
                              const char *text, int *changed);
RS_CALL int rs_multi_remove_n(rs_txn *txn, rs_key key, const char *name, size_t len,
                              const char *text, int *changed);

/* ---- Types, data and names as text ---- */

/* "REG_DWORD" for 4; NULL for a number without a name. Static. */
RS_API const char *rs_type_name(uint32_t type);
/* The number of a type name in any case, of REG_DWORD_LITTLE_ENDIAN, or of a number (decimal, or 0x
 * and hexadecimal). RS_EINVAL. */
RS_CALL int rs_type_parse(const char *text, uint32_t *type);
/* The bytes that text means for a type, in reg.exe's notation: decimal or 0x for numbers,
 * hexadecimal digits for binary types, separator between the strings of a REG_MULTI_SZ (NULL: the
 * two characters \0). *data is the caller's (rs_free). Switch on: RS_EDATA, with the reason in
 * *error. */
RS_CALL int rs_data_parse(uint32_t type, const char *text, size_t len, const char *separator,
                          void **data, size_t *size, rs_error *error);
/* The text that reg.exe prints for stored bytes. *text is the caller's (rs_free). */
RS_CALL int rs_data_print(uint32_t type, const void *data, size_t size, const char *separator,
                          char **text, size_t *len);

/* Stored bytes decoded, where encoding them again would give exactly those bytes. */
enum rs_decoded_kind {
    RS_DECODED_NONE = 0, /* no exact decoding: only the bytes tell */
    RS_DECODED_NUMBER = 1,
    RS_DECODED_TEXT = 2,
    RS_DECODED_LIST = 3
};
typedef struct rs_text {
    const char *text;
    size_t len; /* the text may hold NUL */
} rs_text;
typedef struct rs_decoded {
    enum rs_decoded_kind kind;
    uint64_t number;
    rs_text text;
    const rs_text *list;
    size_t count;
} rs_decoded;
/* *decoded is the caller's (rs_free), one block. */
RS_CALL int rs_decode(uint32_t type, const void *data, size_t size, rs_decoded **decoded);

/* Compares names as the registry does, regardless of case, in the order in which subkeys are
 * listed: <0, 0, >0. Text that is not valid UTF-8 is compared as bytes, after all valid text. */
RS_API int rs_name_compare(const char *a, size_t a_len, const char *b, size_t b_len);

/*
 * The 32-bit view of 64-bit Windows: a program of 32 bits that opens HKLM\SOFTWARE\X is led to
 * HKLM\SOFTWARE\WOW6432Node\X, while some keys below HKLM\SOFTWARE are shared, and of classes some
 * are not ("Registry Keys Affected by WOW64", Windows 7 and later). Returns where in a path that
 * begins with a root a separator and "WOW6432Node" belong, in bytes from its start, so that it
 * leads to what such a program sees; 0 if it leads there as it is, or is malformed.
 */
RS_API size_t rs_path_view32(const char *path, size_t len);

/* ---- Rules: what is known about a value ---- */

enum rs_applies {                      /* when a service goes by a new value */
                  RS_APPLIES_LIVE = 1, /* at once; so where the rule does not say */
                  RS_APPLIES_RELOAD,
                  RS_APPLIES_RESTART
};

/*
 * A rule, kept as a REG_MULTI_SZ of "field=text" strings. That of value V of HKLM\A\B is named V
 * and lies in HKRS\Rules\HKLM\A\B: the short name of a stored root and the path; elsewhere below
 * HKRS\Rules, where nothing would go by it, it counts as malformed. A component "*" there stands
 * for any one name, CurrentControlSet also for a ControlSet with three digits; where several rules
 * fit, the first component in which they differ decides: the name itself comes before
 * CurrentControlSet, and that before "*". The fields:
 *
 *     type=REG_DWORD      has to be there; any type's name
 *     min=, max=          numbers, decimal or 0x and hexadecimal, for number types
 *     enum=               repeatable: a number or text that is allowed, of a list for each string
 *     max-length=         UTF-16 units of a text or of each string of a list; bytes of other data
 *     max-count=          strings of a list
 *     required=yes        a key that exists has to have the value
 *     default=            data as for rs_data_parse(); of a list one string each, repeatable; a
 *                         single empty one is an empty list
 *     unit=, text=, source=       for a person
 *     applies=live|reload|restart
 *     warn-above=NAME     the number should not be above that of the value NAME of the same key,
 *     warning=TEXT        for this reason
 */
typedef struct rs_rule {
    const char *key;  /* canonical path of the key that the rule lies in; "" for a parsed one */
    const char *name; /* of the value */
    size_t name_len;
    uint32_t type;
    int has_min;
    int has_max;
    uint64_t min;
    uint64_t max;
    const rs_text *choices; /* as written */
    size_t choice_count;
    uint64_t max_length; /* 0: none */
    uint64_t max_count;  /* 0: none */
    int required;
    int has_default;
    rs_value default_value;
    const char *unit; /* these are "" if there is none */
    const char *text;
    const char *source;
    enum rs_applies applies;
    const char *warn_above;
    const char *warning;
} rs_rule;

/* Reads a rule from the bytes of a REG_MULTI_SZ. *rule is the caller's (rs_free), one block. Switch
 * on: RS_ERULE, with the reason in *error. */
RS_CALL int rs_rule_parse(const char *name, const void *data, size_t size, rs_rule **rule,
                          rs_error *error);
/* Judges a value, NULL for one that is not set. RS_EREFUSED: *why says in one line what was given
 * and what the rule says. */
RS_CALL int rs_rule_check(const rs_rule *rule, const rs_value *value, rs_error *why);

/* The rule of value name of the key at path, which begins with a root and need not exist; links on
 * the way are followed. Switch on: RS_ENOTFOUND (there is none); RS_ERULE (it is malformed, which
 * only a store of before the rules can have). */
RS_CALL int rs_rule_get_n(rs_txn *txn, const char *path, size_t len, const char *name,
                          size_t name_len, rs_rule *rule);
/* Calls each for every rule of the key at path, in the order of their names. each returns 0 to go
 * on; another number ends the listing and is returned. Malformed rules are left out. */
RS_CALL int rs_rules(rs_txn *txn, const char *path, size_t len,
                     int (*each)(void *context, const rs_rule *rule), void *context);

/* A value that is not as its rule says. All of it lives during the call that tells it. */
typedef struct rs_violation {
    const char *path; /* canonical, of the key */
    size_t path_len;
    const char *name;
    size_t name_len;
    const rs_value *value; /* NULL: not set */
    const rs_rule *rule;   /* NULL: the value is a rule itself, and malformed */
    int warning;           /* not 0: allowed, but not wise */
    const char *text;      /* one line: what was given, and what the rule says */
} rs_violation;

/*
 * A commit judges each value that the transaction has set or deleted, and all values of keys that
 * it has made or renamed, by the rules that it sees then. The first violation makes it fail with
 * RS_EREFUSED, described as always; a malformed rule with RS_ERULE. This tells all of them, and
 * warnings, before the commit: each is called for each, may read in the transaction, and ends it
 * with another answer than 0, which is returned. each may be NULL; violations, which may be NULL,
 * receives their number without warnings. What rs_undo() changes is not judged. On a read
 * transaction: RS_EREADONLY.
 */
RS_CALL int rs_txn_check(rs_txn *txn, int (*each)(void *context, const rs_violation *violation),
                         void *context, uint64_t *violations);
/* Violations do not make the commit fail; if there are any, the journal says that it was forced.
 * Malformed rules do. */
RS_API int rs_txn_force(rs_txn *txn);
/* The same judgement of what is stored in a key; with RS_SUBTREE also of all below it. Links are
 * not followed. */
RS_CALL int rs_key_check(rs_txn *txn, rs_key key, unsigned flags,
                         int (*each)(void *context, const rs_violation *violation), void *context,
                         uint64_t *violations);

/* ---- State ---- */

typedef struct rs_stat {
    uint64_t revision;
    uint64_t written;        /* time of the latest revision; 0 if there is none */
    uint64_t first_revision; /* the oldest in the journal; 0 if it is empty */
    uint64_t keys;           /* without the roots */
    uint64_t values;
    uint64_t file_size; /* bytes of data.mdb */
    uint64_t used_size; /* bytes of it in use */
    uint64_t map_size;  /* bytes it may grow to */
    uint32_t format;    /* version of the store's format */
    uint32_t max_readers;
    uint64_t journal_size; /* bytes of the journal's records */
} rs_stat;
RS_CALL int rs_stat_get(rs_txn *txn, rs_stat *stat);

/* ---- Checking ---- */

/* One damage that a check has found. */
typedef struct rs_damage {
    rs_key key;        /* it is at; RS_NO_KEY if it is at none */
    uint64_t revision; /* of the journal it is at; 0 if it is at none */
    const char *text;  /* one line for a person, which names the place; lives during the call */
} rs_damage;

typedef struct rs_check_report {
    uint64_t keys; /* read so far, without the roots */
    uint64_t values;
    uint64_t revisions;
    uint64_t damages;
    rs_key key;        /* that is being read; RS_NO_KEY if none is */
    uint64_t revision; /* the same in the journal, which is read last */
} rs_check_report;

typedef struct rs_check_options {
    /* Each may be NULL; another answer than 0 cancels. Progress is told for each key and
     * revision, and within a long one. */
    int (*damage)(void *context, const rs_damage *damage);
    int (*progress)(void *context, const rs_check_report *report);
    void *context;
} rs_check_options;

/*
 * Reads all that a read transaction sees and tells each place that is not as the library writes it.
 * RS_OK also where damage is found: report->damages counts it. options may be NULL. LMDB has no
 * checksums and trusts its pages: reading a damaged file can crash the process or never end, and
 * other bytes inside a value's data cannot be noticed. So a program that must live lets a child
 * open the store and check it, as "regtool check --store" does. Switch on: RS_ECANCELLED.
 */
RS_CALL int rs_check(rs_txn *txn, const rs_check_options *options, rs_check_report *report);

/* ---- Whole stores ---- */

typedef struct rs_progress {
    uint64_t bytes; /* read or written so far */
    uint64_t total; /* of all bytes; 0 if not known */
    uint64_t keys;
    uint64_t values;
} rs_progress;

typedef struct rs_backup_report {
    uint64_t revision;     /* of the copy, or of the store that was put in place */
    uint64_t bytes;        /* of the file that was made */
    uint64_t bytes_before; /* of the one whose place it took; 0 if that is not known */
} rs_backup_report;

typedef struct rs_backup_options {
    unsigned flags; /* RS_OVERWRITE */
    /* NULL, or called now and then; another answer than 0 cancels. */
    int (*progress)(void *context, const rs_progress *progress);
    void *context;
} rs_backup_options;

/*
 * Copies the store, as it is at one moment, to a file that rs_restore() takes, while everybody goes
 * on reading and writing. The file appears complete or not at all, readable for its owner alone;
 * "-" is standard output. Free pages are left out. report->revision is in the copy; where others
 * commit meanwhile, so may be later ones. Switch on: RS_EEXIST; RS_EDISK; RS_EACCESS; RS_EDAMAGED.
 */
RS_CALL int rs_backup(rs_store *store, const char *file, const rs_backup_options *options,
                      rs_backup_report *report, rs_error *error);

typedef struct rs_restore_options {
    unsigned flags; /* RS_UNREAD or RS_ANEW, or 0 */
    /* NULL, or called now and then; another answer than 0 cancels. */
    int (*progress)(void *context, const rs_progress *progress);
    /* NULL, or called instead of rs_check() to look whether the copy is whole, which is a store in
     * dir then: LMDB trusts its pages, and a child can crash where this process would. Another
     * answer than RS_OK refuses it; *error may say why. */
    int (*check)(void *context, const char *dir, rs_error *error);
    void *context;
} rs_restore_options;
/* The store that is replaced is damaged and not to be read. Nobody may have it open, and no other
 * thread may open it meanwhile; its revisions are not known, so that of the file is taken. */
#define RS_UNREAD 1u
/* There is no store in dir: make one, as rs_open() with RS_CREATE does. RS_EEXIST where there is.
 */
#define RS_ANEW 2u

/*
 * Puts what rs_backup() copied, or any data file that nobody had open when it was copied, in the
 * place of the store in dir, at once or not at all; owner and mode stay. It is checked first.
 *
 * All who have the store open, in this process, too, keep the old one: they read on and learn
 * RS_EREPLACED from their watches and from rs_begin(RS_WRITE); they have to close the store
 * everywhere in the process and to open it again. The revision is higher than any before, and the
 * journal begins anew, so that a watch with an older position answers RS_EBEHIND. A store that has
 * no revision gets that of the file, and its journal. Switch on: RS_EDAMAGED, RS_EVERSION (the
 * file, or the store); RS_EBUSY; RS_EDISK; RS_EACCESS.
 */
RS_CALL int rs_restore(const char *dir, const char *file, const rs_restore_options *options,
                       rs_backup_report *report, rs_error *error);

/* Puts a compacted copy of the store in its own place, with all of its journal. Writers wait
 * meanwhile. All who have the store open keep the old file and learn RS_EREPLACED, as above. Not
 * while this thread has a write transaction. Switch on: RS_EBUSY; RS_EDISK; RS_EREADONLY. */
RS_CALL int rs_compact(rs_store *store, rs_backup_report *report, rs_error *error);

/* ---- Readers and watchers ---- */

/* One reader's snapshot. */
typedef struct rs_reader {
    uint32_t pid;
    uint64_t revision; /* that it sees */
    uint64_t behind;   /* revisions made since */
    uint64_t age;      /* 100 ns since its snapshot was superseded; 0 while it is the latest */
    uint64_t held;     /* bytes of data.mdb that stay unused for it and for older ones */
} rs_reader;
/* Calls each for every process that holds a snapshot, this transaction excepted. each returns 0 to
 * go on; another number ends the listing and is returned. In a write transaction held is 0. */
RS_CALL int rs_readers(rs_txn *txn, int (*each)(void *context, const rs_reader *reader),
                       void *context);

/* One open watch of any process. */
typedef struct rs_watcher {
    uint32_t pid;
    const char *program;
    const char *path; /* as given to rs_watch_open */
} rs_watcher;
/* Calls each for every open watch on the store; the same rule. */
RS_CALL int rs_watchers(rs_store *store, int (*each)(void *context, const rs_watcher *watcher),
                        void *context);

/* ---- Watching ---- */

enum rs_change_kind {
    RS_KEY_CREATED = 1, /* the key and everything below is new: read it */
    RS_KEY_DELETED = 2,
    RS_KEY_RENAMED = 3,
    RS_KEY_CLASS = 4,    /* its class name or its write time was set */
    RS_KEY_RELINKED = 5, /* a link came, went or points elsewhere: read again */
    RS_VALUE_SET = 6,
    RS_VALUE_DELETED = 7
};

typedef struct rs_change {
    enum rs_change_kind kind;
    rs_key key;
    const char *path; /* the key's canonical path, before a rename or delete */
    size_t path_len;
    const char *relative; /* below the watched key; "" for that key and what lies above it */
    size_t relative_len;
    const char *name; /* of the value; the new name of a renamed key; else "" */
    size_t name_len;
    const rs_value *old_value; /* of a value: NULL if it was not set, or if it was deleted and a
                                  full disk had no room to keep it */
    const rs_value *new_value; /* of a value: NULL if it is not set any more */
    /* A watch tells no more than that; rs_history_changes() does. Of RS_KEY_CLASS the names are the
     * class names, and a link that came, went or was pointed elsewhere has the values. */
    const char *old_name; /* of a renamed key; else "" */
    size_t old_name_len;
    int inner; /* not 0: removed with the key above it, whose RS_KEY_DELETED came before */
    int lost;  /* not 0: a full disk had no room to keep what was deleted */
    int rule;  /* not 0: told for RS_WATCH_RULES; relative is the key that the rule is for */
    uint64_t old_written; /* the key's write time before and after; 0 where there is no key */
    uint64_t new_written;
} rs_change;

/* The changes of one revision that concern the watch, in the order they were made. */
typedef struct rs_batch {
    uint64_t revision;
    uint64_t time; /* when it was committed */
    uint32_t uid;  /* by whom */
    uint32_t pid;
    const char *program;
    const char *message; /* "" if none */
    size_t count;
    const rs_change *changes;
} rs_batch;

#define RS_SUBTREE 1u         /* keys below the watched one too */
#define RS_WATCH_RULES 2u     /* rules that may hold for the key, too: defaults are in them */
#define RS_NOW ((uint64_t)-1) /* as a position: the latest revision */

/*
 * Watches the key at path (with its root's name; it need not exist yet, and comes to life when it
 * does) for revisions after since. Reading settings after the watch was opened misses nothing.
 * Without RS_SUBTREE only the key's own changes are told: its values, its class, its coming and
 * going and that of its direct subkeys. With RS_WATCH_RULES changes of rules are told as well that
 * may hold for these keys, and so change what the getters give.
 */
RS_CALL int rs_watch_open_n(rs_store *store, const char *path, size_t len, unsigned flags,
                            uint64_t since, rs_watch **watch, rs_error *error);
/* A descriptor that polls readable when there may be something; it belongs to the watch. It also
 * becomes readable once a second, so that nothing is lost when a writer died before it could wake
 * anyone. Call rs_watch_next() until RS_END each time. */
RS_API int rs_watch_fd(const rs_watch *watch);
/*
 * The next batch; never blocks. RS_END: nothing more for now. RS_EBEHIND: the journal no longer
 * holds what comes after the watch's position; the watch goes on from the latest revision, and the
 * caller must read everything again. Revisions that do not concern the watch make no batch.
 * RS_EREPLACED: the directory's name leads to other files now, or to none, and what is done there
 * is not seen here; looked for once a second and answered instead of RS_END as long as it is so.
 * What keeps rs_begin(RS_READ) from succeeding, such as RS_EREADERS and RS_EREOPEN, is told and
 * leaves the watch where it is: it polls readable again within a second.
 */
RS_CALL int rs_watch_next(rs_watch *watch, const rs_batch **batch);
/* The last revision that the watch has passed. */
RS_API uint64_t rs_watch_position(const rs_watch *watch);
/* NULL is allowed. */
RS_API void rs_watch_close(rs_watch *watch);

/* ---- Named watches: services that keep their place and answer ---- */

/*
 * A watch as rs_watch_open_n() opens one, which keeps its position under a name: 1 to 64 letters,
 * digits, '.', '_' and '-', the first no '.'. Opened for the first time it begins at the latest
 * revision, later where it was: what came meanwhile is delivered, or RS_EBEHIND says that the
 * journal no longer reaches back, or that the store's files are others now. What rs_watch_next()
 * gave counts as done when it is called again, or when it is answered; what was being worked on
 * when the process died is given once more. Paths have at most 4,096 bytes here. Switch on:
 * RS_EBUSY, another live process, or another watch of this one, has the name; RS_ENAME; RS_EACCESS,
 * RS_EREADONLY, RS_EIO: the file in the store's directory "watches" cannot be made.
 */
RS_CALL int rs_watch_open_named_n(rs_store *store, const char *name, const char *path, size_t len,
                                  unsigned flags, rs_watch **watch, rs_error *error);
/* The name answers for the key at path, too, with what is below it and the rules for that, until
 * the watch is closed: whoever waits for a revision that concerns the key waits for the name. The
 * watch gives no batches of it; a service that reads several keys follows each with a watch of its
 * own and has one answer. Switch on: RS_EINVAL, the watch has no name; RS_ETOOLONG, the paths take
 * more than 1,024 bytes together; RS_EPATH, RS_ENAME; RS_EDISK; RS_EIO. */
RS_CALL int rs_watch_answer_for_n(rs_watch *watch, const char *path, size_t len, rs_error *error);

/* What a service says about the revisions up to one. */
enum rs_answer {
    RS_ANSWER_NONE = 0,     /* nothing yet */
    RS_ANSWER_APPLIED = 1,  /* it works by what is stored */
    RS_ANSWER_RESTART = 2,  /* it will, but for some of it only when it is started again */
    RS_ANSWER_REJECTED = 3, /* it does not, and keeps what it had */
    RS_ANSWER_SETTLED = 4   /* given, never told: RS_ANSWER_APPLIED, and what waited for a restart
                               waits no more, as it is what it was at the start again */
};
/* Answers, for a named watch, all revisions up to this one, which is not lower than that answered
 * last. RS_ANSWER_APPLIED leaves it said that a restart is needed for an earlier one. reason, a
 * line for a person, is cut at 1,023 bytes; NULL is "". It costs one write to the watch's file,
 * does not wait for the disk, and wakes only those who wait for answers. Switch on: RS_EINVAL, the
 * revision has not been made, or the watch has no name; RS_EDISK; RS_EIO. */
RS_CALL int rs_watch_answer(rs_watch *watch, uint64_t revision, enum rs_answer answer,
                            const char *reason);

/* One named watch; lives during the call that tells it. */
typedef struct rs_service {
    const char *name;
    uint32_t pid;        /* that opened it last */
    int alive;           /* not 0: this process has it open */
    int ended;           /* not 0: it closed the watch; neither: it died over it */
    const char *program; /* the process's name */
    const char *path;    /* of the key, as given or with its stored root */
    int subtree;         /* not 0: keys below it, too */
    int rules;           /* not 0: rules that may hold for them, too */
    uint64_t position;   /* revisions that the watch has passed, noted once a second */
    uint64_t answered;   /* the revision answered last; 0: none since it was opened */
    enum rs_answer answer;
    const char *reason;     /* of the answer */
    uint64_t restart_since; /* the first revision that waits for a restart; 0: none */
    int damaged;            /* not 0: its file is, so that nothing above is known but the name,
                               whether it is open, and perhaps the process */
    uint64_t heard;         /* when it last wrote into its file; it does so once a minute at least
                               while it calls rs_watch_next(); 0: not known */
    const char *beside;     /* paths of further keys that it answers for, with what is below them
                               and the rules for that; each ends with a NUL, "" is the end */
} rs_service;
/* Calls each for every named watch of the store, by name, also those that are not open; the same
 * rule as for rs_readers(). */
RS_CALL int rs_services(rs_store *store, int (*each)(void *context, const rs_service *service),
                        void *context);
/* Removes what is kept under a name that will not come back. A service that comes all the same
 * begins at the latest revision. Switch on: RS_EBUSY, the watch is open; RS_ENOTFOUND; RS_ENAME;
 * RS_EACCESS. */
RS_CALL int rs_service_forget(rs_store *store, const char *name, rs_error *error);

/*
 * Waits until all services have answered a revision that are concerned by it: whose named watch is
 * open when this is called and answers for a key that a change of the revision concerns. each,
 * which may be NULL, is called for each as soon as its answer is known, and at the end, with
 * RS_ANSWER_NONE, for those that have none; the same rule. Answers of a process count as long as it
 * lives; one that is started again under its name may answer for it. timeout is in milliseconds,
 * negative for ever. RS_OK: all have applied it, with a restart or without, or nobody is concerned.
 * Switch on: RS_EREJECTED, one or more have rejected it; RS_ETIMEOUT; RS_EBEHIND, the revision is
 * no longer in the journal; RS_ENOTFOUND, it has not been made.
 */
RS_CALL int rs_wait(rs_store *store, uint64_t revision, int timeout,
                    int (*each)(void *context, const rs_service *service), void *context);

/* Whether a watch on the key at path, with these flags, would be told of what the write transaction
 * has changed so far; who would be waited for. concerned receives 0 or 1. On a read transaction:
 * RS_EREADONLY. */
RS_CALL int rs_txn_concerns_n(rs_txn *txn, const char *path, size_t len, unsigned flags,
                              int *concerned);

/* ---- History ---- */

/*
 * The journal keeps the latest revisions as the values of HKRS\Settings\Journal say: MaxRevisions
 * (10,000 where it is not set), MaxBytes (256 MiB; 0: any number), and MaxAge in days (0, for
 * ever); where one is not set the default of its rule counts. What is beyond goes step by step with
 * later commits, but never the latest one.
 */

/* How a revision was made. */
#define RS_REVISION_FORCED 1u   /* against the rules */
#define RS_REVISION_UNDO 2u     /* takes back the revisions from ... to */
#define RS_REVISION_REDO 4u     /* instead of UNDO: what it takes back is an undo or a rollback */
#define RS_REVISION_ROLLBACK 8u /* an unconfirmed change taken back */
#define RS_REVISION_PARTIAL 16u /* an undo that left something out, or beside more */

typedef struct rs_revision_info {
    uint64_t revision;
    uint64_t time; /* when it was committed */
    uint32_t uid;  /* by whom */
    uint32_t pid;
    const char *program;
    const char *message; /* "" if none */
    unsigned flags;      /* RS_REVISION_... */
    uint64_t from;       /* the revisions that it takes back; 0 if it is no undo */
    uint64_t to;
} rs_revision_info;

/*
 * Calls each for the revisions from newest (RS_NOW: the latest) down to oldest (0: as far as the
 * journal reaches); those that it no longer holds are left out. What each is given lives during the
 * call; it returns 0 to go on, another number ends the list and is returned.
 */
RS_CALL int rs_history(rs_txn *txn, uint64_t newest, uint64_t oldest,
                       int (*each)(void *context, const rs_revision_info *revision), void *context);
/* Calls each for the changes of one revision, in the order they were made; the same rule. A key
 * that was created stands for all that was put into it; what a recursive delete removed is told
 * one by one, marked inner. Paths are whole, also in relative. Switch on: RS_EBEHIND, it is no
 * longer in the journal; RS_ENOTFOUND, it has not been made. */
RS_CALL int rs_history_changes(rs_txn *txn, uint64_t revision,
                               int (*each)(void *context, const rs_change *change), void *context);
/* The same as rs_history() for those revisions alone that a watch on path would tell; with
 * RS_SUBTREE keys below it too. The key need not exist; links lead where they lead now. */
RS_CALL int rs_history_key_n(rs_txn *txn, const char *path, size_t len, unsigned flags,
                             uint64_t newest, uint64_t oldest,
                             int (*each)(void *context, const rs_revision_info *revision),
                             void *context);

/* ---- Undo ---- */

/* A change that cannot be taken back without loss, as what is there is not what it left. */
typedef struct rs_conflict {
    uint64_t revision;       /* that is to be taken back */
    const rs_change *change; /* of it */
    const char *text;        /* one line: "the value was changed since" */
    int lasting;             /* not 0: RS_UNDO_FORCE cannot take it back either */
} rs_conflict;

#define RS_UNDO_FORCE 1u /* take it back all the same; what is in the way is lost */
#define RS_UNDO_SKIP 2u  /* leave out what is in conflict */

typedef struct rs_undo_options {
    unsigned flags; /* RS_UNDO_FORCE or RS_UNDO_SKIP */
    /* NULL, or called for each conflict, with texts that live during the call; another answer than
     * 0 cancels. */
    int (*conflict)(void *context, const rs_conflict *conflict);
    void *context;
} rs_undo_options;

typedef struct rs_undo_report {
    uint64_t changes; /* taken back */
    uint64_t conflicts;
} rs_undo_report;

/*
 * Takes the revisions from ... to back, the newest first, in a write transaction: what they changed
 * becomes what it was, with names as spelled, order, key numbers and write times. It is an ordinary
 * revision, which can be taken back, too, and rules do not stand in its way. Later revisions stay;
 * where they have changed the same, that is a conflict: without a flag all conflicts are told, and
 * the transaction can only be aborted. options and report may be NULL; the report is written for
 * RS_ECONFLICT, too. Switch on: RS_ECONFLICT; RS_EBEHIND, no longer in the journal; RS_ENOTFOUND,
 * to has not been made; RS_ECANCELLED.
 */
RS_CALL int rs_undo(rs_txn *txn, uint64_t from, uint64_t to, const rs_undo_options *options,
                    rs_undo_report *report);

/*
 * Opens the store as a revision left it (0: as it was made), for reading: key numbers, order and
 * write times are those of then. It is a copy in memory and in a file without a name in $TMPDIR
 * (/tmp), of no use to watches; it takes as long as a copy of the whole store and taking back what
 * was done since. rs_close() ends it, before or after the store itself. Switch on: RS_EBEHIND, the
 * journal does not reach back so far; RS_ENOTFOUND, a revision that has not been made; RS_EDISK.
 */
RS_CALL int rs_open_past(rs_store *store, uint64_t revision, rs_store **past, rs_error *error);

/* ---- Confirmation ---- */

/*
 * A change that is to be confirmed is taken back unless rs_confirm() comes within so many seconds.
 * It is taken back, in one revision (RS_REVISION_ROLLBACK), by whoever calls rs_confirm_due() or
 * rs_open() for writing first when its time is over, and never before. As long as the machine runs
 * its time counts, asleep or not, whatever is done to the clock; after another start, the clock.
 * What has been changed since is left as it is, and named in that revision's message. Till then the
 * journal keeps the revision. A store that rs_restore() puts in place waits for nothing.
 */

/* In a write transaction: what it changes is to be confirmed within so many seconds of its commit
 * (0: it is taken back at the next occasion); a commit that changes nothing waits for nothing.
 * Switch on: RS_EBUSY, a revision waits already.
 */
RS_CALL int rs_txn_confirm(rs_txn *txn, uint32_t seconds);

typedef struct rs_pending {
    uint64_t revision;
    uint32_t seconds;  /* that it was given */
    uint64_t deadline; /* as a time of day, by the clock as it was at the commit */
    uint64_t left_ms;  /* 0: it is to be taken back */
} rs_pending;
/* What waits, as the transaction sees it. RS_ENOTFOUND: nothing does. */
RS_CALL int rs_confirm_pending(rs_txn *txn, rs_pending *pending);
/* Keeps it. revision may be NULL. Switch on: RS_ENOTFOUND: nothing waits, or it was too late;
 * RS_EREADONLY. */
RS_CALL int rs_confirm(rs_store *store, uint64_t *revision, rs_error *error);
/* Takes back what waits if its time is over. revision may be NULL; it receives the revision that
 * was made, 0 if none was due. Switch on: RS_EREADONLY, something is due and nothing can be written
 * here; RS_EDISK. */
RS_CALL int rs_confirm_due(rs_store *store, uint64_t *revision, rs_error *error);

/* ---- Dumps ---- */

/* What a dump had lost before it came here, or what was left out of it; facts about a place,
 * counted by the caller. */
enum rs_loss_kind {
    RS_LOSS_TYPE = 1,      /* the type's number is not in the dump; REG type 0xffffffff is stored */
    RS_LOSS_LIST_END = 2,  /* how a REG_MULTI_SZ ended is not in the dump */
    RS_LOSS_DUPLICATE = 3, /* a second key or value whose name folds alike: left out */
    RS_LOSS_TIME = 4,      /* a key without a write time */
    RS_LOSS_NUMBER = 5,    /* a number that may stand for data of another length */
    RS_LOSS_LINE = 6,      /* a line or an entry that means nothing: left out */
    RS_LOSS_TARGETED = 7,  /* of a policy: an item that applies only under conditions: left out */
    RS_LOSS_DISABLED = 8,  /* of a policy: an item that is switched off: left out */
    RS_LOSS_RIGHTS = 9,    /* of a policy: access rights of a key: left out */
    RS_LOSS_BITS = 10,     /* of a policy: single bits of a number: left out */
    RS_LOSS_STALE = 11,    /* a dirty hive: its logs did not give all of its newest changes */
    RS_LOSS_CUT = 12,      /* of a written file: a text ends at its first NUL, data goes on */
    RS_LOSS_CLASS = 13,    /* a class name that is damaged: left out */
    RS_LOSS_NO_CLASS = 14, /* of a patch: a class name that it would have to give a key */
    RS_LOSS_BELOW_LINK = 15, /* of a .reg file: a key below a link, where no path leads */
    RS_LOSS_CURRENT = 16     /* the link CurrentControlSet: an ordinary key is in its place */
};
/* What is lost in a line for a person; NULL for a number that is no kind. Static. */
RS_API const char *rs_loss_text(enum rs_loss_kind kind);

typedef struct rs_import_options {
    const char *key; /* where it is mounted; NULL: the dump must say where it belongs */
    unsigned flags;  /* RS_KEEP or RS_REPLACE, and RS_VIEW_32 */
    /* NULL, or called now and then; another answer than 0 cancels. */
    int (*progress)(void *context, const rs_progress *progress);
    /* NULL, or called for each loss; value is NULL for a key's. */
    void (*loss)(void *context, enum rs_loss_kind kind, const char *path, const char *value);
    void *context;
    rs_spool *spool; /* NULL, or what is read; the file's name is for messages then */
} rs_import_options;
#define RS_KEEP 2u    /* never overwrite or delete a value that is set, nor delete a key */
#define RS_REPLACE 4u /* what is below the key and not in the dump is deleted, too */
#define RS_VIEW_32 8u /* key paths, the dump's own as well, mean the 32-bit view */

/*
 * Opens a dump, "-" being standard input, before the transaction begins that imports it: while one
 * writer waits for the other end of a pipe, all would. A regular file stays open. What reading
 * could wait for (a pipe, a FIFO, a device, a file of another machine or process) is read to its
 * end into a file without a name in $TMPDIR, or /tmp, which takes as much room as the dump. Of
 * options, which may be NULL, progress and context count. One thread at a time may use a spool, and
 * close it when no import reads it; NULL is allowed. Blocks. Switch on: RS_EDISK; RS_EACCESS.
 */
RS_CALL int rs_spool_open(const char *file, const rs_import_options *options, rs_spool **spool,
                          rs_error *error);
RS_API void rs_spool_close(rs_spool *spool);

typedef struct rs_import_report {
    const char *format; /* "xml"; static */
    /* The canonical path it was imported to; belongs to the transaction. NULL: the keys of a patch
     * (a .reg file) say themselves where they belong. */
    const char *key;
    uint64_t keys_added;
    uint64_t keys_found; /* existed before */
    uint64_t values_added;
    uint64_t values_changed;
    uint64_t values_same;
    uint64_t values_kept; /* RS_KEEP, or an edit that only adds, left the value as it was */
    uint64_t keys_deleted;
    uint64_t values_deleted; /* with those of deleted keys */
    uint64_t losses;
    int foreign; /* not 0: not of our making, so without class names and exact times */
} rs_import_report;

/*
 * Reads a dump into a write transaction, merging: keys and values that are not in the dump stay,
 * unless it is a patch that takes them away.
 * The format is recognised by content. file is a path, or "-" for standard input; without a spool
 * it is opened here, and what it makes wait, all writers wait for. options may be NULL. After a
 * failure the transaction can only be aborted. Switch on: RS_ENOFORMAT; RS_EFORMAT (place in
 * *error); RS_ELINK (mounted on a link); RS_EPATH (no key given and none in the dump).
 */
RS_CALL int rs_import(rs_txn *txn, const char *file, const rs_import_options *options,
                      rs_import_report *report, rs_error *error);

typedef struct rs_export_options {
    /* "xml", "reg", "reg-utf8" or "regf"; NULL: by the ending of the file's name, else reg as
     * reg.exe does, xml on standard output */
    const char *format;
    unsigned flags; /* RS_OVERWRITE */
    int (*progress)(void *context, const rs_progress *progress);
    /* NULL, or called for each thing that the file does not hold; value is NULL for a key's. */
    void (*loss)(void *context, enum rs_loss_kind kind, const char *path, const char *value);
    void *context;
    /* What a .reg file calls the key, a rooted path by which an import finds it; NULL: its own. */
    const char *name;
    size_t name_len; /* or RS_NTS */
} rs_export_options;
#define RS_OVERWRITE 1u /* replace a file of that name */

/* Writes key and everything below it to a file, which appears complete or not at all; "-" is
 * standard output. Volatile keys are left out, links are written as links. Switch on: RS_EEXIST;
 * RS_EDISK; RS_EACCESS. */
RS_CALL int rs_export(rs_txn *txn, rs_key key, const char *file, const rs_export_options *options,
                      rs_error *error);

/* ---- Copying and comparing ---- */

/*
 * Copies a key's values, and with RS_SUBTREE all that is below it, to the key at path below base,
 * which is made if it is not there. Like an import it merges: what is there and not in the source
 * stays, and with RS_KEEP each value that is set; links are copied as links, volatile keys not at
 * all; keys that are made get class name and write time. flags: RS_SUBTREE, RS_KEEP. report may be
 * NULL; its format is NULL. After a failure the transaction can only be aborted. Switch on:
 * RS_EINVAL (onto or into itself, or where it would change what it copies); RS_ELINK (a key meets a
 * link).
 */
RS_CALL int rs_key_copy_n(rs_txn *txn, rs_key source, rs_key base, const char *path, size_t len,
                          unsigned flags, rs_import_report *report);

enum rs_difference_kind {
    RS_DIFFERS_KEY = 1,   /* one side alone has the key */
    RS_DIFFERS_CLASS = 2, /* its class name */
    RS_DIFFERS_VALUE = 3,
    RS_DIFFERS_TIME = 4 /* its write time, and nothing else of the key; comes after its subkeys */
};

/* One difference, with all its texts and data, lives during the call that tells it. */
typedef struct rs_difference {
    enum rs_difference_kind kind;
    const char *path; /* of the key below the two that are compared, "" for themselves */
    size_t path_len;
    const rs_key_info *left_key; /* NULL: the left side does not have it */
    const rs_key_info *right_key;
    const rs_value *left; /* of a value: NULL if the left side does not have it */
    const rs_value *right;
    int same; /* with RS_SAME: not 0 if there is no difference */
} rs_difference;

typedef struct rs_compare_options {
    unsigned flags; /* RS_SUBTREE, RS_SAME, RS_VOLATILE, RS_TIMES */
    /* NULL, or called for each difference; another answer than 0 ends the comparison and is
     * returned. It may read in both transactions. */
    int (*each)(void *context, const rs_difference *difference);
    void *context;
} rs_compare_options;
#define RS_SAME 8u   /* also tell the keys and values that are the same on both sides */
#define RS_TIMES 16u /* also compare write times */

/*
 * Compares two keys, of one transaction or of two, which may be of different stores: their values
 * and class names, and with RS_SUBTREE all that is below them, in the order of their folded names.
 * Names that differ in case alone are the same. With RS_NO_KEY on both sides all root keys are
 * compared, and paths are whole. Volatile keys are left out without RS_VOLATILE (create's flag).
 * Links are not followed; a link on one side and another key of its name on the other are told as
 * two keys. A key that one side has alone is told first, then its values in the order in which they
 * were made, then its subkeys. options may be NULL, and so may differences, which receives the
 * number of those told.
 */
RS_CALL int rs_compare(rs_txn *left_txn, rs_key left, rs_txn *right_txn, rs_key right,
                       const rs_compare_options *options, uint64_t *differences);

/* Writes what makes the left key into the right one, with everything below them, as a patch (.reg)
 * that an import applies where the left key is; the same rules as for rs_export(). Write times and
 * the order of values are not in a patch, nor are class names and keys below symbolic links, which
 * options->loss is told where they differ. With RS_NO_KEY on both sides: all root
 * keys. Switch on: RS_ENOFORMAT (the format cannot hold a patch); RS_EEXIST; RS_EDISK; RS_EACCESS.
 */
RS_CALL int rs_export_patch(rs_txn *left_txn, rs_key left, rs_txn *right_txn, rs_key right,
                            const char *file, const rs_export_options *options, rs_error *error);

/* ---- The same calls for NUL-terminated names ---- */

/* clang-format off */
static inline int rs_key_open(rs_txn *t, rs_key base, const char *path, rs_key *key)
{ return rs_key_open_n(t, base, path, RS_NTS, 0, key); }
static inline int rs_key_create(rs_txn *t, rs_key base, const char *path, rs_key *key)
{ return rs_key_create_n(t, base, path, RS_NTS, 0, key, NULL); }
static inline int rs_key_copy(rs_txn *t, rs_key source, rs_key base, const char *path, unsigned flags, rs_import_report *report)
{ return rs_key_copy_n(t, source, base, path, RS_NTS, flags, report); }
static inline int rs_key_rename(rs_txn *t, rs_key k, const char *n)
{ return rs_key_rename_n(t, k, n, RS_NTS); }
static inline int rs_key_set_class(rs_txn *t, rs_key k, const char *n)
{ return rs_key_set_class_n(t, k, n, RS_NTS); }
static inline int rs_value_get(rs_txn *t, rs_key k, const char *n, rs_value *value)
{ return rs_value_get_n(t, k, n, RS_NTS, value); }
static inline int rs_value_set(rs_txn *t, rs_key k, const char *n, uint32_t type, const void *data, size_t size)
{ return rs_value_set_n(t, k, n, RS_NTS, type, data, size); }
static inline int rs_value_delete(rs_txn *t, rs_key k, const char *n)
{ return rs_value_delete_n(t, k, n, RS_NTS); }
static inline int rs_txn_concerns(rs_txn *t, const char *path, unsigned flags, int *concerned)
{ return rs_txn_concerns_n(t, path, RS_NTS, flags, concerned); }
static inline int rs_rule_get(rs_txn *t, const char *path, const char *n, rs_rule *rule)
{ return rs_rule_get_n(t, path, RS_NTS, n, RS_NTS, rule); }
static inline int rs_effective(rs_txn *t, rs_key k, const char *n, rs_value *value, enum rs_origin *origin)
{ return rs_effective_n(t, k, n, RS_NTS, value, origin); }
static inline int rs_get_dword(rs_txn *t, rs_key k, const char *n, uint32_t *number)
{ return rs_get_dword_n(t, k, n, RS_NTS, number); }
static inline int rs_get_qword(rs_txn *t, rs_key k, const char *n, uint64_t *number)
{ return rs_get_qword_n(t, k, n, RS_NTS, number); }
static inline int rs_get_bool(rs_txn *t, rs_key k, const char *n, int *truth)
{ return rs_get_bool_n(t, k, n, RS_NTS, truth); }
static inline int rs_get_string(rs_txn *t, rs_key k, const char *n, const char **text)
{ return rs_get_string_n(t, k, n, RS_NTS, text, NULL); }
static inline int rs_get_expanded(rs_txn *t, rs_key k, const char *n, const char **text)
{ return rs_get_expanded_n(t, k, n, RS_NTS, text, NULL); }
static inline int rs_get_multi(rs_txn *t, rs_key k, const char *n, const char *const **strings, size_t *count)
{ return rs_get_multi_n(t, k, n, RS_NTS, strings, count); }
static inline int rs_get_binary(rs_txn *t, rs_key k, const char *n, const void **data, size_t *size)
{ return rs_get_binary_n(t, k, n, RS_NTS, data, size); }
static inline int rs_set_dword(rs_txn *t, rs_key k, const char *n, uint32_t number)
{ return rs_set_dword_n(t, k, n, RS_NTS, number); }
static inline int rs_set_qword(rs_txn *t, rs_key k, const char *n, uint64_t number)
{ return rs_set_qword_n(t, k, n, RS_NTS, number); }
static inline int rs_set_bool(rs_txn *t, rs_key k, const char *n, int truth)
{ return rs_set_bool_n(t, k, n, RS_NTS, truth); }
static inline int rs_set_string(rs_txn *t, rs_key k, const char *n, const char *text)
{ return rs_set_string_n(t, k, n, RS_NTS, text); }
static inline int rs_set_expanded(rs_txn *t, rs_key k, const char *n, const char *text)
{ return rs_set_expanded_n(t, k, n, RS_NTS, text); }
static inline int rs_set_multi(rs_txn *t, rs_key k, const char *n, const char *const *strings, size_t count)
{ return rs_set_multi_n(t, k, n, RS_NTS, strings, count); }
static inline int rs_set_binary(rs_txn *t, rs_key k, const char *n, const void *data, size_t size)
{ return rs_set_binary_n(t, k, n, RS_NTS, data, size); }
static inline int rs_multi_append(rs_txn *t, rs_key k, const char *n, const char *text)
{ return rs_multi_append_n(t, k, n, RS_NTS, text, NULL); }
static inline int rs_multi_remove(rs_txn *t, rs_key k, const char *n, const char *text)
{ return rs_multi_remove_n(t, k, n, RS_NTS, text, NULL); }
static inline int rs_link_create(rs_txn *t, rs_key base, const char *path, const char *target, unsigned flags, rs_key *key)
{ return rs_link_create_n(t, base, path, RS_NTS, target, RS_NTS, flags, key); }
static inline int rs_watch_open(rs_store *s, const char *path, unsigned flags, uint64_t since, rs_watch **watch, rs_error *error)
{ return rs_watch_open_n(s, path, RS_NTS, flags, since, watch, error); }
static inline int rs_watch_open_named(rs_store *s, const char *name, const char *path, unsigned flags, rs_watch **watch, rs_error *error)
{ return rs_watch_open_named_n(s, name, path, RS_NTS, flags, watch, error); }
static inline int rs_watch_answer_for(rs_watch *w, const char *path, rs_error *error)
{ return rs_watch_answer_for_n(w, path, RS_NTS, error); }
static inline int rs_history_key(rs_txn *t, const char *path, unsigned flags, uint64_t newest, uint64_t oldest, int (*each)(void *context, const rs_revision_info *revision), void *context)
{ return rs_history_key_n(t, path, RS_NTS, flags, newest, oldest, each, context); }
/* clang-format on */

#ifdef __cplusplus
}
#endif

#endif
