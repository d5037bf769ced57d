// One SQLite file, opened for one thread: a thin owner of the C API with a cache of prepared statements.
// Text is UTF-8, times are milliseconds. Errors are values (group internal; code storage_failed, storage_full,
// storage_corrupt, storage_newer, storage_stopped); the first error inside a transaction sticks, so that an ignored one still rolls back,
// and nothing is written any more until then: SQLite may have ended the transaction by itself.
#pragma once

#include "models/types/result.h"

#include <QByteArray>
#include <QHash>
#include <QString>
#include <atomic>
#include <memory>
#include <optional>

struct sqlite3;
struct sqlite3_stmt;

namespace foundry::backend {

class Counter;
class Database;

// Bytes that are not text. A plain QByteArray is bound as UTF-8 text (JSON).
struct Blob {
    QByteArray bytes;
};

// A prepared statement in use. Steps with next(); back in the cache when it is destroyed. Must not outlive its Database.
class Query {
public:
    Query(Query &&other) noexcept;
    Query &operator=(Query &&) = delete;
    Query(const Query &) = delete;
    Query &operator=(const Query &) = delete;
    ~Query();

    // True while there is a row. After false, result() tells an end from an error.
    bool next();
    Result<> result() const;

    bool isNull(int column) const;
    qint64 integer(int column) const;
    bool flag(int column) const { return integer(column) != 0; }
    double real(int column) const;
    QString text(int column) const;
    QByteArray bytes(int column) const; // of text or blob
    std::optional<QString> optionalText(int column) const;
    std::optional<qint64> optionalInteger(int column) const;

private:
    friend class Database;
    Query(Database &database, QByteArrayView sql);
    void bindNull();
    void bindInteger(qint64 value);
    void bindReal(double value);
    void bindText(const char *data, qsizetype size);
    void bindBlob(const QByteArray &value);
    void add(std::nullptr_t) { bindNull(); }
    void add(const QString &value);
    void add(const QByteArray &value) { bindText(value.constData(), value.size()); }
    void add(QByteArrayView value) { bindText(value.data(), value.size()); }
    void add(const Blob &value) { bindBlob(value.bytes); }
    void add(double value) { bindReal(value); }
    template <class T>
    void add(const std::optional<T> &value)
    {
        if (value)
            add(*value);
        else
            bindNull();
    }
    template <class T>
        requires std::is_integral_v<T>
    void add(T value)
    {
        bindInteger(qint64(value));
    }

    Database *m_database;
    sqlite3_stmt *m_statement = nullptr;
    QByteArray m_sql;
    int m_bound = 0;
    int m_code = 0;
};

enum class Durability {
    Normal, // survives a killed process; the last commits may be lost with the power
    Full,   // survives a power loss
};

struct DatabaseOptions {
    Durability durability = Durability::Normal;
    int busyTimeoutMs = 5000;
    Counter *statements = nullptr; // counts what query() and run() begin; outlives the database
};

class Database {
public:
    // Opens or makes the file. A file that is not a sound database is moved aside (see setAside) and a new one made.
    static Result<std::unique_ptr<Database>> open(const QString &path, const DatabaseOptions &options = {});
    ~Database();
    Database(const Database &) = delete;
    Database &operator=(const Database &) = delete;

    // Where a damaged file was moved to by open(); empty when all was well.
    QString setAside() const { return m_setAside; }
    QString path() const { return m_path; }

    // The SQL of query() and run() is one statement with `?` for each argument; it is prepared once and kept.
    //   auto q = db.query("SELECT id FROM t WHERE a = ?", a);  while (q.next()) use(q.text(0));
    template <class... Args>
    Query query(QByteArrayView sql, const Args &...args)
    {
        Query query(*this, sql);
        (query.add(args), ...);
        return query;
    }
    // Runs a statement that gives no rows.
    template <class... Args>
    Result<> run(QByteArrayView sql, const Args &...args)
    {
        Query q = query(sql, args...);
        while (q.next()) { }
        return q.result();
    }
    // Runs several statements without arguments (schema steps).
    Result<> script(const QByteArray &sql);

    // Rows changed by the last statement.
    int changes() const;
    qint64 lastRowId() const;

    // Transactions do not nest. commit() fails, and rolls back, when any statement since begin() has failed.
    Result<> begin();
    Result<> commit();
    void rollback();
    bool inTransaction() const { return m_inTransaction; }
    // The first error since begin(), also when its caller dropped it.
    const std::optional<Error> &failure() const { return m_failure; }

    // The first error outside of transactions since the last call: what was read meanwhile is not the whole of it.
    std::optional<Error> takeReadFailure() { return std::exchange(m_readFailure, std::nullopt); }

    // Any thread, while it lives: statements that run end at once with storage_stopped, and so do later ones, until
    // resume() (on its own thread).
    void interrupt();
    void resume() { m_isInterrupted = false; }
    // The first sign that the file is damaged: it must be closed and opened again.
    const std::optional<Error> &damage() const { return m_damage; }

    // Brings the named part's schema to version steps.size(), running the steps that are missing, inside one
    // transaction (its own unless one is open). A database of a newer version is refused: internal.storage_newer.
    Result<> migrate(const QString &part, const QStringList &steps);

private:
    friend class Query;
    Database(QString path, sqlite3 *handle);
    static Result<std::unique_ptr<Database>> tryOpen(const QString &path, const DatabaseOptions &options);
    Error fail(int code, const QString &what);
    sqlite3_stmt *take(QByteArrayView sql, int *code);
    void giveBack(const QByteArray &sql, sqlite3_stmt *statement);

    QString m_path;
    QString m_setAside;
    sqlite3 *m_handle;
    QHash<QByteArray, sqlite3_stmt *> m_idle;
    bool m_inTransaction = false;
    Counter *m_statements = nullptr;
    bool m_isFresh = false; // made just now: its first commit does not wait for the disk
    std::optional<Error> m_failure;
    std::optional<Error> m_readFailure;
    std::optional<Error> m_damage;
    std::atomic<bool> m_isInterrupted = false;
};

} // namespace foundry::backend
