// One SQLite file of the client, opened for one thread: owner-only (0600), write-ahead log, schema in numbered steps. A
// file that is damaged, or that a newer version wrote, is set aside and a new one made: it never blocks the start.
// Errors are values (group client; code storage_failed, storage_full, storage_corrupt); the first one inside a
// transaction sticks, so that a write that failed half-way is rolled back as a whole.
#pragma once

#include "models/types/result.h"

#include <QByteArray>
#include <QHash>
#include <QList>
#include <functional>
#include <memory>
#include <optional>

struct sqlite3;
struct sqlite3_stmt;

namespace foundry::realtime {

class SqlFile;

// Steps with next(); the statement goes back to its file when this is destroyed. Must not outlive the file.
class SqlQuery {
public:
    SqlQuery(SqlQuery &&other) noexcept;
    SqlQuery(const SqlQuery &) = delete;
    SqlQuery &operator=(const SqlQuery &) = delete;
    SqlQuery &operator=(SqlQuery &&) = delete;
    ~SqlQuery();

    // True while there is a row; false at the end and after an error (SqlFile::error() tells which).
    bool next();
    bool ok() const;

    bool isNull(int column) const;
    qint64 integer(int column) const;
    QString text(int column) const;
    QByteArray bytes(int column) const;

private:
    friend class SqlFile;
    SqlQuery(SqlFile &file, QByteArrayView sql);
    void add(const QString &value);
    void add(const QByteArray &value); // bytes
    void add(std::nullptr_t);
    void add(qint64 value);
    void add(int value) { add(qint64(value)); }
    void add(bool value) { add(qint64(value)); }
    template <class T>
    void add(const std::optional<T> &value)
    {
        if (value)
            add(*value);
        else
            add(nullptr);
    }

    SqlFile *m_file;
    sqlite3_stmt *m_statement = nullptr;
    QByteArray m_sql;
    int m_bound = 0;
    int m_code = 0;
};

struct SqlSchema {
    QList<QByteArray> steps;   // those that have shipped are never edited
    bool survivesPower = false; // each commit reaches the disk
    bool keepsAside = false;    // every file that was set aside stays; otherwise the latest one
};

class SqlFile {
public:
    // `setAside` is where an unusable file went; empty when all was well.
    static Result<std::unique_ptr<SqlFile>> open(const QString &path, const SqlSchema &schema, QString *setAside);
    // Moves the file away; its place is free afterwards. The file must be closed. Empty when that failed.
    static QString moveAside(const QString &path, const QString &why, bool keepOthers);
    // The file and what belongs to it. False when something is left.
    static bool remove(const QString &path);
    ~SqlFile();
    SqlFile(const SqlFile &) = delete;
    SqlFile &operator=(const SqlFile &) = delete;

    template <class... Args>
    SqlQuery query(QByteArrayView sql, const Args &...args)
    {
        SqlQuery query(*this, sql);
        (query.add(args), ...);
        return query;
    }
    template <class... Args>
    bool run(QByteArrayView sql, const Args &...args)
    {
        SqlQuery statement = query(sql, args...);
        while (statement.next()) { }
        return statement.ok();
    }
    bool script(const QByteArray &sql);
    qint64 number(QByteArrayView sql);
    qint64 lastRowId() const;
    int changes() const;

    bool begin();
    // False, and rolled back, when anything since begin() failed.
    bool commit();
    void rollback();

    const std::optional<Error> &error() const { return m_error; }
    void clearError() { m_error.reset(); }
    bool isDamaged() const { return m_error && m_error->code == QLatin1StringView("storage_corrupt"); }

    // Asked often while statements run; true stops the present one. Null: never.
    void setInterrupt(std::function<bool()> stop);

private:
    friend class SqlQuery;
    SqlFile(QString path, sqlite3 *handle);
    static Result<std::unique_ptr<SqlFile>> openOnce(const QString &path, const SqlSchema &schema);
    void fail(int code, const QString &what);

    QString m_path;
    sqlite3 *m_handle;
    QHash<QByteArray, sqlite3_stmt *> m_idle;
    bool m_inTransaction = false;
    std::optional<Error> m_error;
    std::function<bool()> m_stop;
};

} // namespace foundry::realtime
