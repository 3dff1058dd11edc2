/* deliver_no_share - for the program that leaves print shares to regstore-deliver-smb. */
#include "deliver.h"

const struct transport *const deliver_share = NULL;
