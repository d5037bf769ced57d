// The workbench's own client path against the event server: connection, subscription, feed. What the rows of the client
// share.
#pragma once

#include "realtime/connection/actorconnection.h"
#include "realtime/feeds/organizationfeed.h"
#include "realtime/transport/websockettransport.h"
#include "tests/bench/eventserver.h"

namespace foundry::bench {

class FixedResolver final : public realtime::ActorResolver {
    Q_OBJECT

public:
    using ActorResolver::ActorResolver;
    void resolve(const realtime::Endpoint &endpoint, const realtime::ActorName &, QObject *context,
        std::function<void(Result<realtime::ResolvedActor>)> answer) override
    {
        QMetaObject::invokeMethod(
            context, [endpoint, answer] { answer(realtime::ResolvedActor{QStringLiteral("actor"), endpoint}); }, Qt::QueuedConnection);
    }
    void forget(const realtime::ActorName &) override { }
};

struct ClientRig {
    explicit ClientRig(std::function<QByteArray(int)> frame)
        : server(std::move(frame))
        , connection(realtime::organizationActor(OrganizationId(QStringLiteral("local"))), resolver, realtime::WebSocketTransport::factory())
        , subscriptions(connection)
        , feed(subscriptions, nullptr)
    {
        const auto endpoint = realtime::Endpoint::parse(QStringLiteral("http://default:token@127.0.0.1:%1").arg(server.port()));
        connection.setEndpoint(*endpoint);
        feed.view();
    }

    FixedResolver resolver;
    EventServer server;
    realtime::ActorConnection connection;
    realtime::Subscriptions subscriptions;
    realtime::OrganizationFeed feed;
};

// Runs the event loop until `done`, at most so long; false when the time was over.
bool pump(const std::function<bool()> &done, int timeoutMs);
// Processor time of the calling thread, and of a process with its threads, in milliseconds.
double threadCpuMs();
Result<double> processCpuMs(qint64 pid);

// An organization's event that sets one task summary; about `bytes` long.
QByteArray summaryFrame(int n, int task, int bytes);
TaskSummary sampleTask(int n);

} // namespace foundry::bench
