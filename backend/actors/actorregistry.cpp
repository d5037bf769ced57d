#include "backend/actors/actorregistry.h"

#include "realtime/protocol/keys.h"

#include <QCryptographicHash>
#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QLoggingCategory>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcRegistry, "foundry.actors.registry")

namespace {

const QStringList &actorregistrySchema()
{
    static const QStringList steps{QStringLiteral(R"sql(
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE actors(
    id TEXT PRIMARY KEY, name TEXT NOT NULL, key TEXT NOT NULL, generation INTEGER NOT NULL, created_at INTEGER NOT NULL)
    WITHOUT ROWID;
CREATE INDEX actors_name ON actors(name);
CREATE TABLE wake(actor TEXT PRIMARY KEY, due INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX wake_due ON wake(due);
)sql"),
        QStringLiteral("ALTER TABLE actors ADD COLUMN retired INTEGER NOT NULL DEFAULT 0;")};
    return steps;
}

// In the column `retired`: its files are being removed.
constexpr int actorregistryErasing = 2;

ActorRef actorregistryRead(Query &q)
{
    return {q.text(0), ActorAddress{q.text(1), protocol::decodeKey(q.text(2))}, q.integer(3), q.flag(4)};
}

} // namespace

QString machineBootId()
{
    QFile file(QStringLiteral("/proc/sys/kernel/random/boot_id"));
    return file.open(QIODevice::ReadOnly) ? QString::fromLatin1(file.readAll().trimmed()) : QString();
}

QString actorIdOf(const ActorAddress &address)
{
    const QByteArray text = address.name.toUtf8() + '\n' + protocol::encodeKey(address.key).toUtf8();
    return QString::fromLatin1(QCryptographicHash::hash(text, QCryptographicHash::Sha256).left(16).toHex());
}

QString addressText(const ActorAddress &address)
{
    return address.name + QLatin1Char('/') + address.key.join(QLatin1Char('/'));
}

ActorRegistry::ActorRegistry(std::unique_ptr<Database> database, const QString &dataDir)
    : m_dataDir(dataDir)
    , m_database(std::move(database))
{
}

Result<std::unique_ptr<ActorRegistry>> ActorRegistry::open(const QString &dataDir)
{
    const QString path = dataDir + QStringLiteral("/host.sqlite");
    const bool existed = QFile::exists(path);
    auto database = Database::open(path);
    if (!database)
        return database.error();
    std::unique_ptr<ActorRegistry> registry(new ActorRegistry(std::move(*database), dataDir));
    Database &db = *registry->m_database;
    if (auto migrated = db.migrate(QStringLiteral("registry"), actorregistrySchema()); !migrated)
        return migrated.error();
    const QString actorsDir = dataDir + QStringLiteral("/actors");
    if (!existed || !db.setAside().isEmpty()) {
        if (auto recovered = registry->recover(actorsDir); !recovered)
            return recovered.error();
    }
    QStringList erasing;
    if (auto q = db.query("SELECT id FROM actors WHERE retired = ?", actorregistryErasing); true) {
        while (q.next())
            erasing.append(q.text(0));
    }
    for (const QString &id : std::as_const(erasing)) {
        if (auto erased = registry->eraseFiles(id); !erased)
            qCWarning(lcRegistry, "files of a deleted actor stay: %ls", qUtf16Printable(erased.error().message));
    }
    const QString boot = machineBootId();
    if (auto q = db.query("SELECT value FROM meta WHERE name = 'running_since_boot'"); q.next())
        registry->m_wasClean = q.text(0).isEmpty() || q.text(0) == boot;
    auto marked = db.run("INSERT INTO meta(name, value) VALUES('running_since_boot', ?) "
                         "ON CONFLICT(name) DO UPDATE SET value = excluded.value",
        boot);
    if (!marked)
        return marked.error();
    return registry;
}

Result<> ActorRegistry::recover(const QString &actorsDir)
{
    const QStringList files = QDir(actorsDir).entryList({QStringLiteral("*.sqlite")}, QDir::Files);
    if (files.isEmpty())
        return Unit{};
    qCWarning(lcRegistry, "the registry is new beside %lld actors: it is made again from them", qint64(files.size()));
    if (auto begun = m_database->begin(); !begun)
        return begun;
    for (const QString &file : files) {
        auto actor = Database::open(actorsDir + QLatin1Char('/') + file);
        if (!actor)
            continue; // that actor says so itself when it is opened
        QHash<QString, QString> meta;
        auto q = (*actor)->query("SELECT name, value FROM meta");
        while (q.next())
            meta.insert(q.text(0), q.text(1));
        const ActorAddress address{meta.value(QStringLiteral("name")),
            protocol::decodeKey(meta.value(QStringLiteral("key")))};
        if (address.name.isEmpty())
            continue;
        const QString id = actorIdOf(address);
        (void)m_database->run("INSERT OR IGNORE INTO actors(id, name, key, generation, created_at) VALUES(?, ?, ?, ?, ?)", id,
            address.name, meta.value(QStringLiteral("key")), meta.value(QStringLiteral("generation")).toLongLong(),
            meta.value(QStringLiteral("created_at")).toLongLong());
        (void)m_database->run("INSERT OR IGNORE INTO wake(actor, due) VALUES(?, 0)", id); // harmless when for nothing
    }
    return m_database->commit();
}

std::optional<ActorRef> ActorRegistry::find(const QString &id)
{
    const std::lock_guard lock(m_mutex);
    auto q = m_database->query("SELECT id, name, key, created_at, retired FROM actors WHERE id = ?", id);
    return q.next() ? std::optional(actorregistryRead(q)) : std::nullopt;
}

QList<ActorRef> ActorRegistry::list(const QString &name)
{
    return listed(name, false);
}

QList<ActorRef> ActorRegistry::listAll(const QString &name)
{
    return listed(name, true);
}

QList<ActorRef> ActorRegistry::listed(const QString &name, bool retiredToo)
{
    const std::lock_guard lock(m_mutex);
    QList<ActorRef> all;
    auto q = m_database->query("SELECT id, name, key, created_at, retired FROM actors WHERE name = ? AND retired IN (0, ?) ORDER BY created_at", name,
        retiredToo ? 1 : 0);
    while (q.next())
        all.append(actorregistryRead(q));
    return all;
}

QStringList ActorRegistry::allIds()
{
    const std::lock_guard lock(m_mutex);
    QStringList all;
    auto q = m_database->query("SELECT id FROM actors");
    while (q.next())
        all.append(q.text(0));
    return all;
}

Result<ActorRef> ActorRegistry::add(const ActorAddress &address, bool *created)
{
    const QString id = actorIdOf(address);
    const std::lock_guard lock(m_mutex);
    {
        auto q = m_database->query("SELECT id, name, key, created_at, retired FROM actors WHERE id = ?", id);
        if (q.next()) {
            if (created)
                *created = false;
            return actorregistryRead(q);
        }
    }
    const ActorRef ref{id, address, QDateTime::currentMSecsSinceEpoch()};
    auto written = m_database->run("INSERT INTO actors(id, name, key, generation, created_at) VALUES(?, ?, ?, 0, ?)", id,
        address.name, protocol::encodeKey(address.key), ref.createdAt);
    if (!written)
        return written.error();
    if (created)
        *created = true;
    return ref;
}

Result<> ActorRegistry::setRetired(const QString &id, bool retired)
{
    const std::lock_guard lock(m_mutex);
    return m_database->run("UPDATE actors SET retired = ? WHERE id = ?", retired ? 1 : 0, id);
}

Result<> ActorRegistry::erase(const QString &id)
{
    {
        const std::lock_guard lock(m_mutex);
        if (auto noted = m_database->run("UPDATE actors SET retired = ? WHERE id = ?", actorregistryErasing, id); !noted)
            return noted;
    }
    return eraseFiles(id);
}

// Only what is named by the id; a link is removed, not followed.
Result<> ActorRegistry::eraseFiles(const QString &id)
{
    const auto left = [](const QString &path) {
        return makeError(QLatin1StringView("internal"), QLatin1StringView("storage"), QStringLiteral("“%1” cannot be removed.").arg(path));
    };
    const QString content = m_dataDir + QStringLiteral("/content/") + id;
    const QFileInfo folder(content);
    if (folder.isSymLink() ? !QFile::remove(content) : folder.exists() && !QDir(content).removeRecursively())
        return left(content);
    QDir actors(m_dataDir + QStringLiteral("/actors"));
    const QStringList files = actors.entryList({id + QStringLiteral(".sqlite*")}, QDir::Files | QDir::System | QDir::Hidden);
    for (const QString &file : files) {
        if (!actors.remove(file))
            return left(actors.filePath(file));
    }
    const std::lock_guard lock(m_mutex);
    if (auto slept = m_database->run("DELETE FROM wake WHERE actor = ?", id); !slept)
        return slept;
    return m_database->run("DELETE FROM actors WHERE id = ?", id);
}

Result<qint64> ActorRegistry::nextGeneration(const QString &id)
{
    const std::lock_guard lock(m_mutex);
    auto q = m_database->query("UPDATE actors SET generation = generation + 1 WHERE id = ? RETURNING generation", id);
    const qint64 generation = q.next() ? q.integer(0) : 0;
    while (q.next()) { }
    if (auto done = q.result(); !done)
        return done.error();
    return generation;
}

qint64 ActorRegistry::generationOf(const QString &id)
{
    const std::lock_guard lock(m_mutex);
    auto q = m_database->query("SELECT generation FROM actors WHERE id = ?", id);
    return q.next() ? q.integer(0) : -1;
}

Result<> ActorRegistry::setDue(const QString &id, Millis due)
{
    const std::lock_guard lock(m_mutex);
    return m_database->run("INSERT INTO wake(actor, due) VALUES(?, ?) ON CONFLICT(actor) DO UPDATE SET due = min(due, excluded.due)",
        id, due);
}

Result<> ActorRegistry::clearDue(const QString &id, std::optional<Millis> next)
{
    const std::lock_guard lock(m_mutex);
    if (next)
        return m_database->run("INSERT INTO wake(actor, due) VALUES(?, ?) ON CONFLICT(actor) DO UPDATE SET due = excluded.due", id,
            *next);
    return m_database->run("DELETE FROM wake WHERE actor = ?", id);
}

std::optional<Millis> ActorRegistry::dueOf(const QString &id)
{
    const std::lock_guard lock(m_mutex);
    auto q = m_database->query("SELECT due FROM wake WHERE actor = ?", id);
    return q.next() ? std::optional(q.integer(0)) : std::nullopt;
}

QStringList ActorRegistry::dueUntil(Millis now)
{
    const std::lock_guard lock(m_mutex);
    QStringList due;
    auto q = m_database->query("SELECT actor FROM wake WHERE due <= ? ORDER BY due", now);
    while (q.next())
        due.append(q.text(0));
    return due;
}

std::optional<Millis> ActorRegistry::nextDue(Millis after)
{
    const std::lock_guard lock(m_mutex);
    auto q = m_database->query("SELECT min(due) FROM wake WHERE due > ?", after);
    return q.next() && !q.isNull(0) ? std::optional(q.integer(0)) : std::nullopt;
}

QString ActorRegistry::setAside() const
{
    return m_database->setAside();
}

void ActorRegistry::markClean()
{
    const std::lock_guard lock(m_mutex);
    auto marked = m_database->run("UPDATE meta SET value = '' WHERE name = 'running_since_boot'");
    if (!marked)
        qCWarning(lcRegistry, "cannot note the clean stop: %ls", qUtf16Printable(marked.error().message));
}

} // namespace foundry::backend
