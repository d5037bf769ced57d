// Commands to one actor, in order. Each carries a request id, so it may be sent twice and takes effect once: what is
// given while there is no link waits for it, and what was on its way when the link dropped goes again with the same id.
// Answered exactly once, with the host's answer or because the host refuses us. With an outbox, those that are to be kept
// are on the disk before they are sent, and go again after a restart, until the host has answered. GUI thread.
#pragma once

#include "realtime/connection/actorconnection.h"
#include "realtime/outbox/outbox.h"

#include <QList>

namespace foundry::realtime {

// How a command is kept until the host has it.
struct Keeping {
    RequestId id;
    QString label;                        // for people
    std::optional<UpdateDraft> draft = {}; // empty: the one that it takes the place of
};

class CommandQueue : public QObject {
    Q_OBJECT

public:
    // `connection` outlives the queue, and is kept connected while anything waits.
    explicit CommandQueue(ActorConnection &connection, std::chrono::milliseconds deadline = std::chrono::seconds(15),
        QObject *parent = nullptr);
    ~CommandQueue() override;

    ActorConnection &connection() const { return m_connection; }

    // Before the first command; outlives the queue. What is left from an earlier run comes first.
    void setOutbox(Outbox *outbox);

    // `args` is the JSON argument list, request id inside.
    void enqueue(const QString &action, const QByteArray &args, QObject *context, CallAnswer answer);
    // Without an outbox the same as enqueue(). A command of this id from an earlier run gets this answer.
    void enqueueKept(const Keeping &keeping, const QString &action, const QByteArray &args, QObject *context, CallAnswer answer);
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
        RequestId kept = {};  // its id in the outbox
        bool written = true;  // it is on the disk, or there is no disk for it
        bool marked = true;   // the disk knows that it is sent
        bool marking = false;
    };

    void send(Command &command);
    void sendAll();
    void answered(quint64 number, Result<QByteArray> result);
    void restore();
    void markWaiting();
    void append(Command command);
    Command *find(quint64 number);
    Command *findKept(const RequestId &id);
    // Ends it with this answer.
    void end(quint64 number, const Result<QByteArray> &result);
    // The host does not let us in: what is kept waits until it does.
    void refused(const Error &error);

    ActorConnection &m_connection;
    Outbox *m_outbox = nullptr;
    std::chrono::milliseconds m_deadline;
    QList<Command> m_commands;
    quint64 m_lastNumber = 0;
    QTimer m_again;
};

} // namespace foundry::realtime
