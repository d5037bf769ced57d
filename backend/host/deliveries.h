// What actors have for connections, carried from their threads to the main thread in one order: events and replies, so
// that an event raised by an action arrives before its answer. One wake-up for however much there is.
#pragma once

#include "backend/actors/actorpost.h"

#include <QObject>

#include <mutex>
#include <variant>
#include <vector>

namespace foundry::backend {

class Deliveries final : public QObject, public EventSink {
    Q_OBJECT

public:
    class Receiver {
    public:
        virtual ~Receiver() = default;
        virtual void deliverEvent(const QList<ConnectionId> &connections, const QByteArray &frame) = 0;
        virtual void closeConnections(const QList<ConnectionId> &connections, const Error &reason) = 0;
    };

    explicit Deliveries(QObject *parent = nullptr);
    void setReceiver(Receiver *receiver) { m_receiver = receiver; }

    using QObject::event; // of another kind than the one below

    // Any thread.
    void event(const QList<ConnectionId> &connections, const QByteArray &frame) override;
    void close(const QList<ConnectionId> &connections, const Error &reason) override;
    void run(std::function<void()> onMainThread);

private:
    struct Event {
        QList<ConnectionId> connections;
        QByteArray frame;
    };
    struct Close {
        QList<ConnectionId> connections;
        Error reason;
    };
    using Item = std::variant<Event, Close, std::function<void()>>;
    void push(Item item);
    void pushLocked(Item item);
    void flush();

    Receiver *m_receiver = nullptr;
    std::mutex m_mutex;
    std::vector<Item> m_items;
    qsizetype m_bytes = 0; // of the events in it
};

} // namespace foundry::backend
