#include "backend/actors/actorinstance.h"

#include "backend/actors/actorschema.h"
#include "backend/observe/logline.h"
#include "realtime/protocol/codec.h"
#include "realtime/protocol/frame.h"
#include "realtime/protocol/keys.h"
#include "realtime/protocol/messagelimits.h"

#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QLoggingCategory>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcActors, "foundry.actors")

namespace {

constexpr int kTopicsPerConnection = 256;
constexpr qsizetype kTopicLength = 512;
constexpr int kSequenceBits = 40; // more sends than one life of a database has
constexpr Millis kRequestAge = Millis(7) * 24 * 3600 * 1000;

Millis actorinstanceNow()
{
    return QDateTime::currentMSecsSinceEpoch();
}

Error actorinstanceLost(const ActorRef &ref, const QString &actorsDir)
{
    const QStringList aside = QDir(actorsDir).entryList({ref.id + QStringLiteral(".sqlite.damaged-*")}, QDir::Files, QDir::Name);
    return makeError(QLatin1StringView("internal"), QLatin1StringView("storage_lost"),
        QStringLiteral("The stored state of this %1 is damaged; it was set aside. Nothing else is concerned.").arg(ref.address.name),
        QStringLiteral("Its work tree is as it was. Restore the file from a backup, or go on in a new task."),
        aside.isEmpty() ? actorsDir + QLatin1Char('/') + ref.id + QStringLiteral(".sqlite")
                        : actorsDir + QLatin1Char('/') + aside.last());
}

} // namespace

Error actorStoppingError()
{
    return makeError(QLatin1StringView("actor"), QLatin1StringView("stopping"), QStringLiteral("The host is stopping."),
        QStringLiteral("Try again when it runs."));
}

ActorInstance::ActorInstance(const ActorRef &ref, std::unique_ptr<Database> database, const QString &dataDir, ActorPost &post)
    : m_ref(ref)
    , m_dataDir(dataDir)
    , m_post(post)
    , m_kind(ref.address.name.toLatin1())
    , m_open(post.metrics().openActors.with({m_kind}))
    , m_database(std::move(database))
    , m_topics(*m_database)
    , m_owner(std::make_unique<QObject>())
{
    m_retry.setSingleShot(true);
    m_alarmTimer.setSingleShot(true);
    m_settleTimer.setSingleShot(true);
    m_foldTimer.setSingleShot(true);
    QObject::connect(&m_retry, &QTimer::timeout, m_owner.get(), [this] { dispatchOutbox(); });
    QObject::connect(&m_alarmTimer, &QTimer::timeout, m_owner.get(), [this] { alarmDue(); });
    QObject::connect(&m_settleTimer, &QTimer::timeout, m_owner.get(), [this] { settle(); });
    QObject::connect(&m_foldTimer, &QTimer::timeout, m_owner.get(), [this] { foldLog(); });
}

ActorInstance::~ActorInstance()
{
    m_post.metrics().outboxDepth.with().add(-m_outboxDepth);
    m_owner.reset(); // timers and processes of the actor end before the actor does
}

Result<std::unique_ptr<ActorInstance>> ActorInstance::start(const ActorRef &ref, const ActorFactory &factory,
    const QString &dataDir, ActorPost &post, const QString &cause)
{
    const QString actorsDir = dataDir + QStringLiteral("/actors");
    QDir().mkpath(actorsDir);
    const QString path = actorsDir + QLatin1Char('/') + ref.id + QStringLiteral(".sqlite");
    // What only a creation can make must not begin anew, empty, when its file is gone or damaged.
    const qint64 ran = factory.createdBy == CreatedBy::SendOnly ? post.registry().generationOf(ref.id) : 0;
    if (ran < 0) { // erased between the posting of a message and its turn
        return makeError(QLatin1StringView("internal"), QLatin1StringView("storage_lost"),
            QStringLiteral("This %1 was deleted.").arg(ref.address.name));
    }
    const bool isMade = ran > 0;
    if (isMade && !QFile::exists(path))
        return actorinstanceLost(ref, actorsDir);
    const Stopwatch clock;
    DatabaseOptions options;
    options.statements = &post.metrics().statements.with({ref.address.name.toLatin1()});
    auto database = Database::open(path, options);
    if (!database)
        return database.error();
    if (isMade && !(*database)->setAside().isEmpty()) {
        database->reset();
        for (const char *suffix : {"", "-wal", "-shm"})
            QFile::remove(path + QLatin1StringView(suffix));
        return actorinstanceLost(ref, actorsDir);
    }
    std::unique_ptr<ActorInstance> instance(new ActorInstance(ref, std::move(*database), dataDir, post));
    if (auto prepared = instance->prepare(factory); !prepared)
        return prepared.error();
    instance->m_correlationId = cause.isEmpty() ? instance->ownCorrelation() : cause;
    instance->m_actor->started();
    if (!instance->m_outboxEmpty && instance->m_inFlight.isEmpty())
        instance->dispatchOutbox();
    instance->setAlarmTimer();
    if (instance->m_indexed != instance->due(instance->m_outboxEmpty))
        instance->m_settleTimer.start(1000); // woken for nothing, or an entry that was lost
    qCInfo(lcActors, "%s", LogLine("actor_started").add("correlation", instance->m_correlationId).add("actor", ref.address.name)
            .add("key", ref.address.key.join(QLatin1Char('/')))
            .add("id", ref.id).add("generation", instance->m_generation).addMilliseconds("ms", clock.seconds()).text().constData());
    instance->m_correlationId.clear();
    return instance;
}

