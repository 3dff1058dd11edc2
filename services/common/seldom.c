/* seldom - see seldom.h. */
#include "seldom.h"

bool seldom_may(struct seldom *kind, const struct loop *loop)
{
    int64_t now = loop_now(loop);
    if (kind->told && now - kind->when < SELDOM_MS) {
        kind->untold++;
        return false;
    }
    kind->told = true;
    kind->when = now;
    return true;
}

void seldom_write(struct seldom *kind, const struct log *log, struct line *line)
{
    if (kind->untold > 0) {
        line_add(line, "; %u more like this since the last line", kind->untold);
    }
    kind->untold = 0;
    log_line(log, LOG_LINE_WARNING, "%s", line->text);
}
