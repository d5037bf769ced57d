// The part of a running actor that answers calls: reads, commands that are done once, transactions and what leaves them.
#include "backend/actors/actorinstance.h"
#include "backend/workflows/crashpoint.h"

#include "backend/observe/logline.h"
#include "realtime/protocol/codec.h"
#include "realtime/protocol/messagelimits.h"

#include <QDateTime>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLoggingCategory>

namespace foundry::backend {

Q_DECLARE_LOGGING_CATEGORY(lcActors)

namespace {

constexpr double kSlowSeconds = 0.1; // what the contract allows: longer ones are told
constexpr qint64 kCommitsToFold = 32; // fewer stay in the log until the actor sleeps
constexpr int kFoldAfterMs = 1000;    // without a commit
constexpr qint64 kCommitsBetweenCleanings = 2000; // an actor that never sleeps is cleaned as it goes

Millis actorcallsNow()
{
    return QDateTime::currentMSecsSinceEpoch();
}

bool actorcallsIsTooLong(const QByteArray &answer)
{
    return answer.size() > protocol::hostValueLimit / 2 && protocol::guardedSize(answer) > protocol::hostValueLimit;
}

// What an actor can be asked, for inspectors and for the test that asks all of it.
QByteArray actorcallsNames(const ActionTable &table)
{
    QStringList reads{QStringLiteral("actions"), QStringLiteral("changesSince"), QStringLiteral("revisions")};
    reads += table.reads().keys();
    QStringList commands = table.commands().keys();
    reads.sort();
    commands.sort();
    return QJsonDocument(QJsonObject{{QStringLiteral("reads"), QJsonArray::fromStringList(reads)}, {QStringLiteral("commands"), QJsonArray::fromStringList(commands)}})
        .toJson(QJsonDocument::Compact);
}

} // namespace

void ActorInstance::act(const ActorCall &call, const ActorReply &reply)
{
    if (m_retired && !call.caller.isHost) { // a connection that is being closed
        reply(makeError(QLatin1StringView("actor"), QLatin1StringView("not_found"), QStringLiteral("This was deleted.")));
        return;
    }
    m_correlationId = call.correlationId;
    m_database->takeReadFailure(); // of what was read for something else
    const Stopwatch clock;
    Then then;
    const auto answer = [&]() -> Result<QByteArray> {
        if (call.action == QLatin1StringView("changesSince")) {
            auto asked = protocol::decodeArgs<ChangesSince>(call.args);
            return asked ? m_topics.changesSince(*asked) : Result<QByteArray>(asked.error());
        }
        if (call.action == QLatin1StringView("revisions"))
            return protocol::encodeRevisions(m_topics.revisions());
        if (call.action == QLatin1StringView("actions"))
            return actorcallsNames(m_actions);
        if (const auto read = m_actions.reads().constFind(call.action); read != m_actions.reads().cend())
            return (*read)(call.caller, call.args);
        if (const auto handler = m_actions.commands().constFind(call.action); handler != m_actions.commands().cend())
            return command(call, *handler, then);
        return makeError(QLatin1StringView("actor"), QLatin1StringView("action_not_found"),
            QStringLiteral("%1 has no action \"%2\".").arg(m_ref.address.name, call.action.left(80)));
    };
    Result<QByteArray> answered = answer();
    const bool isCommand = m_actions.commands().contains(call.action);
    // What was read when the context had begun to refuse, over a damaged page, or with an error, is not the whole of it. A command that
    // got as far as its commit is done.
    if (m_expired && (!answered || !isCommand))
        answered = actorStoppingError();
    else if (const auto broken = damage(); broken && (!answered || !isCommand))
        answered = *broken;
    else if (const auto failed = m_database->takeReadFailure(); failed && answered && !isCommand)
        answered = *failed;
    if (answered && actorcallsIsTooLong(*answered))
        answered = outgoingTooLongError(QStringLiteral("The answer of \"%1\"").arg(call.action.left(80)));
    if (!answered && answered.error().group == QLatin1StringView("protocol")) // what cannot be read is the asker's
        answered = makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), answered.error().message, answered.error().action, answered.error().detail);
    if (!answered && answered.error().group == QLatin1StringView("internal")) {
        Error error = answered.error();
        error.detail = error.detail.isEmpty() ? call.correlationId : error.detail + QStringLiteral(" · ") + call.correlationId;
        answered = error;
    }
    count(call, clock.seconds(), answered ? std::nullopt : std::optional(answered.error()));
    reply(std::move(answered));
    for (const auto &next : std::as_const(then))
        next();
    m_correlationId.clear();
}

