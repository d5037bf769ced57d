// A server in memory for tests of the client half: sockets that never leave the process, a resolver that needs no HTTP,
// and a scripted actor. Frames are delivered through the event loop, in order, as a socket would.
#pragma once

#include "models/types/topic.h"
#include "realtime/connection/actorresolver.h"
#include "realtime/protocol/codec.h"
#include "realtime/protocol/frame.h"
#include "realtime/transport/transport.h"

#include <QPointer>
#include <QSet>
#include <QTimer>
#include <deque>

namespace foundry::tests {

using namespace std::chrono_literals;

class LoopbackTransport final : public realtime::Transport {
    Q_OBJECT

public:
    using Transport::Transport;

    void open(const realtime::TransportRequest &asked) override
    {
        request = asked;
        Q_EMIT openRequested();
    }
    void sendText(const QByteArray &utf8) override
    {
        sent << utf8;
        Q_EMIT clientSent(utf8);
    }
    void ping() override
    {
        ++pings;
        if (answersPings)
            QTimer::singleShot(0, this, [this] { Q_EMIT pongReceived(); });
    }
    void close(int, const QString &) override { closedByClient = true; }

    void accept() { Q_EMIT opened(); }
    void deliver(const QByteArray &frame) { Q_EMIT textReceived(frame); }
    void drop(const QString &reason = {}, int code = 1006)
    {
        realtime::TransportEnd end;
        end.code = code;
        end.reason = reason;
        end.error = makeError(
            QLatin1StringView("client"), QLatin1StringView("link_lost"), QStringLiteral("The link dropped."));
        Q_EMIT closed(end);
    }

    realtime::TransportRequest request;
    QList<QByteArray> sent;
    int pings = 0;
    bool answersPings = true;
    bool closedByClient = false;

Q_SIGNALS:
    void openRequested();
    void clientSent(const QByteArray &utf8);
};

// Answers at once, or with `error`; counts.
class LoopbackResolver final : public realtime::ActorResolver {
    Q_OBJECT

public:
    using ActorResolver::ActorResolver;

    void resolve(const realtime::Endpoint &endpoint, const realtime::ActorName &actor, QObject *context,
        std::function<void(Result<realtime::ResolvedActor>)> answer) override
    {
        ++asked;
        const auto error = nextError;
        QTimer::singleShot(0, context, [this, endpoint, actor, error, answer = std::move(answer)] {
            Q_UNUSED(this)
            if (error)
                answer(*error);
            else
                answer(realtime::ResolvedActor{QStringLiteral("id-") + actor.name, endpoint});
        });
    }
    void forget(const realtime::ActorName &) override { ++forgotten; }

    std::optional<Error> nextError;
    int asked = 0;
    int forgotten = 0;
};

// One actor: accepts sockets, says Init, remembers subscriptions, and hands each action to `onAction`. An action may be
// answered later, in any order, or never.
class LoopbackServer final : public QObject {
    Q_OBJECT

public:
    struct Action {
        quint64 id = 0;
        QString name;
        QByteArray args;
        QPointer<LoopbackTransport> socket;
    };

    realtime::TransportFactory factory()
    {
        return [this] {
            auto transport = std::make_unique<LoopbackTransport>();
            LoopbackTransport *socket = transport.get();
            sockets << socket;
            connect(socket, &LoopbackTransport::openRequested, this, [this, socket] {
                ++opened;
                if (!accepts)
                    return;
                QTimer::singleShot(0, socket, [this, socket] {
                    socket->accept();
                    subscribed.clear();
                    if (saysInit)
                        send(socket, protocol::InitFrame{QStringLiteral("a"), QStringLiteral("c")});
                });
            });
            connect(socket, &LoopbackTransport::clientSent, this, [this, socket](const QByteArray &text) { read(socket, text); });
            return transport;
        };
    }

    LoopbackTransport *socket() const { return sockets.isEmpty() ? nullptr : sockets.last().data(); }
    void send(LoopbackTransport *socket, const protocol::ServerFrame &frame) { socket->deliver(protocol::encodeServerFrame(frame)); }
    using QObject::event; // of another kind than this one
    void event(const TopicEvent &event)
    {
        if (subscribed.contains(event.topic) && socket())
            send(socket(), protocol::EventFrame{event.topic, '[' + protocol::encodeEvent(event) + ']'});
    }
    void answer(const Action &action, const QByteArray &output)
    {
        if (action.socket)
            send(action.socket, protocol::ActionResponseFrame{action.id, output});
    }
    void refuse(const Action &action, const Error &error)
    {
        if (action.socket)
            send(action.socket, protocol::ErrorFrame{error, action.id});
    }
    // The oldest unanswered call of this action.
    bool take(const QString &name, Action *taken)
    {
        for (qsizetype i = 0; i < actions.size(); ++i) {
            if (actions.at(i).name == name) {
                *taken = actions.takeAt(i);
                return true;
            }
        }
        return false;
    }
    int waiting(const QString &name) const
    {
        return int(std::count_if(actions.cbegin(), actions.cend(), [&](const Action &a) { return a.name == name; }));
    }

    QList<QPointer<LoopbackTransport>> sockets;
    QSet<QString> subscribed;
    QList<Action> actions;
    std::function<bool(const Action &)> onAction; // true: dealt with
    bool accepts = true;
    bool saysInit = true;
    int opened = 0;

private:
    void read(LoopbackTransport *socket, const QByteArray &text)
    {
        const auto frame = protocol::decodeClientFrame(text);
        if (!frame)
            qFatal("the client sent a malformed frame: %s", text.constData());
        if (const auto *subscription = std::get_if<protocol::SubscriptionFrame>(&*frame)) {
            if (subscription->subscribe)
                subscribed.insert(subscription->eventName);
            else
                subscribed.remove(subscription->eventName);
        } else if (const auto *call = std::get_if<protocol::ActionFrame>(&*frame)) {
            const Action action{call->id, call->name, call->args, socket};
            if (!onAction || !onAction(action))
                actions << action;
        }
    }
};

} // namespace foundry::tests
