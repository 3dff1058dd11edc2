/* A dump to be imported, taken before the store is touched. */
#include "spool.h"

#include "progress.h"
#include "report.h"

static int on_progress(void *context, const rs_progress *numbers)
{
    progress_show(context, numbers);
    return 0;
}

int spool_open(const char *file, rs_spool **spool)
{
    struct progress progress;
    const rs_import_options options = {.progress = on_progress, .context = &progress};
    rs_error error = RS_ERROR_INIT;
    int status;

    progress_begin(&progress, "reading");
    status = rs_spool_open(file, &options, spool, &error);
    progress_end(&progress);
    return status == RS_OK ? 0 : report_status(status, &error, file);
}
