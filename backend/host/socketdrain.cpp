#include "backend/host/socketdrain.h"

#include <QCoreApplication>
#include <QSocketNotifier>
#include <QTimer>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace foundry::backend {

namespace {

constexpr int socketdrainReadsPerTurn = 16; // 1 MiB: others have their turn as well

// Goes by itself; what still lives when the program ends is closed with it.
class SocketDrain final : public QObject {
public:
    SocketDrain(int descriptor, int milliseconds)
        : m_descriptor(descriptor)
        , m_notifier(descriptor, QSocketNotifier::Read)
    {
        connect(&m_notifier, &QSocketNotifier::activated, this, [this] { read(); });
        QTimer::singleShot(milliseconds, this, &QObject::deleteLater);
    }
    ~SocketDrain() override
    {
        m_notifier.setEnabled(false);
        ::close(m_descriptor);
    }

private:
    void read()
    {
        std::array<char, 64 * 1024> unwanted;
        for (int n = 0; n < socketdrainReadsPerTurn; ++n) {
            const ssize_t got = ::recv(m_descriptor, unwanted.data(), unwanted.size(), MSG_DONTWAIT);
            if (got > 0 || (got < 0 && errno == EINTR))
                continue;
            if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
                m_notifier.setEnabled(false);
                deleteLater();
            }
            return;
        }
    }

    const int m_descriptor;
    QSocketNotifier m_notifier;
};

} // namespace

void drainSocket(qintptr descriptor, int milliseconds)
{
    const int kept = descriptor < 0 ? -1 : ::fcntl(int(descriptor), F_DUPFD_CLOEXEC, 0);
    if (kept < 0)
        return;
    // Begins when the owner has written its last and closed: until then both would read.
    QTimer::singleShot(0, QCoreApplication::instance(), [kept, milliseconds] {
        ::shutdown(kept, SHUT_WR);
        new SocketDrain(kept, milliseconds);
    });
}

} // namespace foundry::backend
