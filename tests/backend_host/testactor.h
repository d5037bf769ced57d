// An actor for the runtime's tests: counts, sends, rings.
#pragma once

#include "backend/actors/actorfactory.h"
#include "backend/store/database.h"
#include "realtime/protocol/codec.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QThread>

#include <atomic>
#include <memory>

namespace foundry::backend {

struct TestWorld {
    std::atomic<int> starts = 0;
    std::atomic<int> stops = 0;
    std::atomic<int> alarms = 0;
    std::atomic<int> effects = 0;     // afterCommit runs
    std::atomic<int> failReceive = 0; // so many sends fail with a storage error
    std::atomic<int> entered = 0;       // "linger" and "churn" got into the actor's code
    std::atomic<bool> release = false;  // lets "linger" go on
    std::atomic<bool> holds = false;
    std::atomic<bool> works = false;
    QStringList steps{QStringLiteral("CREATE TABLE log(n INTEGER PRIMARY KEY, text TEXT)")};
};

class TestActor final : public Actor {
public:
    TestActor(ActorContext &context, std::shared_ptr<TestWorld> world)
        : Actor(context)
        , m_world(std::move(world))
    {
    }

    QStringList migrations() const override { return m_world->steps; }
    void started() override { ++m_world->starts; }
    void stopping(StopReason) override { ++m_world->stops; }
    bool works() const override { return m_world->works; }
    bool holds() const override { return m_world->holds || m_world->works; }
    void alarm() override { ++m_world->alarms; }

    void registerActions(ActionTable &table) override
    {
        table.read(QStringLiteral("log"), [this](const Caller &, QByteArrayView) -> Result<QByteArray> {
            QStringList lines;
            auto q = context().database().query("SELECT text FROM log ORDER BY n");
            while (q.next())
                lines.append(q.text(0));
            return QJsonDocument(QJsonObject{{QStringLiteral("log"), lines.join(QLatin1Char(' '))},
                                     {QStringLiteral("generation"), context().generation()}})
                .toJson(QJsonDocument::Compact);
        });
        table.command(QStringLiteral("add"), [this](Transaction &tx, const Caller &, QByteArrayView args) -> Result<QByteArray> {
            const QJsonObject o = first(args);
            const QString text = o.value(QLatin1StringView("text")).toString();
            (void)tx.database().run("INSERT INTO log(text) VALUES(?)", text);
            TaskOverlay row;
            row.id = TaskId(text);
            row.unread = true;
            tx.put(QStringLiteral("overlay"), row);
            tx.afterCommit([this] { ++m_world->effects; });
            if (o.value(QLatin1StringView("fail")).toBool())
                return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"), QStringLiteral("asked to fail"));
            return QByteArray("\"added ") + text.toUtf8() + '"';
        });
        // {"to": name, "texts": n, "create": bool}
        table.command(QStringLiteral("relay"), [](Transaction &tx, const Caller &, QByteArrayView args) -> Result<QByteArray> {
            const QJsonObject o = first(args);
            const bool child = o.value(QLatin1StringView("child")).toBool();
            const ActorAddress to{child ? QStringLiteral("child") : QStringLiteral("test"),
                {QStringLiteral("t"), o.value(QLatin1StringView("to")).toString()}};
            if (child)
                tx.send(to, QStringLiteral("create"), "{}");
            for (int i = 0; i < o.value(QLatin1StringView("texts")).toInt(); ++i)
                tx.send(to, QStringLiteral("text"), QByteArray::number(i));
            return QByteArray("null");
        });
        table.read(QStringLiteral("large"), [](const Caller &, QByteArrayView args) -> Result<QByteArray> {
            return '"' + QByteArray(qsizetype(first(args).value(QLatin1StringView("bytes")).toInteger()) - 2, 'x') + '"';
        });
        table.command(QStringLiteral("addLarge"), [](Transaction &tx, const Caller &, QByteArrayView args) -> Result<QByteArray> {
            (void)tx.database().run("INSERT INTO log(text) VALUES('large')");
            return '"' + QByteArray(qsizetype(first(args).value(QLatin1StringView("bytes")).toInteger()) - 2, 'x') + '"';
        });
        table.command(QStringLiteral("ring"), [](Transaction &tx, const Caller &, QByteArrayView args) -> Result<QByteArray> {
            tx.setAlarm(Millis(first(args).value(QLatin1StringView("at")).toDouble()));
            return QByteArray("null");
        });
        table.command(QStringLiteral("need"), [](Transaction &tx, const Caller &, QByteArrayView args) -> Result<QByteArray> {
            tx.setNeedsWake(first(args).value(QLatin1StringView("needed")).toBool());
            return QByteArray("null");
        });
        table.command(QStringLiteral("nest"), [this](Transaction &, const Caller &, QByteArrayView) -> Result<QByteArray> {
            auto inner = context().transaction([](Transaction &) -> Result<> { return Unit{}; });
            return inner ? Result<QByteArray>(QByteArray("null")) : Result<QByteArray>(inner.error());
        });
        // Stays inside the actor's code until it is let go; then asks its context for more.
        table.read(QStringLiteral("linger"), [this](const Caller &, QByteArrayView) -> Result<QByteArray> {
            ++m_world->entered;
            while (!m_world->release)
                QThread::msleep(1);
            auto written = context().transaction([](Transaction &tx) { return tx.database().run("INSERT INTO log(text) VALUES('lingered')"); });
            return written ? Result<QByteArray>(QByteArray("\"lingered\"")) : Result<QByteArray>(written.error());
        });
        // A statement that would take for ever.
        table.read(QStringLiteral("churn"), [this](const Caller &, QByteArrayView) -> Result<QByteArray> {
            ++m_world->entered;
            auto q = context().database().query(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n");
            q.next();
            return QByteArray("\"churned\"");
        });
        table.command(QStringLiteral("stream"), [this](Transaction &tx, const Caller &, QByteArrayView args) -> Result<QByteArray> {
            const QString to = first(args).value(QLatin1StringView("to")).toString();
            tx.afterCommit([this, to] {
                context().stream({QStringLiteral("test"), {QStringLiteral("t"), to}}, QStringLiteral("chunk"), "\"c\"");
            });
            return QByteArray("null");
        });
    }

    Result<> received(Transaction &tx, const Send &send) override
    {
        if (m_world->failReceive > 0) {
            --m_world->failReceive;
            return makeError(QLatin1StringView("internal"), QLatin1StringView("storage_full"), QStringLiteral("no space"));
        }
        if (send.name == QLatin1StringView("bad"))
            return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("cannot be read"));
        return tx.database().run("INSERT INTO log(text) VALUES(?)",
            send.name == QLatin1StringView("create") ? QStringLiteral("created") : QString::fromUtf8(send.json));
    }

    void streamed(const ActorAddress &from, const QString &name, const QByteArray &) override
    {
        auto written = context().transaction([&](Transaction &tx) {
            return tx.database().run("INSERT INTO log(text) VALUES(?)", name + QLatin1Char(':') + from.key.last());
        });
        Q_UNUSED(written);
    }

    static ActorFactory factory(const QString &name, std::shared_ptr<TestWorld> world, CreatedBy by = CreatedBy::FirstTouch)
    {
        return {name, [](const QStringList &key) { return key.size() == 2 && key.first() == QLatin1StringView("t"); }, by,
            [world](ActorContext &context) { return std::make_unique<TestActor>(context, world); }};
    }

private:
    static QJsonObject first(QByteArrayView args)
    {
        return QJsonDocument::fromJson(protocol::firstArgument(args).value()).object();
    }
    std::shared_ptr<TestWorld> m_world;
};

} // namespace foundry::backend
