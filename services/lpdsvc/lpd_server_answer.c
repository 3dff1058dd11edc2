/* lpd_server_answer - what is sent to a client; see lpd_server.h. */
#include "lpd_server_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char cut_line[] = "... and more\n";

static bool make_room(struct lpd_answer *answer, size_t more)
{
    if (answer->room - answer->size >= more) {
        return true;
    }
    size_t room = answer->room > 0 ? answer->room : 256;
    while (room - answer->size < more) {
        room *= 2;
    }
    char *text = realloc(answer->text, room);
    if (text == NULL) {
        return false;
    }
    answer->text = text;
    answer->room = room;
    return true;
}

static bool append(struct lpd_answer *answer, const char *bytes, size_t size)
{
    bool fits = make_room(answer, size);
    if (fits) {
        memcpy(answer->text + answer->size, bytes, size);
        answer->size += size;
    }
    return fits;
}

bool lpd_answer_byte(struct lpd_answer *answer, char byte)
{
    return append(answer, &byte, 1);
}

void lpd_answer_add(struct lpd_answer *answer, const char *format, ...)
{
    va_list arguments;
    va_list again;
    if (answer->cut) {
        return;
    }
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    size_t most = LPD_ANSWER_MAX - (sizeof(cut_line) - 1);
    answer->cut = length < 0 || (size_t)length > most - answer->size ||
                  !make_room(answer, (size_t)length + 1);
    if (!answer->cut) {
        answer->size +=
            (size_t)vsnprintf(answer->text + answer->size, (size_t)length + 1, format, again);
    } else {
        (void)append(answer, cut_line, sizeof(cut_line) - 1);
    }
    va_end(again);
    va_end(arguments);
}

void lpd_answer_free(struct lpd_answer *answer)
{
    free(answer->text);
    *answer = (struct lpd_answer){.text = NULL};
}
