/* server_log - lines about strangers, who must not fill the log; see server_parts.h. */
#include "server_parts.h"

void server_trouble(struct rpc_server *server, enum trouble kind, const char *format, ...)
{
    struct line line = LINE_INIT;
    va_list arguments;
    if (!seldom_may(&server->troubles[kind], server->options.loop)) {
        return;
    }
    va_start(arguments, format);
    line_add_list(&line, format, arguments);
    va_end(arguments);
    seldom_write(&server->troubles[kind], server->options.log, &line);
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
