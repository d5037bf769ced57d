#include "backend/host/unixsignals.h"

#include <QSocketNotifier>

#include <csignal>
#include <sys/socket.h>
#include <unistd.h>

namespace foundry::backend {

namespace {

volatile int unixsignalsWriteEnd = -1;

// Only what is allowed in a signal handler: one byte into a socket.
void unixsignalsHandler(int number)
{
    const char byte = char(number);
    const ssize_t written = ::write(unixsignalsWriteEnd, &byte, 1);
    (void)written;
}

} // namespace

UnixSignals::UnixSignals(QObject *parent)
    : QObject(parent)
{
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, m_pair) != 0)
        return;
    unixsignalsWriteEnd = m_pair[0];
    auto *notifier = new QSocketNotifier(m_pair[1], QSocketNotifier::Read, this);
    connect(notifier, &QSocketNotifier::activated, this, [this] {
        char byte = 0;
        if (::read(m_pair[1], &byte, 1) == 1)
            Q_EMIT terminate(byte);
    });
    struct sigaction action = {};
    action.sa_handler = unixsignalsHandler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (const int number : {SIGTERM, SIGINT, SIGHUP})
        sigaction(number, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

UnixSignals::~UnixSignals()
{
    for (const int number : {SIGTERM, SIGINT, SIGHUP})
        std::signal(number, SIG_IGN);
    ::close(m_pair[0]);
    ::close(m_pair[1]);
}

} // namespace foundry::backend
