/*
 * format_xml.h - what the parts of the XML formats share: hive dumps, and Group Policy's
 * Registry.xml.
 *
 * The parts, each a file: format_xml.c (the table of type words, the module's entry),
 * format_xml_filter.c (bytes that XML forbids made harmless, and back), format_xml_tags.c (counts
 * the attributes of a tag), format_xml_code.c (base64 and times), format_xml_read.c (libxml2's push
 * parser, places of errors), format_xml_elements.c (the grammar), format_xml_value.c (a value's
 * attributes to its bytes), format_xml_write.c (the writer), format_xml_gpp.c (the grammar of
 * Registry.xml), format_xml_gpp_item.c (what its items mean). Needs format, value and text. Only
 * format_xml_read.c knows libxml2.
 */
#ifndef REGSTORE_FORMAT_XML_H
#define REGSTORE_FORMAT_XML_H

#include "format.h"

extern const struct format format_xml;
extern const struct format format_gpp;
extern const struct format_module regstore_format RS_API;

/* The version of our dialect, in <hive regstore="1">. */
#define XML_DIALECT "1"
/* One piece of markup may have so many bytes; what is longer is refused, since the parser would
 * have to hold it. */
#define XML_MAX_MARKUP ((size_t)24 << 20)
/* A tag may have so many attributes: the parser's time is quadratic in them. The grammar knows far
 * fewer. */
#define XML_MAX_TAG_ATTRIBUTES 64u
/* What the parser is fed at once. It searches an unfinished tag anew for every chunk, so small
 * chunks make a long attribute quadratic. */
#define XML_CHUNK ((size_t)1 << 20)
/* Our dumps hold data as text up to so many bytes of it, beyond only as base64: a value's tag then
 * stays below XML_MAX_MARKUP. */
#define XML_MAX_TEXT ((size_t)1 << 20)

/* ---- Words: how a value's type is written, and in which form its data stands beside it. ---- */

enum xml_form {
    XML_FORM_BASE64, /* value="base64", none at all for no data */
    XML_FORM_TEXT,   /* value="text" */
    XML_FORM_LIST,   /* <string>text</string>... */
    XML_FORM_NUMBER  /* value="signed decimal" */
};
struct xml_word {
    const char *word;
    uint32_t type;
    enum xml_form form;
};
#define XML_UNKNOWN_TYPE 0xffffffffu /* what a dump calls "unknown": the number is lost */

/* The row of a word; NULL if there is none. */
const struct xml_word *xml_word_by_name(const char *word, size_t len);
/* The row that data of a type is written with: the one of its text form, or with raw set the one of
 * bytes that are no text (for types that have no such row: the usual one). */
const struct xml_word *xml_word_by_type(uint32_t type, bool raw);
/* The bytes that the text form of data means when it is read back: a string ends at its first NUL,
 * a list is each string and its NUL. Appends them. */
int xml_reread(struct buffer *buffer, uint32_t type, const void *data, size_t size);

/* ---- Filter ---- */

/*
 * Appends in to out with what libxml2 would refuse written as an escape: U+10FFFD and a letter, a
 * real U+10FFFD doubled (a numeric reference to it, too). *used is how much of in was taken: all of
 * it if last, else perhaps some bytes less, which begin the next call's input. RS_EFORMAT: there is
 * a NUL at *used.
 */
int xml_filter(const void *in, size_t size, bool last, struct buffer *out, size_t *used);
/* Undoes the escapes in whole text, in place; gives the new length. In attributes libxml2 leaves a
 * "&" as "&#38;", which is undone, too. */
size_t xml_unfilter(char *text, size_t len, bool attribute);
/* How many bytes of the original file filtered bytes stand for. */
uint64_t xml_original_size(const void *filtered, size_t size);
/* False if UTF-8 text cannot stand in an XML file. */
bool xml_can_hold(const char *text, size_t len);

/* ---- Tags ---- */

enum xml_tags_state {
    XML_TAGS_TEXT,        /* outside of all markup */
    XML_TAGS_OPENED,      /* behind "<" */
    XML_TAGS_DECLARATION, /* behind "<!" or "<!-" */
    XML_TAGS_COMMENT,     /* behind "<!--" or "<!---" */
    XML_TAGS_SKIPPED,     /* in a comment or an instruction */
    XML_TAGS_TAG,         /* in a tag, outside of its values */
    XML_TAGS_VALUE,       /* in a quoted value */
    XML_TAGS_FULL,        /* before the value that is one too many */
    XML_TAGS_REFUSED      /* in what the parser refuses: DOCTYPE, CDATA */
};

/* Where in the markup of a file the bytes so far have led. All zero at its beginning. */
struct xml_tags {
    enum xml_tags_state state;
    char quote;          /* ends the value */
    unsigned values;     /* of the tag, so far */
    const char *closing; /* what ends the comment or the instruction */
    unsigned matched;    /* bytes of closing that have just been there, or dashes behind "<!" */
};

