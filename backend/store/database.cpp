#include "backend/store/database.h"

#include "backend/observe/metrics.h"

#include <QDateTime>
#include <QFile>
#include <QFileInfo>
#include <QLoggingCategory>
#include <QStringList>

#include <sqlite3.h>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcStore, "foundry.store")

namespace {

// A marker beside a file in which damage was met: the next open checks the whole file.
QString databaseSuspectFile(const QString &path)
{
    return path + QStringLiteral(".suspect");
}

bool databaseIsDamage(int code)
{
    return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

QString databaseMoveAside(const QString &path)
{
    QString aside = path + QStringLiteral(".damaged-") + QString::number(QDateTime::currentMSecsSinceEpoch());
    if (!QFile::rename(path, aside))
        return {};
    QFile::rename(path + QStringLiteral("-wal"), aside + QStringLiteral("-wal"));
    QFile::remove(path + QStringLiteral("-shm"));
    QFile::remove(databaseSuspectFile(path));
    return aside;
}

constexpr int kCachedStatements = 96;

} // namespace

Query::Query(Database &database, QByteArrayView sql)
    : m_database(&database)
    , m_sql(QByteArray::fromRawData(sql.data(), sql.size()))
{
    m_sql.detach();
    m_statement = database.take(sql, &m_code);
    if (database.m_statements)
        database.m_statements->add();
}

Query::Query(Query &&other) noexcept
    : m_database(other.m_database)
    , m_statement(std::exchange(other.m_statement, nullptr))
    , m_sql(std::move(other.m_sql))
    , m_bound(other.m_bound)
    , m_code(other.m_code)
{
}

Query::~Query()
{
    if (m_statement)
        m_database->giveBack(m_sql, m_statement);
}

bool Query::next()
{
    if (!m_statement || (m_code != SQLITE_OK && m_code != SQLITE_ROW))
        return false;
    if (m_database->m_failure && m_database->m_inTransaction && !sqlite3_stmt_readonly(m_statement)) {
        m_code = SQLITE_ABORT;
        return false;
    }
    m_code = sqlite3_step(m_statement);
    if (m_code == SQLITE_ROW)
        return true;
    if (m_code != SQLITE_DONE)
        m_database->fail(m_code, QString::fromUtf8(m_sql));
    return false;
}

Result<> Query::result() const
{
    if (m_code == SQLITE_OK || m_code == SQLITE_ROW || m_code == SQLITE_DONE)
        return Unit{};
    if (m_code == SQLITE_ABORT && m_database->m_failure)
        return *m_database->m_failure;
    return m_database->fail(m_code, QString::fromUtf8(m_sql));
}

bool Query::isNull(int column) const
{
    return sqlite3_column_type(m_statement, column) == SQLITE_NULL;
}

qint64 Query::integer(int column) const
{
    return sqlite3_column_int64(m_statement, column);
}

double Query::real(int column) const
{
    return sqlite3_column_double(m_statement, column);
}

QString Query::text(int column) const
{
    const auto *data = reinterpret_cast<const char *>(sqlite3_column_text(m_statement, column));
    return QString::fromUtf8(data, sqlite3_column_bytes(m_statement, column));
}

QByteArray Query::bytes(int column) const
{
    const auto *data = static_cast<const char *>(sqlite3_column_blob(m_statement, column));
    return QByteArray(data, sqlite3_column_bytes(m_statement, column));
}

std::optional<QString> Query::optionalText(int column) const
{
    return isNull(column) ? std::nullopt : std::optional(text(column));
}

std::optional<qint64> Query::optionalInteger(int column) const
{
    return isNull(column) ? std::nullopt : std::optional(integer(column));
}

void Query::bindNull()
{
    if (m_statement)
        sqlite3_bind_null(m_statement, ++m_bound);
}

void Query::bindInteger(qint64 value)
{
    if (m_statement)
        sqlite3_bind_int64(m_statement, ++m_bound, value);
}

void Query::bindReal(double value)
{
    if (m_statement)
        sqlite3_bind_double(m_statement, ++m_bound, value);
}

void Query::bindText(const char *data, qsizetype size)
{
    // A null pointer would bind NULL; an empty text is not absent.
    if (m_statement)
        sqlite3_bind_text(m_statement, ++m_bound, data ? data : "", int(size), SQLITE_TRANSIENT);
}

void Query::bindBlob(const QByteArray &value)
{
    if (m_statement)
        sqlite3_bind_blob(m_statement, ++m_bound, value.isNull() ? "" : value.constData(), int(value.size()), SQLITE_TRANSIENT);
}

void Query::add(const QString &value)
{
    const QByteArray utf8 = value.toUtf8();
    bindText(utf8.constData(), utf8.size());
}

Database::Database(QString path, sqlite3 *handle)
    : m_path(std::move(path))
    , m_handle(handle)
{
}

Database::~Database()
{
    rollback();
    for (sqlite3_stmt *statement : std::as_const(m_idle))
        sqlite3_finalize(statement);
    sqlite3_close_v2(m_handle);
}

Result<std::unique_ptr<Database>> Database::open(const QString &path, const DatabaseOptions &options)
{
    auto opened = tryOpen(path, options);
    if (opened || opened.error().code != QLatin1StringView("storage_corrupt"))
        return opened;
    const QString aside = databaseMoveAside(path);
    if (aside.isEmpty())
        return opened;
    qCWarning(lcStore, "%ls is damaged and was set aside as %ls", qUtf16Printable(path), qUtf16Printable(aside));
    auto fresh = tryOpen(path, options);
    if (fresh)
        (*fresh)->m_setAside = aside;
    return fresh;
}

Result<std::unique_ptr<Database>> Database::tryOpen(const QString &path, const DatabaseOptions &options)
{
    sqlite3 *handle = nullptr;
    const int code = sqlite3_open_v2(path.toUtf8().constData(), &handle,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    std::unique_ptr<Database> database(new Database(path, handle));
    if (code != SQLITE_OK)
        return database->fail(code, path);
    sqlite3_busy_timeout(handle, options.busyTimeoutMs);
    database->m_statements = options.statements;

    // Making a file and turning it to WAL would wait five times for the disk, which is most of what a new task costs; what
    // a power loss can take of a new file is no more than what it can take of the last commits.
    const bool isFresh = options.durability == Durability::Normal && QFileInfo(path).size() == 0;
    const QByteArray synchronous = isFresh ? "OFF" : options.durability == Durability::Full ? "FULL" : "NORMAL";
    // The small page cache keeps ten thousand sleeping and waking actors cheap. Folding the log into the file waits for the
    // disk three times: actors do it when they have nothing to answer (ActorInstance), in a commit only far beyond that.
    auto set = database->script("PRAGMA synchronous=" + synchronous
        + "; PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-2000;"
          " PRAGMA journal_size_limit=4194304; PRAGMA wal_autocheckpoint=4000;");
    if (!set)
        return set.error();
    database->m_isFresh = isFresh;
    if (QFile::exists(databaseSuspectFile(path))) {
        auto check = database->query("PRAGMA quick_check(1)");
        const bool sound = check.next() && check.text(0) == QLatin1StringView("ok");
        if (!sound) {
            return makeError(QLatin1StringView("internal"), QLatin1StringView("storage_corrupt"),
                QStringLiteral("The database file %1 is damaged.").arg(path));
        }
        QFile::remove(databaseSuspectFile(path));
    }
    return database;
}

Error Database::fail(int code, const QString &what)
{
    QString message = QString::fromUtf8(m_handle ? sqlite3_errmsg(m_handle) : sqlite3_errstr(code));
    QLatin1StringView name("storage_failed");
    QString action = QStringLiteral("Try again. Should it stay like this, restart the host.");
    if ((code & 0xff) == SQLITE_FULL) {
        name = QLatin1StringView("storage_full");
        message = QStringLiteral("The disk that holds %1 is full.").arg(QFileInfo(m_path).path());
        action = QStringLiteral("Free some space on it, then try again.");
    } else if ((code & 0xff) == SQLITE_INTERRUPT) {
        name = QLatin1StringView("storage_stopped");
        message = QStringLiteral("The database %1 is about to be closed.").arg(m_path);
        action = QStringLiteral("Try again in a moment.");
    } else if (databaseIsDamage(code)) {
        name = QLatin1StringView("storage_corrupt");
        message = QStringLiteral("The database file %1 is damaged.").arg(m_path);
        action = QStringLiteral("Restart the host: it sets the file aside and goes on without it.");
        QFile marker(databaseSuspectFile(m_path));
        if (!marker.open(QIODevice::WriteOnly))
            qCWarning(lcStore, "cannot mark %ls as damaged", qUtf16Printable(m_path));
    }
    Error error = makeError(QLatin1StringView("internal"), name, message, action,
        QStringLiteral("sqlite %1: %2").arg(code).arg(what.left(200)));
    if (std::optional<Error> &first = m_inTransaction ? m_failure : m_readFailure; !first)
        first = error;
    if (databaseIsDamage(code) && !m_damage)
        m_damage = error;
    return error;
}

void Database::interrupt()
{
    m_isInterrupted = true;
    sqlite3_interrupt(m_handle);
}

sqlite3_stmt *Database::take(QByteArrayView sql, int *code)
{
    if (m_isInterrupted) {
        *code = SQLITE_INTERRUPT;
        fail(*code, QString::fromUtf8(sql));
        return nullptr;
    }
    const auto found = m_idle.constFind(QByteArray::fromRawData(sql.data(), sql.size()));
    if (found != m_idle.cend()) {
        sqlite3_stmt *statement = found.value();
        m_idle.erase(found);
        return statement;
    }
    sqlite3_stmt *statement = nullptr;
    *code = sqlite3_prepare_v3(m_handle, sql.data(), int(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (*code != SQLITE_OK)
        fail(*code, QString::fromUtf8(sql));
    return statement;
}

void Database::giveBack(const QByteArray &sql, sqlite3_stmt *statement)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (m_idle.size() >= kCachedStatements || m_idle.contains(sql)) {
        sqlite3_finalize(statement);
        return;
    }
    m_idle.insert(sql, statement);
}

Result<> Database::script(const QByteArray &sql)
{
    if (m_inTransaction && m_failure)
        return *m_failure;
    const int code = sqlite3_exec(m_handle, sql.constData(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK)
        return fail(code, QString::fromUtf8(sql.left(120)));
    return Unit{};
}

int Database::changes() const
{
    return sqlite3_changes(m_handle);
}

qint64 Database::lastRowId() const
{
    return sqlite3_last_insert_rowid(m_handle);
}

Result<> Database::begin()
{
    m_failure.reset();
    auto begun = run("BEGIN IMMEDIATE");
    m_inTransaction = begun.ok();
    return begun;
}

Result<> Database::commit()
{
    if (m_failure) {
        const Error failure = *m_failure;
        rollback();
        return failure;
    }
    auto committed = run("COMMIT");
    if (!committed)
        rollback();
    m_inTransaction = false;
    if (committed && std::exchange(m_isFresh, false))
        return script("PRAGMA synchronous=NORMAL");
    return committed;
}

void Database::rollback()
{
    if (!m_inTransaction)
        return;
    m_inTransaction = false;
    m_failure.reset();
    // SQLite may have rolled back by itself (disk full): then there is nothing left to undo.
    if (sqlite3_get_autocommit(m_handle) == 0)
        sqlite3_exec(m_handle, "ROLLBACK", nullptr, nullptr, nullptr);
}

Result<> Database::migrate(const QString &part, const QStringList &steps)
{
    const bool own = !m_inTransaction;
    if (own) {
        if (auto begun = begin(); !begun)
            return begun;
    }
    auto apply = [&]() -> Result<> {
        if (auto made = script("CREATE TABLE IF NOT EXISTS schema_versions(part TEXT PRIMARY KEY, version INTEGER NOT NULL)");
            !made) {
            return made;
        }
        qint64 version = 0;
        if (auto q = query("SELECT version FROM schema_versions WHERE part = ?", part); q.next())
            version = q.integer(0);
        if (version > steps.size()) {
            return makeError(QLatin1StringView("internal"), QLatin1StringView("storage_newer"),
                QStringLiteral("The file %1 was written by a newer version of the host.").arg(m_path),
                QStringLiteral("Install that version again, or a later one."),
                QStringLiteral("%1 is at %2, this version knows %3").arg(part).arg(version).arg(steps.size()));
        }
        if (version == steps.size())
            return Unit{};
        for (qsizetype i = qsizetype(version); i < steps.size(); ++i) {
            if (auto done = script(steps.at(i).toUtf8()); !done)
                return done;
        }
        return run("INSERT INTO schema_versions(part, version) VALUES(?, ?) "
                   "ON CONFLICT(part) DO UPDATE SET version = excluded.version",
            part, steps.size());
    };
    auto applied = apply();
    if (!own)
        return applied;
    if (!applied) {
        rollback();
        return applied;
    }
    return commit();
}

} // namespace foundry::backend
