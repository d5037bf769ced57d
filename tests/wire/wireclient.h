// A plain client of the actor protocol on one socket, written against the frames alone: what tests and benchmarks use
// to look at a host from outside. Blocking: for tests and benchmarks only.
#pragma once

#include "models/types/result.h"
#include "models/types/topic.h"
#include "realtime/protocol/frame.h"

#include <QElapsedTimer>
#include <QHash>
#include <QObject>
#include <QSet>
#include <QStringList>
#include <QWebSocket>
#include <functional>

namespace foundry::wire {

struct ReceivedEvent {
    TopicEvent event;
    qsizetype bytes = 0;     // of the frame
    qint64 receivedNs = 0;   // on the client's clock
};

class WireClient : public QObject {
    Q_OBJECT

public:
    WireClient(QString endpoint, QString token);
    ~WireClient() override;

    Result<> open(const QString &actor, const QStringList &key, bool create = true, int timeoutMs = 10000);
    void subscribe(const QString &topic);
    // One action and its answer (JSON), at most `timeoutMs`.
    Result<QByteArray> call(const QString &action, const QByteArray &args, int timeoutMs = 10000);
    // The same without waiting: its answer comes into `answers` under the number that is returned.
    quint64 post(const QString &action, const QByteArray &args);
    QHash<quint64, Result<QByteArray>> answers;
    // Pumps until `done` or the time is over; false then.
    bool wait(const std::function<bool()> &done, int timeoutMs);

    // The host's word at the end; empty while the connection is open.
    QString closeReason() const { return m_gone ? m_socket.closeReason() : QString(); }

    QList<ReceivedEvent> events;
    qint64 nowNs() const { return m_clock.nsecsElapsed(); }
    qint64 bytesReceived = 0;

private:
    void receive(const QByteArray &text);

    QString m_endpoint;
    QString m_token;
    QWebSocket m_socket;
    QElapsedTimer m_clock;
    bool m_open = false;
    bool m_gone = false;
    quint64 m_next = 1;
    std::optional<protocol::ServerFrame> m_answer;
    quint64 m_waitingFor = 0;
    QSet<quint64> m_posted;
};

} // namespace foundry::wire