/* Follows the next bytes of a file, and changes what the parser would take for the end of a comment
 * that has just begun. Gives how many of them the parser may have: less than size if a
 * tag has more than XML_MAX_TAG_ATTRIBUTES attributes, and then the first one too many has its
 * value there. */
size_t xml_tags_follow(struct xml_tags *tags, char *bytes, size_t size);

/* ---- Base64 and times ---- */

/* Appends the bytes of base64, in which white space is skipped. RS_EDATA. */
int xml_base64_decode(struct buffer *buffer, const char *text, size_t len);
int xml_base64_encode(struct buffer *buffer, const void *data, size_t size);
/* "2010-02-02T13:42:44Z", with up to seven decimals, as a FILETIME. RS_EDATA. */
int xml_time_parse(const char *text, size_t len, uint64_t *time);
/* Appends the time, with seven decimals if fraction. */
int xml_time_print(struct buffer *buffer, uint64_t time, bool fraction);

/* ---- Reader ---- */

/* All attributes of all elements: name, only in our dialect. */
#define XML_ATTRIBUTE_LIST(X)                                                                      \
    X(NAME, "name", false)                                                                         \
    X(NAME64, "name64", true)                                                                      \
    X(ROOT, "root", false)                                                                         \
    X(CLASS, "class", true)                                                                        \
    X(CLASS64, "class64", true)                                                                    \
    X(WRITTEN, "written", true)                                                                    \
    X(TYPE, "type", false)                                                                         \
    X(ENCODING, "encoding", false)                                                                 \
    X(KEY, "key", false)                                                                           \
    X(KEY64, "key64", true)                                                                        \
    X(DEFAULT, "default", false)                                                                   \
    X(VALUE, "value", false)                                                                       \
    X(REGTYPE, "regtype", true)                                                                    \
    X(EXACT, "exact", true)                                                                        \
    X(REGSTORE, "regstore", false)                                                                 \
    X(FILE_OFFSET, "file_offset", false)                                                           \
    X(LEN, "len", false)

enum xml_attribute {
#define XML_ATTRIBUTE_ENUM(name, text, own) XML_##name,
    XML_ATTRIBUTE_LIST(XML_ATTRIBUTE_ENUM)
#undef XML_ATTRIBUTE_ENUM
        XML_ATTRIBUTES
};

enum xml_element {
    XML_DOCUMENT, /* outside of the root element */
    XML_HIVE,
    XML_MTIME,
    XML_NODE,
    XML_BYTE_RUNS,
    XML_BYTE_RUN,
    XML_VALUE_ELEMENT,
    XML_STRING,
    XML_ELEMENTS
};

/* How far the content of the innermost open node (or of the hive) has come. */
enum xml_phase { XML_AT_START, XML_AFTER_MTIME, XML_AFTER_RUNS, XML_IN_VALUES, XML_IN_NODES };

/* An attribute of the tag at hand, as the parser gives it; text is NULL if it is not there. */
struct xml_span {
    const char *text;
    size_t len;
};

struct xml_value {
    const struct xml_word *word; /* NULL while no value is open */
    uint32_t type;
    struct buffer name;
    struct buffer data;  /* what the text form means */
    struct buffer exact; /* what exact="..." says */
    bool has_data;
    bool has_exact;
    bool ended; /* of a list: the last string was empty */
    unsigned runs;
    uint64_t run_length; /* of the second run: the data's cell */
};

struct xml_gpp;

struct xml_reader {
    const struct xml_grammar *grammar;
    struct xml_gpp *gpp; /* NULL: a hive dump */
    struct format_input *input;
    struct format_sink *sink;
    rs_error *error;
    struct _xmlParserCtxt *parser;
    int status;           /* of the first failure */
    uint64_t fed;         /* bytes of the file that the parser has got */
    bool at_end;          /* it has got all of them */
    struct xml_tags tags; /* in what was fed */
    bool own;             /* the dump is of our dialect */
    enum xml_element at;  /* the innermost open element */
    enum xml_phase phase;
    unsigned depth; /* nodes open */
    struct xml_span attributes[XML_ATTRIBUTES];
    unsigned given;        /* a bit for each of them that is there */
    struct xml_span piece; /* of text, as the parser gives it */
    struct buffer text;    /* of the innermost element */
    struct buffer scratch;

    /* The key that was read but not told yet, because its time comes after its tag. */
    bool key_pending;
    bool key_absolute;
    bool key_has_class;
    uint64_t key_written;
    struct buffer key_name;
    struct buffer key_class;

    struct xml_value value;
};

