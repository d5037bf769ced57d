// What the runtime carries for a running actor: sends, streams, events, the wake index. Any thread.
#pragma once

#include "backend/actors/actorregistry.h"
#include "backend/actors/actorstop.h"
#include "backend/observe/metrics.h"

#include <QByteArray>
#include <QList>
#include <functional>

namespace foundry::backend {

using ConnectionId = quint64;

// Where events and forced ends of connections go (the server). Called on actor threads.
class EventSink {
public:
    virtual ~EventSink() = default;
    // One encoded event frame for all of these connections.
    virtual void event(const QList<ConnectionId> &connections, const QByteArray &frame) = 0;
    virtual void close(const QList<ConnectionId> &connections, const Error &reason) = 0;
};

class ActorPost {
public:
    virtual ~ActorPost() = default;
    virtual ActorRegistry &registry() = 0;
    virtual EventSink *sink() = 0;
    virtual HostMetrics &metrics() = 0;
    // The target of a send named "create" exists from here on, also for a client that is faster than the send.
    virtual void announce(const ActorAddress &target) = 0;
    // Hands sends over in their order; acknowledged or refused to the sender's mailbox.
    virtual void deliver(const QString &senderId, const ActorAddress &target, const QList<Send> &sends) = 0;
    virtual void acknowledge(const QString &senderId, const QString &targetId, qint64 upTo) = 0;
    virtual void stream(const ActorAddress &from, const ActorAddress &to, const QString &name, const QByteArray &json) = 0;
    // The wake index changed: the clock of sleeping actors may have to be set anew.
    virtual void dueChanged() = 0;
    // The life of a cell: its actor runs; nobody is connected to it, and it was used just now; that is over; it has
    // stopped; its cell sleeps with nothing to do.
    virtual void started(const QString &id) = 0;
    virtual void idled(const QString &id) = 0;
    virtual void idleEnded(const QString &id) = 0;
    virtual void stopped(const ActorStop &stop) = 0;
    virtual void vacated(const QString &id) = 0;
};

} // namespace foundry::backend
