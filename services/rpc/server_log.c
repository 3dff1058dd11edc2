/* server_log - lines about strangers, who must not fill the log; see server_parts.h. */
#include "server_parts.h"

#define SILENCE_MS (60 * 1000) /* after a line of a kind */

void server_trouble(struct rpc_server *server, enum trouble kind, const char *format, ...)
{
    struct line line = LINE_INIT;
    va_list arguments;
    int64_t now = loop_now(server->options.loop);
    if (server->troubles.rows[kind].told && now - server->troubles.rows[kind].when < SILENCE_MS) {
        server->troubles.rows[kind].untold++;
        return;
    }
    va_start(arguments, format);
    line_add_list(&line, format, arguments);
    va_end(arguments);
    if (server->troubles.rows[kind].untold > 0) {
        line_add(&line, "; %u more like this since the last line",
                 server->troubles.rows[kind].untold);
    }
    server->troubles.rows[kind].told = true;
    server->troubles.rows[kind].when = now;
    server->troubles.rows[kind].untold = 0;
    log_line(server->options.log, LOG_LINE_WARNING, "%s", line.text);
}

void server_name_caller(struct line *line, const struct rpc_caller *caller)
{
    const char *place = caller->address[0] != '\0' ? caller->address : caller->computer;
    if (place[0] == '\0') {
        line_add(line, "a client of the named pipe");
        return;
    }
    line_add(line, "client ");
    line_add_quoted(line, place);
    if (caller->account[0] != '\0') {
        line_add(line, " (account ");
        line_add_quoted(line, caller->account);
        line_add(line, ")");
    }
}