Result<> ActorInstance::prepare(const ActorFactory &factory)
{
    auto generation = m_post.registry().nextGeneration(m_ref.id);
    if (!generation)
        return generation.error();
    m_generation = *generation;
    if (auto begun = m_database->begin(); !begun)
        return begun;
    auto steps = [&]() -> Result<> {
        bool isNew = true;
        if (auto q = m_database->query("SELECT 1 FROM sqlite_master WHERE name = 'outbox'"); q.next())
            isNew = false;
        if (auto made = m_database->migrate(QStringLiteral("runtime"), actorRuntimeSchema()); !made)
            return made;
        if (isNew && m_generation > 1) {
            if (auto begun = beginAnew(); !begun)
                return begun;
        }
        if (auto loaded = loadMeta(); !loaded)
            return loaded;
        m_actor = factory.make(*this);
        if (auto own = m_database->migrate(QStringLiteral("actor"), m_actor->migrations()); !own)
            return own;
        return clean();
    };
    if (auto done = steps(); !done) {
        m_database->rollback();
        return done;
    }
    if (auto committed = m_database->commit(); !committed)
        return committed;
    m_actor->registerActions(m_actions);
    return Unit{};
}

Result<> ActorInstance::beginAnew()
{
    // Whoever got sends of this actor before drops what is not numbered higher.
    if (auto numbered = m_database->run("INSERT INTO sqlite_sequence(name, seq) VALUES('outbox', ?)", m_generation << kSequenceBits); !numbered)
        return numbered;
    return m_database->run("INSERT INTO meta(name, value) VALUES('lost_storage', ?)",
        m_database->setAside().isEmpty() ? m_database->path() : m_database->setAside());
}

QList<ActorAddress> ActorInstance::children(const QString &name)
{
    QList<ActorAddress> found;
    for (const ActorRef &ref : m_post.registry().listAll(name)) {
        const QStringList &own = m_ref.address.key;
        if (ref.address.key.size() > own.size() && ref.address.key.first(own.size()) == own)
            found.append(ref.address);
    }
    return found;
}

Result<> ActorInstance::clean()
{
    const Millis now = actorinstanceNow();
    if (auto pruned = m_topics.prune(now); !pruned)
        return pruned;
    return m_database->run("DELETE FROM requests WHERE at < ?", now - kRequestAge);
}

void ActorInstance::foldLog()
{
    m_commitsToFold = 0;
    if (auto folded = m_database->run("PRAGMA wal_checkpoint(PASSIVE)"); !folded)
        qCWarning(lcActors, "the log of %ls stays long: %ls", qUtf16Printable(m_ref.address.name), qUtf16Printable(folded.error().message));
}