void ActorInstance::count(const ActorCall &call, double seconds, const std::optional<Error> &error)
{
    const bool isOurs = call.action == QLatin1StringView("changesSince") || call.action == QLatin1StringView("revisions");
    const bool isKnown = isOurs || m_actions.reads().contains(call.action) || m_actions.commands().contains(call.action);
    HostMetrics &figures = metrics();
    figures.action.with({m_kind, isKnown ? call.action.toLatin1() : QByteArray("unknown")}).observe(seconds);
    if (error)
        figures.actionErrors.with({m_kind, error->key().toLatin1()}).add();
    if (!error && call.action == QLatin1StringView("changesSince")) {
        if (const auto asked = protocol::decodeArgs<ChangesSince>(call.args); asked && asked->generation.isEmpty() && !asked->cursor)
            figures.bootstrap.with({m_kind}).observe(seconds);
    }
    if (!error && seconds < kSlowSeconds)
        return;
    const QByteArray line = LogLine(error ? "action_failed" : "action_slow").add("correlation", call.correlationId)
                                .add("actor", m_ref.address.name).add("key", m_ref.address.key.join(QLatin1Char('/')))
                                .add("action", isKnown ? call.action : QStringLiteral("unknown")).add("user", call.caller.userId)
                                .addMilliseconds("ms", seconds).add("error", error ? error->key() : QString()).text();
    if (error && error->group == QLatin1StringView("internal"))
        qCWarning(lcActors, "%s", line.constData());
    else
        qCInfo(lcActors, "%s", line.constData());
}

Result<QByteArray> ActorInstance::command(const ActorCall &call, const CommandHandler &handler, Then &then)
{
    auto first = protocol::firstArgument(call.args);
    if (!first)
        return first.error();
    const QString requestId = QJsonDocument::fromJson(*first).object().value(QLatin1StringView("requestId")).toString();
    if (requestId.isEmpty() || requestId.size() > 200) {
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
            QStringLiteral("A command needs a requestId."), {}, QStringLiteral("requestId"));
    }
    if (auto q = m_database->query("SELECT action, answer FROM requests WHERE id = ?", requestId); q.next()) {
        if (q.text(0) == call.action)
            return q.bytes(1);
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
            QStringLiteral("This requestId was used for another command (%1).").arg(q.text(0)));
    }
    QByteArray answer;
    bool isTold = false; // what only changes a row here (a draft, a mark) needs no line
    auto done = commit([&](ActorTransaction &tx) -> Result<> {
        tx.setCause(Cause{QStringLiteral("command"), RequestId(requestId), call.caller.userId});
        if (crashPointsAreOn())
            crashPoint(tx, QStringLiteral("command %1 %2").arg(m_ref.address.name, call.action));
        auto handled = handler(tx, call.caller, call.args);
        if (!handled)
            return handled.error();
        isTold = tx.hasSends();
        answer = handled->isEmpty() ? QByteArrayLiteral("null") : *handled;
        if (actorcallsIsTooLong(answer)) // what nobody could be told is not done
            return outgoingTooLongError(QStringLiteral("The answer of \"%1\"").arg(call.action));
        return m_database->run("INSERT INTO requests(id, action, at, answer) VALUES(?, ?, ?, ?)", requestId, call.action,
            actorcallsNow(), answer);
    });
    if (!done)
        return done.error();
    crashAfter(QStringLiteral("answer ") + call.action); // stored, and nobody heard of it
    if (isTold) {
        qCInfo(lcActors, "%s", LogLine("command").add("correlation", call.correlationId).add("request", requestId)
                .add("actor", m_ref.address.name).add("key", m_ref.address.key.join(QLatin1Char('/'))).add("action", call.action)
                .add("user", call.caller.userId).text().constData());
    }
    then = std::move(*done);
    return answer;
}

