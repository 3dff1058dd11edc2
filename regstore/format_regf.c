/*
 * format_regf.c - regf hives, as Windows keeps them: the format and the module's entry.
 *
 * Reads what libhivex can open. libhivex finds the keys, the values and their data; names, classes,
 * times and link marks are read from the records that it points to, because it neither gives names
 * with lone surrogates nor classes. Security descriptors are not read. Writes hives by the public
 * descriptions of the format and without libhivex, which copies the list of all siblings for every
 * key that it adds (4,000 siblings make a hive of 72 MB) and sets neither times nor classes. So a
 * hive that is written has class names, exact times and links; its keys share one security
 * descriptor: Administrators and SYSTEM may do everything, Users may read.
 *
 * What libhivex could not give back is not written, but refused: names with NUL or a lone
 * surrogate, data of more than 8,000,000 bytes, more than 70,000 subkeys or 110,000 values of a
 * key. Needs libhivex.
 */
#include "format_regf.h"

uint32_t regf_sum(const unsigned char *base)
{
    uint32_t sum = 0;

    for (size_t at = 0; at < BASE_SUM; at += 4) {
        sum ^= regf_get32(base + at);
    }
    if (sum == 0xffffffffu) {
        return 0xfffffffeu;
    }
    return sum == 0 ? 1 : sum;
}

const struct format format_regf = {
    .name = "regf",
    .suffix = ".hiv",
    .read = regf_read,
    .write_begin = regf_write_begin,
    .write_end = regf_write_end,
};
