/*
 * conf_include - smb.conf with another file in the place of the one that it includes.
 *
 * testparm(1) judges a whole configuration, and what is to be judged is the one that smbd will have
 * once the new file is in place. So it is given a copy of smb.conf that includes the new file. Only
 * smb.conf itself is looked at, not what else it includes. Pure. Needs nothing.
 */
#ifndef LANMANSERVER_CONF_INCLUDE_H
#define LANMANSERVER_CONF_INCLUDE_H

#include <stddef.h>

/* The text of smb.conf with each `include = file` as `include = other`; their number is *count.
 * free(), or NULL where there is no memory. */
char *conf_replace_include(const char *conf, const char *file, const char *other, size_t *count);

#endif
