/*
 * control_file - what a control file says of a job: RFC 1179 section 7.
 *
 * Lines that say how to print - titles, fonts, widths, who gets mail - are left out: documents go
 * where they go byte for byte. Order is that of the lines that print; a file that is named again is
 * printed once more. All texts become UTF-8 without unseen characters, cut where they are too
 * long. Pure; needs line, character, lpd_request for names, and job's limits.
 */
#ifndef LPDSVC_CONTROL_FILE_H
#define LPDSVC_CONTROL_FILE_H

#include "lpd_request.h"

#include "../common/line.h"
#include "../printing/job.h"

#define CONTROL_LINE_MAX 1024 /* bytes of a line */

struct control_print {
    char file[LPD_FILE_NAME]; /* the name under which it is sent */
    char title[JOB_TEXT];     /* N; "": none */
    char format;
    unsigned copies;
};

struct control_file {
    char host[JOB_TEXT];  /* H; "": not told */
    char user[JOB_TEXT];  /* P; the same */
    char title[JOB_TEXT]; /* J; else the first file's */
    size_t count;         /* at least 1 */
    struct control_print prints[JOB_DOCUMENTS];
};

/* Gives false with the reason in *problem, and *control is worth nothing then. */
bool control_file_read(const uint8_t *bytes, size_t size, struct control_file *control,
                       struct line *problem);
/* Which of the prints is of this file; -1: none. */
int control_file_find(const struct control_file *control, const char *file);
/* Makes a text of any bytes: what is no UTF-8 becomes U+FFFD, and unseen characters go. size
 * counts the NUL. */
void control_file_clean(const uint8_t *bytes, size_t count, char *text, size_t size);

#endif
