/*
 * What reading a pattern and comparing with it share: the characters of a text. Needs nothing.
 */
#ifndef REGTOOL_SEARCH_PATTERN_H
#define REGTOOL_SEARCH_PATTERN_H

#include <stdint.h>

/* Takes the next character, of WTF-8; a byte that begins none stands for itself. at is before end.
 * Returns where the next one begins. */
static inline const char *search_character(const char *at, const char *end, uint32_t *c)
{
    unsigned char lead = (unsigned char)*at++;
    int more = lead < 0xc0 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;

    *c = more == 0 ? lead : lead & (0x3fu >> more);
    for (; more > 0 && at < end && ((unsigned char)*at & 0xc0) == 0x80; more--) {
        *c = *c << 6 | ((unsigned char)*at++ & 0x3fu);
    }
    return at;
}

#endif
