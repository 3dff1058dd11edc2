/*
 * npam - how smbd hands a client of a named pipe over: the handshake on the pipe's Unix socket.
 *
 * smbd says who the client is ("NPAM", then NDR, as Samba's named_pipe_auth.idl has it) and waits
 * for the answer; what follows is the client's. The layout changes with Samba's releases: level 7
 * is that of 4.17, and level 6 is read as the same. Bytes that do not read as that to their very
 * end are refused. Pure: bytes go in, a struct or a refusal comes out. Needs ndr.
 */
#ifndef RPC_NPAM_H
#define RPC_NPAM_H

#include "caller.h"
#include "ndr.h"

#define NPAM_HEAD 12           /* bytes that say how long a request is, and of which level */
#define NPAM_MOST (256 * 1024) /* bytes of a request; a token may have many groups */

#define NPAM_GRANTED 0x00000000u
#define NPAM_ACCESS_DENIED 0xc0000022u /* NTSTATUS */

enum npam_reading { NPAM_READ, NPAM_NOT, NPAM_OTHER_LEVEL, NPAM_BROKEN };

/* Looks at the first NPAM_HEAD bytes: gives NPAM_READ and the whole request's size and level. The
 * level is there for NPAM_OTHER_LEVEL, too. */
enum npam_reading npam_head(const uint8_t *bytes, size_t *size, uint32_t *level);
/* Takes a whole request whose head was read: NPAM_READ or NPAM_BROKEN. */
enum npam_reading npam_read(const uint8_t *bytes, size_t size, struct rpc_caller *caller);
void npam_write(struct ndr_push *output, uint32_t level, uint32_t status);

#endif
