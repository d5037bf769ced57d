// Real repositories for tests and benchmarks, in a temporary folder with its own HOME and git configuration. Waits for
// git: tests only.
#pragma once

#include "models/types/result.h"

#include <QByteArray>
#include <QProcessEnvironment>
#include <QStringList>
#include <QTemporaryDir>

namespace foundry::test {

// What git answered.
struct GitAnswer {
    int exitCode = -1;
    QByteArray out;
    QByteArray err;
    bool ok() const { return exitCode == 0; }
    QString line() const { return QString::fromUtf8(out).trimmed(); }
};

class GitFixture {
public:
    GitFixture(); // with a user name and e-mail
    ~GitFixture();
    GitFixture(const GitFixture &) = delete;
    GitFixture &operator=(const GitFixture &) = delete;

    QString root() const { return m_dir.path(); }
    QString path(const QString &name) const { return m_dir.filePath(name); }
    // The environment of a user of this fixture; give it to whatever is under test.
    QProcessEnvironment environment() const { return m_environment; }
    void setVariable(const QString &name, const QString &value) { m_environment.insert(name, value); }
    QString globalConfig() const { return path(QStringLiteral("home/.gitconfig")); }

    // As the user would: with hooks, filters and everything.
    GitAnswer git(const QString &directory, const QStringList &arguments, const QByteArray &input = {}) const;
    // The same; a failure is fatal for the test, with git's words.
    QByteArray mustGit(const QString &directory, const QStringList &arguments, const QByteArray &input = {}) const;

    // A repository on branch main; with a first commit of README.md and src/main.cpp.
    QString makeEmpty(const QString &name) const;
    QString makeRepository(const QString &name) const;
    void write(const QString &directory, const QString &file, const QByteArray &bytes, bool executable = false) const;
    QByteArray read(const QString &directory, const QString &file) const;
    void commitAll(const QString &directory, const QString &message) const;

private:
    QTemporaryDir m_dir;
    QProcessEnvironment m_environment;
};

struct BigRepository {
    int files = 20000;
    int commits = 5000; // the first makes all files, each later one changes a few
    int branches = 0;   // feature/0 …, spread over the history
    quint32 seed = 1;   // the same seed makes the same repository, object ids included
    bool checkOut = true;
};
// A repository with a plausible tree of sources, by git fast-import. path must not exist.
Result<> makeBigRepository(const QString &path, const BigRepository &spec, const QProcessEnvironment &environment);

} // namespace foundry::test