Result<> ActorInstance::loadMeta()
{
    QHash<QString, QString> meta;
    auto q = m_database->query("SELECT name, value FROM meta");
    while (q.next())
        meta.insert(q.text(0), q.text(1));
    const QString boot = machineBootId();
    const QString ranAt = meta.value(QStringLiteral("running_since_boot"));
    // The machine went down while this actor ran: its last commits may be gone although clients have seen them.
    if (auto loaded = m_topics.load(!ranAt.isEmpty() && ranAt != boot); !loaded)
        return loaded;
    // A database that began anew while the registry remembers more starts keeps counting.
    m_generation = qMax(m_generation, meta.value(QStringLiteral("generation")).toLongLong() + 1);
    if (const QString alarm = meta.value(QStringLiteral("alarm")); !alarm.isEmpty())
        m_alarm = alarm.toLongLong();
    m_lostStorage = meta.value(QStringLiteral("lost_storage"));
    m_needsWake = meta.value(QStringLiteral("needs_wake")) == QLatin1StringView("1");
    // A kill may have come between this actor's commit and the registry's note.
    m_retired = meta.value(QStringLiteral("retired")) == QLatin1StringView("1");
    m_erased = meta.value(QStringLiteral("erased")) == QLatin1StringView("1");
    if (m_retired != m_ref.retired) {
        if (auto noted = m_post.registry().setRetired(m_ref.id, m_retired); !noted)
            return noted;
    }
    auto waiting = m_database->query("SELECT EXISTS(SELECT 1 FROM outbox)");
    m_outboxEmpty = !(waiting.next() && waiting.flag(0));
    if (auto depth = m_database->query("SELECT count(*) FROM outbox"); !m_outboxEmpty && depth.next())
        m_outboxDepth = depth.integer(0);
    metrics().outboxDepth.with().add(m_outboxDepth);
    m_indexed = m_post.registry().dueOf(m_ref.id);

    const QList<QPair<QString, QString>> values{{QStringLiteral("name"), m_ref.address.name},
        {QStringLiteral("key"), protocol::encodeKey(m_ref.address.key)},
        {QStringLiteral("created_at"), QString::number(m_ref.createdAt)},
        {QStringLiteral("generation"), QString::number(m_generation)}, {QStringLiteral("running_since_boot"), boot}};
    for (const auto &[name, value] : values) {
        auto kept = m_database->run(
            "INSERT INTO meta(name, value) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value", name, value);
        if (!kept)
            return kept;
    }
    return Unit{};
}

std::optional<Entity> ActorInstance::row(const QString &topic, const QString &type, const QString &id)
{
    return m_topics.row(topic, type, id);
}

QList<Entity> ActorInstance::rows(const QString &topic, const QString &type)
{
    return m_topics.rows(topic, type);
}

QList<Entity> ActorInstance::window(const QString &topic, std::optional<qint64> before, std::optional<qint64> after, qint64 limit)
{
    return m_topics.window(topic, before, after, limit);
}

TopicRevision ActorInstance::revision(const QString &topic)
{
    const TopicInfo info = m_topics.info(topic);
    return {info.generation, info.revision};
}

void ActorInstance::connected(ConnectionId connection)
{
    const bool first = m_topicsOf.isEmpty();
    m_topicsOf.insert(connection, m_topicsOf.value(connection));
    if (first)
        m_actor->watched();
}

Result<> ActorInstance::subscribe(ConnectionId connection, const QString &topic, bool on)
{
    int &topics = m_topicsOf[connection];
    const bool listens = m_subscribers.value(topic).contains(connection);
    if (listens == on)
        return Unit{};
    if (!on) {
        --topics;
        QList<ConnectionId> &listeners = m_subscribers[topic];
        listeners.removeAll(connection);
        if (listeners.isEmpty())
            m_subscribers.remove(topic);
        m_actor->listenersChanged(topic);
        return Unit{};
    }
    if (topics >= kTopicsPerConnection || topic.size() > kTopicLength) {
        return makeError(QLatin1StringView("actor"), QLatin1StringView("overloaded"),
            QStringLiteral("One connection may listen to %1 topics.").arg(kTopicsPerConnection));
    }
    ++topics;
    m_subscribers[topic].append(connection);
    m_actor->listenersChanged(topic);
    return Unit{};
}

void ActorInstance::disconnected(ConnectionId connection)
{
    m_topicsOf.remove(connection);
    QStringList left;
    for (auto it = m_subscribers.begin(); it != m_subscribers.end(); ++it) {
        if (it->removeAll(connection) > 0)
            left.append(it.key());
    }
    m_subscribers.removeIf([](const auto &subscribers) { return subscribers->isEmpty(); });
    for (const QString &topic : std::as_const(left))
        m_actor->listenersChanged(topic);
}

