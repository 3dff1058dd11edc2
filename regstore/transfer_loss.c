/*
 * transfer_loss.c - in words, what a dump had lost before it came here, or what is left out of it.
 *
 * Needs the public header alone.
 */
#include "transfer.h"

const char *rs_loss_text(enum rs_loss_kind kind)
{
    switch (kind) {
    case RS_LOSS_TYPE:
        return "the type's number is not in the dump: stored as type 0xffffffff";
    case RS_LOSS_LIST_END:
        return "how the list ended is not in the dump";
    case RS_LOSS_DUPLICATE:
        return "a second one of this name: left out";
    case RS_LOSS_TIME:
        return "the key's write time is not in the dump";
    case RS_LOSS_NUMBER:
        return "the number stands for data of another length";
    case RS_LOSS_LINE:
        return "a line that means nothing: left out";
    case RS_LOSS_TARGETED:
        return "applies only under conditions that are not known here: left out";
    case RS_LOSS_DISABLED:
        return "switched off: left out";
    case RS_LOSS_RIGHTS:
        return "access rights, which keys here do not have: left out";
    case RS_LOSS_CUT:
        return "data after the text's end is not in the file: the format reg-utf8 has all";
    case RS_LOSS_BITS:
        return "changes single bits of a number: left out";
    case RS_LOSS_CLASS:
        return "the key's class name is damaged: left out";
    case RS_LOSS_NO_CLASS:
        return "the key's class name is another, which is not in the file";
    case RS_LOSS_BELOW_LINK:
        return "the key is below a symbolic link, where no path leads: not in the file";
    case RS_LOSS_CURRENT:
        return "the link to the control set that Select names, an ordinary key is in its place: "
               "move "
               "what it holds to that set, delete it and Select, and import again";
    case RS_LOSS_STALE:
        return "the hive is dirty: its newest changes are in logs that are missing or damaged";
    }
    return NULL;
}
