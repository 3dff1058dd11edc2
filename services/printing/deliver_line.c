/* deliver_line - a terminal line for printing; see deliver_line.h. */
#include "deliver_line.h"
#include "deliver.h"

#include <errno.h>
#include <stddef.h>

struct rate {
    unsigned number;
    speed_t speed;
};

/* Those of target.h. */
static const struct rate rates[] = {
    {50, B50},       {75, B75},         {110, B110},       {134, B134},       {150, B150},
    {200, B200},     {300, B300},       {600, B600},       {1200, B1200},     {1800, B1800},
    {2400, B2400},   {4800, B4800},     {9600, B9600},     {19200, B19200},   {38400, B38400},
    {57600, B57600}, {115200, B115200}, {230400, B230400}, {460800, B460800}, {921600, B921600},
};

static bool find_rate(unsigned number, speed_t *speed)
{
    for (size_t at = 0; at < sizeof(rates) / sizeof(rates[0]); at++) {
        if (rates[at].number == number) {
            *speed = rates[at].speed;
            return true;
        }
    }
    return false;
}

/* Mark and space are a parity that sticks. */
static tcflag_t parity_flags(char letter)
{
    switch (letter) {
    case 'e':
        return PARENB;
    case 'o':
        return PARENB | PARODD;
    case 'm':
        return PARENB | PARODD | CMSPAR;
    case 's':
        return PARENB | CMSPAR;
    default:
        return 0;
    }
}

/* A line with parameters has a printer at its end, whether or not that shows a carrier. */
static const char *set_parameters(struct termios *wanted, const char *parameters)
{
    static const tcflag_t sizes[] = {CS5, CS6, CS7, CS8};
    struct target_line line;
    speed_t speed;
    const char *problem = target_read_line(parameters, &line);
    if (problem != NULL) {
        return problem;
    }
    if (!find_rate(line.baud, &speed)) {
        return "this line cannot have that speed";
    }
    (void)cfsetospeed(wanted, speed);
    (void)cfsetispeed(wanted, speed);
    wanted->c_cflag &= ~(tcflag_t)(PARENB | PARODD | CMSPAR | CSIZE | CSTOPB);
    wanted->c_cflag |= CLOCAL | parity_flags(line.parity) | sizes[line.data_bits - 5];
    wanted->c_cflag |= line.half_stops > 2 ? CSTOPB : 0;
    return NULL;
}

bool deliver_line_set(int fd, const char *parameters, struct termios *before, struct line *why)
{
    if (tcgetattr(fd, before) != 0) {
        deliver_add_error(why, errno);
        return false;
    }
    struct termios wanted = *before;
    wanted.c_oflag &= ~(tcflag_t)OPOST;
    wanted.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN | TOSTOP);
    const char *problem = parameters[0] != '\0' ? set_parameters(&wanted, parameters) : NULL;
    if (problem != NULL) {
        line_add(why, "%s", problem);
        return false;
    }
    int status;
    do {
        status = tcsetattr(fd, TCSADRAIN, &wanted);
    } while (status != 0 && errno == EINTR);
    if (status != 0) {
        deliver_add_error(why, errno);
    }
    return status == 0;
}

bool deliver_line_drain(int fd)
{
    int status;
    do {
        status = tcdrain(fd);
    } while (status != 0 && errno == EINTR);
    return status == 0;
}

void deliver_line_restore(int fd, const struct termios *before)
{
    (void)tcsetattr(fd, TCSADRAIN, before);
}
