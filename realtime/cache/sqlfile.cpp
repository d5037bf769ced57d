#include "realtime/cache/sqlfile.h"

#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QLoggingCategory>

#include <sqlite3.h>

namespace foundry::realtime {

namespace {

Q_LOGGING_CATEGORY(sqlfileLog, "foundry.realtime.cache", QtInfoMsg)

constexpr QLatin1StringView sqlfileDamaged("damaged");
constexpr QLatin1StringView sqlfileNewer("newer");
constexpr qsizetype sqlfileKeptStatements = 64;

bool sqlfileIsDamage(int code)
{
    return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

} // namespace

SqlQuery::SqlQuery(SqlFile &file, QByteArrayView sql)
    : m_file(&file)
    , m_sql(sql.data(), sql.size())
{
    if (const auto idle = file.m_idle.constFind(m_sql); idle != file.m_idle.cend()) {
        m_statement = *idle;
        file.m_idle.erase(idle);
        return;
    }
    m_code = sqlite3_prepare_v3(
        file.m_handle, sql.data(), int(sql.size()), SQLITE_PREPARE_PERSISTENT, &m_statement, nullptr);
    if (m_code != SQLITE_OK)
        file.fail(m_code, QString::fromUtf8(m_sql));
}

SqlQuery::SqlQuery(SqlQuery &&other) noexcept
    : m_file(other.m_file)
    , m_statement(std::exchange(other.m_statement, nullptr))
    , m_sql(std::move(other.m_sql))
    , m_bound(other.m_bound)
    , m_code(other.m_code)
{
}

SqlQuery::~SqlQuery()
{
    if (!m_statement)
        return;
    sqlite3_reset(m_statement);
    sqlite3_clear_bindings(m_statement);
    if (m_file->m_idle.size() < sqlfileKeptStatements && !m_file->m_idle.contains(m_sql))
        m_file->m_idle.insert(m_sql, m_statement);
    else
        sqlite3_finalize(m_statement);
}

bool SqlQuery::next()
{
    if (!m_statement || (m_code != SQLITE_OK && m_code != SQLITE_ROW))
        return false;
    m_code = sqlite3_step(m_statement);
    if (m_code != SQLITE_ROW && m_code != SQLITE_DONE)
        m_file->fail(m_code, QString::fromUtf8(m_sql));
    return m_code == SQLITE_ROW;
}

bool SqlQuery::ok() const
{
    return m_code == SQLITE_OK || m_code == SQLITE_ROW || m_code == SQLITE_DONE;
}

bool SqlQuery::isNull(int column) const
{
    return sqlite3_column_type(m_statement, column) == SQLITE_NULL;
}

qint64 SqlQuery::integer(int column) const
{
    return sqlite3_column_int64(m_statement, column);
}

QString SqlQuery::text(int column) const
{
    const auto *data = reinterpret_cast<const char *>(sqlite3_column_text(m_statement, column));
    return QString::fromUtf8(data, sqlite3_column_bytes(m_statement, column));
}

QByteArray SqlQuery::bytes(int column) const
{
    const auto *data = static_cast<const char *>(sqlite3_column_blob(m_statement, column));
    return QByteArray(data, sqlite3_column_bytes(m_statement, column));
}

void SqlQuery::add(const QString &value)
{
    const QByteArray utf8 = value.toUtf8();
    sqlite3_bind_text(m_statement, ++m_bound, utf8.constData(), int(utf8.size()), SQLITE_TRANSIENT);
}

void SqlQuery::add(const QByteArray &value)
{
    sqlite3_bind_blob(m_statement, ++m_bound, value.constData(), int(value.size()), SQLITE_TRANSIENT);
}

void SqlQuery::add(std::nullptr_t)
{
    sqlite3_bind_null(m_statement, ++m_bound);
}

void SqlQuery::add(qint64 value)
{
    sqlite3_bind_int64(m_statement, ++m_bound, value);
}

SqlFile::SqlFile(QString path, sqlite3 *handle)
    : m_path(std::move(path))
    , m_handle(handle)
{
}

SqlFile::~SqlFile()
{
    rollback();
    for (sqlite3_stmt *statement : std::as_const(m_idle))
        sqlite3_finalize(statement);
    sqlite3_close_v2(m_handle);
}

Result<std::unique_ptr<SqlFile>> SqlFile::open(const QString &path, const SqlSchema &schema, QString *setAside)
{
    auto opened = openOnce(path, schema);
    if (opened)
        return opened;
    const bool damaged = opened.error().code == QLatin1StringView("storage_corrupt");
    if (!damaged && opened.error().code != QLatin1StringView("storage_newer"))
        return opened;
    const QString aside = moveAside(path, damaged ? sqlfileDamaged : sqlfileNewer, schema.keepsAside);
    if (aside.isEmpty())
        return opened;
    qCWarning(sqlfileLog, "%ls cannot be used and was set aside as %ls: %ls", qUtf16Printable(path),
        qUtf16Printable(aside), qUtf16Printable(opened.error().message));
    *setAside = aside;
    return openOnce(path, schema);
}

QString SqlFile::moveAside(const QString &path, const QString &why, bool keepOthers)
{
    const QFileInfo info(path);
    if (!keepOthers) {
        // Of each kind the latest is enough to look at.
        const QDir folder = info.dir();
        for (const QString &old : folder.entryList({info.fileName() + QLatin1Char('.') + why + QStringLiteral("-*")}, QDir::Files))
            QFile::remove(folder.filePath(old));
    }
    QString aside = path + QLatin1Char('.') + why + QLatin1Char('-')
        + QString::number(QDateTime::currentMSecsSinceEpoch());
    if (!QFile::rename(path, aside))
        return {};
    QFile::rename(path + QStringLiteral("-wal"), aside + QStringLiteral("-wal"));
    QFile::remove(path + QStringLiteral("-shm"));
    return aside;
}

bool SqlFile::remove(const QString &path)
{
    bool gone = true;
    for (const char *part : {"", "-wal", "-shm"}) {
        const QString file = path + QLatin1StringView(part);
        gone = (!QFile::exists(file) || QFile::remove(file)) && gone;
    }
    return gone;
}

Result<std::unique_ptr<SqlFile>> SqlFile::openOnce(const QString &path, const SqlSchema &schema)
{
    constexpr auto ownerOnly = QFileDevice::ReadOwner | QFileDevice::WriteOwner;
    const QFileInfo info(path);
    if (!info.dir().exists() && QDir().mkpath(info.path()))
        QFile::setPermissions(info.path(), ownerOnly | QFileDevice::ExeOwner);
    // Made here and not by SQLite, so that no moment passes in which others may read it; its log files take after it.
    if (QFile made(path); !info.exists() && !made.open(QIODevice::WriteOnly | QIODevice::NewOnly, ownerOnly) && !info.exists())
        qCWarning(sqlfileLog, "%ls cannot be made: %ls", qUtf16Printable(path), qUtf16Printable(made.errorString()));

    sqlite3 *handle = nullptr;
    const int code = sqlite3_open_v2(QFile::encodeName(path).constData(), &handle,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    std::unique_ptr<SqlFile> file(new SqlFile(path, handle));
    if (code != SQLITE_OK) {
        file->fail(code, path);
        return *file->error();
    }
    sqlite3_busy_timeout(handle, 5000);
    const QByteArray synchronous = schema.survivesPower ? "FULL" : "NORMAL";
    if (!file->script("PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=" + synchronous
            + "; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000; PRAGMA journal_size_limit=4194304;")
        || !file->begin())
        return *file->error();
    const qint64 version = file->number("PRAGMA user_version");
    if (!file->error() && version > schema.steps.size()) {
        return makeError(QLatin1StringView("client"), QLatin1StringView("storage_newer"),
            QStringLiteral("The file %1 was written by a newer version of the workbench.").arg(path));
    }
    for (qsizetype step = qsizetype(version); !file->error() && step < schema.steps.size(); ++step)
        file->script(schema.steps.at(step));
    if (!file->error() && version < schema.steps.size())
        file->script("PRAGMA user_version=" + QByteArray::number(schema.steps.size()));
    if (!file->commit())
        return *file->error();
    return file;
}

void SqlFile::fail(int code, const QString &what)
{
    if ((code & 0xff) == SQLITE_INTERRUPT && m_stop)
        return; // asked for
    QLatin1StringView name("storage_failed");
    QString message = QStringLiteral("The file %1 cannot be used: %2.")
                          .arg(m_path, QString::fromUtf8(m_handle ? sqlite3_errmsg(m_handle) : sqlite3_errstr(code)));
    QString action = QStringLiteral("Check that its folder can be written to.");
    if ((code & 0xff) == SQLITE_FULL || code == SQLITE_IOERR_WRITE) {
        name = QLatin1StringView("storage_full");
        message = QStringLiteral("The disk that holds %1 is full.").arg(QFileInfo(m_path).path());
        action = QStringLiteral("Free some space on it.");
    } else if (sqlfileIsDamage(code)) {
        name = QLatin1StringView("storage_corrupt");
        message = QStringLiteral("The file %1 is damaged.").arg(m_path);
        action.clear();
    }
    if (!m_error || (sqlfileIsDamage(code) && !isDamaged()))
        m_error = makeError(QLatin1StringView("client"), name, message, action,
            QStringLiteral("sqlite %1: %2").arg(code).arg(what.left(200)));
}

bool SqlFile::script(const QByteArray &sql)
{
    const int code = sqlite3_exec(m_handle, sql.constData(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK)
        fail(code, QString::fromUtf8(sql.left(120)));
    return code == SQLITE_OK;
}

qint64 SqlFile::number(QByteArrayView sql)
{
    SqlQuery one = query(sql);
    return one.next() ? one.integer(0) : 0;
}

qint64 SqlFile::lastRowId() const
{
    return sqlite3_last_insert_rowid(m_handle);
}

int SqlFile::changes() const
{
    return sqlite3_changes(m_handle);
}

bool SqlFile::begin()
{
    m_error.reset();
    m_inTransaction = run("BEGIN IMMEDIATE");
    return m_inTransaction;
}

bool SqlFile::commit()
{
    if (m_inTransaction && !m_error)
        run("COMMIT");
    if (m_error)
        rollback();
    m_inTransaction = false;
    return !m_error;
}

void SqlFile::rollback()
{
    // SQLite may have rolled back by itself (disk full): then there is nothing left to undo.
    if (m_inTransaction && sqlite3_get_autocommit(m_handle) == 0)
        sqlite3_exec(m_handle, "ROLLBACK", nullptr, nullptr, nullptr);
    m_inTransaction = false;
}

void SqlFile::setInterrupt(std::function<bool()> stop)
{
    m_stop = std::move(stop);
    if (m_stop) {
        sqlite3_progress_handler(
            m_handle, 2000, [](void *self) { return static_cast<SqlFile *>(self)->m_stop() ? 1 : 0; }, this);
    } else {
        sqlite3_progress_handler(m_handle, 0, nullptr, nullptr);
    }
}

} // namespace foundry::realtime
