#include "model_names.h"

#include <stdio.h>
#include <string.h>

#define CJK "\xe4\xb8\xad"
#define LONG_UNITS 250      /* of a key's name, at most 255 */
#define LONGEST_UNITS 16300 /* of a value's name, at most 16,383 */

/* Spellings that fold alike, and names that must not fold with their neighbours. Folding is by
 * UTF-16 unit, and only where upper case maps back. */
static const char *const spellings[][2] = {
    {"Name", "nAME"},
    {"\xc3\x89t\xc3\xa9", "\xc3\xa9T\xc3\x89"}, /* E acute */
    {"\xc3\x9f", "\xc3\x9f"},                   /* sharp s */
    {"\xe1\xba\x9e", "\xe1\xba\x9e"},           /* capital sharp s */
    {"SS", "ss"},
    {"\xc7\x84", "\xc7\x86"}, /* DZ caron, dz caron */
    {"\xc7\x85", "\xc7\x85"}, /* Dz caron, a title case */
    {"\xc4\xb1", "\xc4\xb1"}, /* dotless i */
    {"I", "i"},
    {"\xce\xa3", "\xcf\x83"},                 /* sigma */
    {"\xcf\x82", "\xcf\x82"},                 /* final sigma */
    {"\xd0\xaf", "\xd1\x8f"},                 /* ya */
    {"\xf0\x90\x90\x80", "\xf0\x90\x90\x80"}, /* Deseret, two units */
    {"\xf0\x90\x90\xa8", "\xf0\x90\x90\xa8"}, /* its small letter */
    {"\xed\xa0\x81", "\xed\xa0\x81"},         /* a lone surrogate */
};
#define SPELLINGS ((unsigned)(sizeof spellings / sizeof *spellings))
enum { CLASS_LONG = SPELLINGS, CLASS_LONGEST, CLASS_OWN };

static const char *const own_names[] = {"Settings", "Journal", "MaxRevisions"};

struct model_name model_name(uint32_t number, bool of_value)
{
    unsigned class = number % 24;
    struct model_name name = {class, (number >> 8) % 2, (number >> 12) % 3};
    if (of_value && number % 400 == 1) {
        name.class = CLASS_LONGEST;
    } else if (class == SPELLINGS || class == SPELLINGS + 1) {
        name.class = CLASS_LONG;
    } else if (class > SPELLINGS) {
        name.class = 0;
        name.number += 3 * (class - SPELLINGS);
    }
    return name;
}

struct model_name model_own_name(enum model_own_name which)
{
    return (struct model_name){CLASS_OWN, 0, which};
}

bool model_folds_alike(const struct model_name *a, const struct model_name *b)
{
    return a->class == b->class && a->number == b->number;
}

bool model_spelled_alike(const struct model_name *a, const struct model_name *b)
{
    bool one_spelling =
        a->class < SPELLINGS && strcmp(spellings[a->class][0], spellings[a->class][1]) == 0;
    return model_folds_alike(a, b) && (one_spelling || a->variant == b->variant);
}

const char *model_text(const struct model_name *name)
{
    static char texts[2][MODEL_NAME_SIZE];
    static unsigned turn;
    char *text = texts[turn++ % 2];
    size_t at = 0;
    size_t units = name->class == CLASS_LONG ? LONG_UNITS : LONGEST_UNITS;
    if (name->class == CLASS_OWN) {
        return own_names[name->number];
    }
    if (name->class < SPELLINGS) {
        snprintf(text, sizeof texts[0], "%s%u", spellings[name->class][name->variant],
                 name->number);
        return text;
    }
    for (size_t i = 0; i < units; i++, at += 3) {
        memcpy(text + at, CJK, 3);
    }
    snprintf(text + at, sizeof texts[0] - at, "%c%u", name->variant ? 'L' : 'l', name->number);
    return text;
}
