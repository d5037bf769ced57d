#include "realtime/connection/actorconnection.h"

#include "realtime/protocol/frame.h"

#include <QLoggingCategory>

namespace foundry::realtime {

namespace {

Q_LOGGING_CATEGORY(connectionLog, "foundry.realtime.connection", QtInfoMsg)

// Trying again with the same token, or for the same deleted actor, changes nothing.
bool isFinal(const Error &error)
{
    return error.group == QLatin1StringView("auth")
        || error.is(QLatin1StringView("actor"), QLatin1StringView("not_found"));
}

// `group.code[#ray]`, when the reason is one.
std::optional<Error> connectionErrorOf(const QString &closeReason)
{
    const QString key = closeReason.section(QLatin1Char('#'), 0, 0);
    const qsizetype dot = key.indexOf(QLatin1Char('.'));
    if (dot <= 0 || key.contains(QLatin1Char(' ')) || dot + 1 == key.size())
        return std::nullopt;
    return Error{key.left(dot), key.mid(dot + 1), ActorConnection::tr("The host closed the connection (%1).").arg(key)};
}

} // namespace

ActorConnection::ActorConnection(
    ActorName actor, ActorResolver &resolver, TransportFactory factory, ConnectionTimes times, QObject *parent)
    : QObject(parent)
    , m_actor(std::move(actor))
    , m_resolver(resolver)
    , m_factory(std::move(factory))
    , m_times(times)
    , m_backoff(times.firstRetry, times.lastRetry)
{
    m_retry.setSingleShot(true);
    m_initDeadline.setSingleShot(true);
    connect(&m_retry, &QTimer::timeout, this, [this] { handle(ConnectionEvent::RetryDue); });
    connect(&m_initDeadline, &QTimer::timeout, this, [this] {
        failed(makeError(QLatin1StringView("client"), QLatin1StringView("timeout"),
            tr("The host accepted the connection but does not answer."), tr("It is tried again by itself.")));
    });
    connect(&m_pinger, &QTimer::timeout, this, &ActorConnection::checkLiveness);
    // A call without an answer may mean a dead link: ask sooner than the next ping would.
    connect(&m_pending, &PendingCalls::timedOut, this, [this] {
        if (!isLive() || m_awaitingPong)
            return;
        m_awaitingPong = true;
        m_transport->ping();
        m_pinger.start(m_times.probe);
    });
}

ActorConnection::~ActorConnection()
{
    m_pending.failAll(makeError(
        QLatin1StringView("client"), QLatin1StringView("cancelled"), tr("The connection is no longer needed.")));
    if (m_transport) {
        m_transport->disconnect(this);
        m_transport->close(1000, QStringLiteral("Disposed"));
    }
}

void ActorConnection::setEndpoint(const std::optional<Endpoint> &endpoint)
{
    if (m_endpoint == endpoint)
        return;
    m_endpoint = endpoint;
    m_backoff.reset();
    handle(endpoint ? ConnectionEvent::EndpointChanged : ConnectionEvent::EndpointLost);
}

void ActorConnection::retain()
{
    ++m_wanted;
    applyWanted();
}

void ActorConnection::release()
{
    Q_ASSERT(m_wanted > 0);
    --m_wanted;
    applyWanted();
}

void ActorConnection::setHeld(bool held)
{
    m_held = held;
    applyWanted();
}

void ActorConnection::wake()
{
    m_backoff.reset();
    handle(ConnectionEvent::Wake);
}

void ActorConnection::applyWanted()
{
    handle(m_wanted > 0 && !m_held ? ConnectionEvent::Start : ConnectionEvent::Stop);
}

void ActorConnection::subscribe(const QString &topic)
{
    if (m_topics.contains(topic))
        return;
    m_topics.insert(topic);
    if (isLive())
        m_transport->sendText(protocol::encodeClientFrame(protocol::SubscriptionFrame{topic, true}));
}

void ActorConnection::unsubscribe(const QString &topic)
{
    if (m_topics.remove(topic) && isLive())
        m_transport->sendText(protocol::encodeClientFrame(protocol::SubscriptionFrame{topic, false}));
}

void ActorConnection::call(const QString &action, const QByteArray &args, std::chrono::milliseconds deadline,
    QObject *context, CallAnswer answer)
{
    if (!isLive()) {
        const Error error = m_state == ConnectionState::Refused
            ? m_lastError
            : makeError(QLatin1StringView("client"), QLatin1StringView("not_connected"),
                tr("There is no connection to the host at the moment."), tr("It is tried again by itself."));
        QMetaObject::invokeMethod(
            context, [answer = std::move(answer), error] { answer(error); }, Qt::QueuedConnection);
        return;
    }
    const quint64 id = m_pending.add(deadline, context, std::move(answer));
    m_transport->sendText(protocol::encodeClientFrame(protocol::ActionFrame{id, action, args}));
}

void ActorConnection::handle(ConnectionEvent event)
{
    const ConnectionTransition next = nextConnectionState(m_state, event);
    const bool changed = next.state != m_state;
    if (changed) {
        qCInfo(connectionLog, "%s: %s -> %s%s%s", qUtf8Printable(m_actor.describe()),
            qUtf8Printable(connectionStateName(m_state)), qUtf8Printable(connectionStateName(next.state)),
            next.state == ConnectionState::Live ? "" : " ", qUtf8Printable(m_lastError.code));
        m_state = next.state;
    }
    act(next.action);
    if (changed)
        Q_EMIT stateChanged(m_state);
    if (next.action == ConnectionAction::RetryLater || next.action == ConnectionAction::Open)
        Q_EMIT retryPlanned();
}

void ActorConnection::act(ConnectionAction action)
{
    switch (action) {
    case ConnectionAction::None:
        break;
    case ConnectionAction::Open:
        m_retry.stop();
        openAttempt();
        break;
    case ConnectionAction::Reopen:
        m_retry.stop();
        dropTransport(1000, QStringLiteral("Disposed"));
        openAttempt();
        break;
    case ConnectionAction::Close:
        m_retry.stop();
        dropTransport(1000, QStringLiteral("Disposed"));
        break;
    case ConnectionAction::RetryLater:
        dropTransport(1001, QStringLiteral("Retry"));
        if (m_endpoint)
            m_retry.start(m_backoff.next());
        break;
    }
}

void ActorConnection::openAttempt()
{
    const quint64 attempt = ++m_attempt;
    if (!m_endpoint)
        return; // setEndpoint() goes on
    m_serverError.reset();
    m_resolver.resolve(*m_endpoint, m_actor, this, [this, attempt](const Result<ResolvedActor> &target) {
        if (attempt != m_attempt)
            return;
        if (target)
            connectTo(*target);
        else
            failed(target.error());
    });
}

void ActorConnection::connectTo(const ResolvedActor &target)
{
    m_transport = m_factory();
    // The answers of a socket that was dropped meanwhile never arrive: its connections die with it.
    connect(m_transport.get(), &Transport::textReceived, this, &ActorConnection::receive);
    connect(m_transport.get(), &Transport::closed, this, &ActorConnection::ended);
    connect(m_transport.get(), &Transport::pongReceived, this, [this] { m_awaitingPong = false; });
    m_initDeadline.start(m_times.init);
    m_transport->open({target.endpoint.connectUrl(target.actorId), connectSubprotocols({})});
}

void ActorConnection::receive(const QByteArray &frame)
{
    ++m_counters.framesReceived;
    m_counters.bytesReceived += frame.size();
    auto decoded = protocol::decodeServerFrame(frame);
    if (!decoded) {
        // An error of this message only.
        ++m_counters.badFrames;
        qCWarning(connectionLog, "%s: frame not understood: %s", qUtf8Printable(m_actor.describe()),
            qUtf8Printable(decoded.error().message));
        return;
    }
    if (std::holds_alternative<protocol::InitFrame>(*decoded)) {
        initialized();
    } else if (auto *event = std::get_if<protocol::EventFrame>(&*decoded)) {
        Q_EMIT eventReceived(event->name, event->args);
    } else if (auto *response = std::get_if<protocol::ActionResponseFrame>(&*decoded)) {
        if (!m_pending.answer(response->id, std::move(response->output)))
            ++m_counters.lateAnswers;
    } else if (auto *error = std::get_if<protocol::ErrorFrame>(&*decoded)) {
        if (!error->actionId)
            m_serverError = error->error; // the close that follows says it again, in fewer words
        else if (!m_pending.answer(*error->actionId, error->error))
            ++m_counters.lateAnswers;
    }
}

void ActorConnection::initialized()
{
    if (isLive())
        return;
    m_initDeadline.stop();
    m_liveSince.start();
    m_awaitingPong = false;
    m_pinger.start(m_times.ping);
    for (const QString &topic : std::as_const(m_topics))
        m_transport->sendText(protocol::encodeClientFrame(protocol::SubscriptionFrame{topic, true}));
    handle(ConnectionEvent::Initialized);
    Q_EMIT becameLive();
}

void ActorConnection::ended(const TransportEnd &end)
{
    if (m_serverError)
        failed(*m_serverError);
    else
        failed(connectionErrorOf(end.reason).value_or(end.error));
}

void ActorConnection::failed(const Error &error)
{
    m_lastError = error;
    m_initDeadline.stop();
    const bool notFound = error.is(QLatin1StringView("actor"), QLatin1StringView("not_found"));
    if (notFound || error.group == QLatin1StringView("actor"))
        m_resolver.forget(m_actor);
    // An id that was known and is not any longer: the server is asked once more who has this key, and its answer to
    // that (an error without a socket) is final.
    if (isFinal(error) && !(notFound && m_transport)) {
        handle(ConnectionEvent::Rejected);
        return;
    }
    if (m_state == ConnectionState::Live) {
        ++m_counters.reconnects;
        if (m_liveSince.isValid() && m_liveSince.elapsed() >= m_times.steady.count())
            m_backoff.reset();
    }
    handle(m_backoff.failures() + 1 >= m_times.failuresToOffline ? ConnectionEvent::FailedOften
                                                                : ConnectionEvent::Failed);
}

void ActorConnection::dropTransport(int closeCode, const QString &reason)
{
    ++m_attempt;
    m_initDeadline.stop();
    m_pinger.stop();
    if (m_transport) {
        Transport *transport = m_transport.release();
        transport->disconnect(this);
        transport->close(closeCode, reason);
        // May be one of its own signals that brought us here.
        transport->deleteLater();
    }
    m_pending.failAll(makeError(QLatin1StringView("client"), QLatin1StringView("link_lost"),
        tr("The connection to the host was lost."), tr("It comes back by itself.")));
}

void ActorConnection::checkLiveness()
{
    if (!isLive())
        return;
    if (m_awaitingPong) {
        failed(makeError(QLatin1StringView("client"), QLatin1StringView("silent"), tr("The host does not answer."),
            tr("It is tried again by itself.")));
        return;
    }
    m_awaitingPong = true;
    m_pinger.start(m_times.ping);
    m_transport->ping();
}

} // namespace foundry::realtime