/* Which place in the file a failure is about. */
enum xml_place {
    XML_HERE, /* where the parser stands */
    XML_TAG,  /* the beginning of the tag at hand */
    XML_TEXT, /* the text at hand, from the first character that is no white space */
    XML_FED   /* the end of what the parser has got */
};
/* Ends the work with a line that names the place; the first failure wins. Returns the status.
 * (format_xml_read.c) */
int xml_fail(struct xml_reader *reader, int status, enum xml_place where, const char *format, ...)
    RS_PRINTF(4, 5);

/* What the parser's events mean in a kind of files. start, text and end tell a failure through
 * xml_fail() and return its status. */
struct xml_grammar {
    const char *what; /* "hive dumps" */
    /* Where an attribute of that name is put in reader->attributes; XML_ATTRIBUTES: it is unknown,
     * which ends the work; XML_IGNORED: it means nothing. */
    unsigned (*attribute)(const char *name);
    int (*start)(struct xml_reader *reader, const char *name);
    int (*text)(struct xml_reader *reader, const char *text, size_t len);
    int (*end)(struct xml_reader *reader);
    bool (*is_whole)(const struct xml_reader *reader); /* the outermost element has ended */
};
#define XML_IGNORED (XML_ATTRIBUTES + 1u)

/* Reads a file in chunks of this size; reader has its grammar and what belongs to it. What it holds
 * for the grammar of hive dumps is released. */
int xml_read_with(struct xml_reader *reader, size_t chunk);
/* Reads a hive dump; format_xml.read is this with XML_CHUNK. */
int xml_read_chunked(struct format_input *input, struct format_sink *sink, size_t chunk,
                     rs_error *error);
/* Reads a Registry.xml; format_gpp.read is this with XML_CHUNK. (format_xml_gpp.c) */
int xml_read_gpp_chunked(struct format_input *input, struct format_sink *sink, size_t chunk,
                         rs_error *error);

/* The grammar of hive dumps. (format_xml_elements.c) */
extern const struct xml_grammar xml_hive_grammar;
/* True if text is white space. */
bool xml_is_space(const char *text, size_t len);
/* Text of a tag's attribute and its base64 twin as plain WTF-8 in buffer; *given tells whether
 * either is there. what is for the error. */
int xml_take_name(struct xml_reader *reader, unsigned plain, unsigned coded, struct buffer *buffer,
                  size_t max_units, const char *what, bool *given);
/* True if the tag's attribute is there and has this text. */
bool xml_attribute_is(const struct xml_reader *reader, unsigned which, const char *text);

/* A value's tag, one <string> of it, one run of its cells, its end. (format_xml_value.c) */
int xml_value_start(struct xml_reader *reader);
int xml_value_string(struct xml_reader *reader);
int xml_value_run(struct xml_reader *reader);
int xml_value_end(struct xml_reader *reader);
void xml_value_free(struct xml_value *value);

/* ---- Group Policy's Registry.xml ---- */

/* Attributes that mean something; they are put into reader->attributes. */
enum gpp_attribute {
    GPP_ACTION,
    GPP_HIVE,
    GPP_KEY,
    GPP_NAME,
    GPP_TYPE,
    GPP_VALUE,
    GPP_DEFAULT,
    GPP_BITFIELD,
    GPP_DISABLED,
    GPP_NONE, /* none: never there */
    GPP_ATTRIBUTES
};
_Static_assert((int)GPP_ATTRIBUTES <= (int)XML_ATTRIBUTES, "they share an array");

/* One item as it is kept until it is known whether it applies. Texts lie in the arena. */
struct gpp_item {
    char action;                /* C, R, U, D */
    bool is_key;                /* not a value */
    enum rs_loss_kind left_out; /* why; 0: it applies */
    const char *path;
    size_t path_len;
    rs_value value;
};

/* What is known of the item at hand. (format_xml_gpp_item.c) */
struct gpp_draft {
    struct gpp_item item;
    bool described; /* its <Properties> were there */
    bool listed;    /* its <Values>, too */
    struct buffer path;
    struct buffer name;
    struct buffer data;
};

/* Takes the tag <Properties>; a <Value> of a list, from reader->text; its end. */
int gpp_draft_describe(struct xml_reader *reader, struct gpp_draft *draft);
int gpp_draft_value(struct xml_reader *reader, struct gpp_draft *draft);
int gpp_draft_end(struct xml_reader *reader, struct gpp_draft *draft);
/* Tells the sink of an item. */
int gpp_item_tell(struct format_sink *sink, const struct gpp_item *item);
void gpp_draft_free(struct gpp_draft *draft);

/* ---- Writer (format_xml_write.c) ---- */

int xml_write_begin(struct format_output *output, struct format_sink **sink);
int xml_write_end(struct format_sink *sink, bool ok);

#endif
