// Commands to one actor, in order. Each carries a request id, so it may be sent twice and takes effect once: what is
// given while there is no link waits for it, and what was on its way when the link dropped goes again with the same id.
// Answered exactly once, with the host's answer or because the host refuses us. GUI thread.
#pragma once

#include "realtime/connection/actorconnection.h"

#include <QList>

namespace foundry::realtime {

class CommandQueue : public QObject {
    Q_OBJECT

public:
    // `connection` outlives the queue, and is kept connected while anything waits.
    explicit CommandQueue(ActorConnection &connection, std::chrono::milliseconds deadline = std::chrono::seconds(15),
        QObject *parent = nullptr);
    ~CommandQueue() override;

    ActorConnection &connection() const { return m_connection; }

    // `args` is the JSON argument list, request id inside.
    void enqueue(const QString &action, const QByteArray &args, QObject *context, CallAnswer answer);
    // Commands without an answer yet.
    int waiting() const { return int(m_commands.size()); }
    // Ends all that wait, with a reason.
    void failAll(const Error &error);

Q_SIGNALS:
    void waitingChanged(int waiting);

private:
    struct Command {
        quint64 number = 0;
        QString action;
        QByteArray args;
        QPointer<QObject> context;
        CallAnswer answer;
        bool sent = false;
    };

    void send(Command &command);
    void sendAll();
    void answered(quint64 number, Result<QByteArray> result);

    ActorConnection &m_connection;
    std::chrono::milliseconds m_deadline;
    QList<Command> m_commands;
    quint64 m_lastNumber = 0;
    QTimer m_again;
};

} // namespace foundry::realtime