Result<ActorInstance::Then> ActorInstance::commit(const std::function<Result<>(ActorTransaction &)> &body)
{
    if (m_inTransaction) {
        return makeError(QLatin1StringView("internal"), QLatin1StringView("nested_transaction"),
            QStringLiteral("A transaction of %1 was opened inside another one.").arg(m_ref.address.name));
    }
    if (m_expired)
        return actorStoppingError();
    if (auto begun = m_database->begin(); !begun)
        return begun.error();
    m_inTransaction = true;
    ActorTransaction tx(*m_database, m_topics, actorcallsNow(), m_correlationId);
    const auto run = [&]() -> Result<> {
        if (auto done = body(tx); !done)
            return m_database->failure() ? Result<>(*m_database->failure()) : done; // the cause, not what came of it
        if (auto finished = tx.finish(); !finished)
            return finished;
        if (m_database->failure())
            return *m_database->failure();
        // The wake index knows before the commit that this actor has something to go on with.
        const bool wake = tx.needsWake().value_or(m_needsWake) || tx.hasSends() || tx.retired() || tx.erased() || m_erased || !m_outboxEmpty;
        const std::optional<Millis> alarm = tx.alarm().value_or(m_alarm);
        const std::optional<Millis> wanted = wake ? std::optional<Millis>(0) : alarm;
        if (!wanted || (m_indexed && *m_indexed <= *wanted))
            return Unit{};
        auto noted = m_post.registry().setDue(m_ref.id, *wanted);
        if (noted)
            m_indexed = wanted;
        return noted;
    };
    Result<> done = run();
    if (m_expired)
        done = actorStoppingError();
    m_inTransaction = false;
    if (done)
        done = m_database->commit();
    if (!done) {
        m_database->rollback();
        for (const auto &undo : tx.undo())
            undo();
        return done.error();
    }

    metrics().commits.with({m_kind}).add();
    m_outboxDepth += tx.sendCount();
    metrics().outboxDepth.with().add(tx.sendCount());
    tx.publish();
    if (tx.needsWake())
        m_needsWake = *tx.needsWake();
    if (tx.alarm()) {
        m_alarm = *tx.alarm();
        setAlarmTimer();
    }
    for (const EncodedEvent &event : tx.takeEvents([this](const QString &topic) { return m_subscribers.contains(topic); }))
        broadcast(event.topic, event.json);
    if (tx.retired())
        retire(*tx.retired());
    m_erased = m_erased || tx.erased();
    if (tx.hasSends()) {
        m_outboxEmpty = false;
        dispatchOutbox();
        for (const ActorAddress &created : tx.created())
            m_post.announce(created);
    }
    if (m_indexed != due(m_outboxEmpty) && !m_settleTimer.isActive())
        m_settleTimer.start(1000);
    if (++m_commitsToFold >= kCommitsToFold)
        m_foldTimer.start(kFoldAfterMs);
    if (++m_commits % kCommitsBetweenCleanings == 0) {
        if (auto cleaned = clean(); !cleaned)
            qCWarning(lcActors, "old records stay: %ls", qUtf16Printable(cleaned.error().message));
    }
    return tx.takeThen();
}

Result<> ActorInstance::transaction(const std::function<Result<>(Transaction &)> &body)
{
    auto then = commit([&](ActorTransaction &tx) { return body(tx); });
    if (!then)
        return then.error();
    for (const auto &next : std::as_const(*then))
        next();
    return Unit{};
}

} // namespace foundry::backend
