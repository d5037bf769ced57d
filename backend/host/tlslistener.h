// A listener that speaks TLS and nothing else. A connection is handed on when its handshake is done; one that does not
// get there in time is closed, and so is one too many. Who speaks plain HTTP is told so. Main thread.
#pragma once

#include "backend/host/tlsidentity.h"

#include <QTcpServer>

class QSslSocket;

namespace foundry::backend {

class TlsListener final : public QTcpServer {
    Q_OBJECT

public:
    explicit TlsListener(TlsIdentity identity, QObject *parent = nullptr);

    const TlsIdentity &identity() const { return m_identity; }
    void setHandshakeDeadline(int milliseconds) { m_deadlineMs = milliseconds; }
    int handshakes() const { return m_handshakes; }

Q_SIGNALS:
    // Encrypted, nothing read; the listener's child until it is taken.
    void connected(QTcpSocket *socket);

protected:
    void incomingConnection(qintptr descriptor) override;

private:
    void begin(QSslSocket *socket);

    const TlsIdentity m_identity;
    int m_deadlineMs = 10000;
    int m_handshakes = 0;
};

// At most so many handshakes at a time.
constexpr int kTlsHandshakeLimit = 128;

} // namespace foundry::backend