void ActorInstance::broadcast(const QString &topic, const QByteArray &eventJson)
{
    const auto listeners = m_subscribers.constFind(topic);
    if (listeners == m_subscribers.cend() || !m_post.sink())
        return;
    QByteArray frame;
    // Only what looks like one of RivetKit's own arrays needs to be guarded.
    if (eventJson.contains("[\"$")) {
        const auto escaped = protocol::escapeExtensions(eventJson);
        frame = protocol::encodeEventFrame(topic, escaped ? *escaped : eventJson);
    } else {
        frame = protocol::encodeEventFrame(topic, eventJson);
    }
    // Rows and their events are bounded where they are written; this is for what actors only announce. It is not left
    // out silently: whoever listens connects again and catches up.
    if (frame.size() > protocol::hostMessageLimit) {
        qCWarning(lcActors, "an event of %ls on %ls has %lld bytes", qUtf16Printable(m_ref.address.name), qUtf16Printable(topic),
            static_cast<long long>(frame.size()));
        m_post.sink()->close(*listeners, outgoingTooLongError(QStringLiteral("An event of \"%1\"").arg(topic.left(80))));
        return;
    }
    m_post.sink()->event(*listeners, frame);
}

void ActorInstance::notify(const TopicEvent &event)
{
    if (!m_subscribers.contains(event.topic))
        return;
    const TopicInfo info = m_topics.info(event.topic);
    TopicEvent filled = event;
    filled.generation = info.generation;
    filled.revision = info.revision;
    if (filled.at == 0)
        filled.at = actorinstanceNow();
    if (filled.cause.kind.isEmpty())
        filled.cause.kind = QStringLiteral("system");
    broadcast(event.topic, protocol::encodeEvent(filled));
}

void ActorInstance::stream(const ActorAddress &to, const QString &name, const QByteArray &json)
{
    m_post.stream(m_ref.address, to, name, json);
}

void ActorInstance::streamed(const ActorAddress &from, const QString &name, const QByteArray &json)
{
    m_actor->streamed(from, name, json);
}

QString ActorInstance::contentDirectory()
{
    QString path = m_dataDir + QStringLiteral("/content/") + m_ref.id;
    QDir().mkpath(path);
    return path;
}

void ActorInstance::setAlarmTimer()
{
    if (!m_alarm) {
        m_alarmTimer.stop();
        return;
    }
    // A timer counts in int milliseconds; a far alarm is looked at again every day.
    m_alarmTimer.start(int(qBound(Millis(0), *m_alarm - actorinstanceNow(), Millis(24) * 3600 * 1000)));
}

void ActorInstance::retire(bool retired)
{
    m_retired = retired;
    if (auto noted = m_post.registry().setRetired(m_ref.id, retired); !noted)
        qCWarning(lcActors, "the registry does not know that an actor was retired: %ls", qUtf16Printable(noted.error().message));
    if (!retired || m_topicsOf.isEmpty() || !m_post.sink())
        return;
    m_post.sink()->close(m_topicsOf.keys(),
        makeError(QLatin1StringView("actor"), QLatin1StringView("not_found"), QStringLiteral("This was deleted.")));
}

void ActorInstance::alarmDue()
{
    if (!m_alarm)
        return;
    if (*m_alarm > actorinstanceNow()) {
        setAlarmTimer();
        return;
    }
    const std::optional<Millis> rang = m_alarm;
    {
        const CorrelationScope own(*this, ownCorrelation());
        m_actor->alarm();
    }
    // Cleared after, so that one that was cut short rings again.
    if (m_alarm == rang) {
        auto cleared = transaction([](Transaction &tx) -> Result<> {
            tx.setAlarm(std::nullopt);
            return Unit{};
        });
        if (!cleared)
            qCWarning(lcActors, "cannot clear an alarm: %ls", qUtf16Printable(cleared.error().message));
    }
}

bool ActorInstance::mayRest() const
{
    return m_topicsOf.isEmpty() && m_outboxEmpty && (m_erased || (!m_needsWake && !m_actor->holds()));
}

std::optional<Error> ActorInstance::damage() const
{
    return m_database->damage();
}

void ActorInstance::expire()
{
    m_expired = true;
    m_database->interrupt();
}

void ActorInstance::stop(StopReason reason, const std::optional<Error> &told)
{
    if (told && !m_topicsOf.isEmpty() && m_post.sink())
        m_post.sink()->close(m_topicsOf.keys(), *told);
    // The last action has returned: what is left to note may be written.
    m_expired = false;
    m_database->resume();
    m_actor->stopping(reason);
    m_owner.reset();
    m_retry.stop();
    m_alarmTimer.stop();
    m_settleTimer.stop();
    m_foldTimer.stop(); // closing the database folds its log
    if (m_indexed != due(m_outboxEmpty))
        settle();
    if (reason != StopReason::Lost) {
        auto clean = m_database->run("UPDATE meta SET value = '' WHERE name = 'running_since_boot'");
        if (!clean)
            qCWarning(lcActors, "cannot note a clean stop: %ls", qUtf16Printable(clean.error().message));
    }
}

} // namespace foundry::backend
