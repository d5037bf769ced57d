// Repositories of every kind, by folder and by address: each ends ready, or with a cause and what to do.
#include "tests/backend_actors/domainharness.h"

#include <QDir>
#include <QFile>

#include <unistd.h>

using namespace foundry;
using foundry::test::DomainHarness;

class tst_Repositories : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_host = std::make_unique<DomainHarness>(); }
    void cleanup() { m_host.reset(); }

    void folders_data();
    void folders();
    void refusedAtOnce();
    void sameTwice();
    void folderInside();
    void clone();
    void badClone();
    void removeWhileCloning();
    void taskInEachKind();

private:
    std::unique_ptr<DomainHarness> m_host;
};

void tst_Repositories::folders_data()
{
    QTest::addColumn<QString>("kind");
    QTest::addColumn<QString>("code"); // empty: usable
    QTest::addColumn<QString>("note"); // a part of what is said
    QTest::addRow("plain") << QStringLiteral("plain") << QString() << QString();
    QTest::addRow("unknown folder") << QStringLiteral("unknown") << QStringLiteral("not_found") << QString();
    QTest::addRow("not a repository") << QStringLiteral("folder") << QStringLiteral("not_a_repository") << QString();
    QTest::addRow("empty") << QStringLiteral("empty") << QStringLiteral("empty_repository") << QString();
    QTest::addRow("detached") << QStringLiteral("detached") << QString() << QStringLiteral("detached HEAD");
    QTest::addRow("bare") << QStringLiteral("bare") << QString() << QStringLiteral("bare");
    QTest::addRow("dirty") << QStringLiteral("dirty") << QString() << QStringLiteral("uncommitted");
    QTest::addRow("no identity") << QStringLiteral("anonymous") << QString() << QStringLiteral("user.email");
    QTest::addRow("dubious ownership") << QStringLiteral("dubious") << QStringLiteral("untrusted") << QString();
}

void tst_Repositories::folders()
{
    QFETCH(QString, kind);
    QFETCH(QString, code);
    QFETCH(QString, note);
    auto &git = m_host->git;
    QString path = git.path(QStringLiteral("project"));
    if (kind == QLatin1StringView("unknown")) {
        path = git.path(QStringLiteral("nowhere"));
    } else if (kind == QLatin1StringView("folder")) {
        QDir().mkpath(path);
    } else if (kind == QLatin1StringView("empty")) {
        path = git.makeEmpty(QStringLiteral("project"));
    } else {
        path = git.makeRepository(QStringLiteral("project"));
        if (kind == QLatin1StringView("detached"))
            git.mustGit(path, {QStringLiteral("checkout"), QStringLiteral("--detach")});
        if (kind == QLatin1StringView("dirty"))
            git.write(path, QStringLiteral("README.md"), "edited\n");
        if (kind == QLatin1StringView("anonymous"))
            QVERIFY(QFile::remove(git.globalConfig()));
        if (kind == QLatin1StringView("bare")) {
            const QString bare = git.path(QStringLiteral("bare.git"));
            git.mustGit(git.root(), {QStringLiteral("clone"), QStringLiteral("--bare"), path, bare});
            path = bare;
        }
        if (kind == QLatin1StringView("dubious")) {
            if (geteuid() != 0)
                QSKIP("only root can give a folder away");
            QCOMPARE(chown(path.toUtf8().constData(), 12345, 12345), 0);
            QCOMPARE(chown((path + QStringLiteral("/.git")).toUtf8().constData(), 12345, 12345), 0);
        }
    }
    m_host->start();
    const auto row = m_host->repository(m_host->addRepository(path));
    QVERIFY(row.has_value());
    if (code.isEmpty()) {
        QVERIFY2(row->state == RepositoryState::Ready, row->error ? qPrintable(row->error->message) : "");
        QVERIFY(row->defaultBranch.has_value());
        QVERIFY2(row->progressText.value_or(QString()).contains(note), qPrintable(row->progressText.value_or(QString())));
        QCOMPARE(row->dirty, kind == QLatin1StringView("dirty"));
    } else {
        QCOMPARE(row->state.text(), QStringLiteral("error"));
        QCOMPARE(row->error->code, code);
        QVERIFY(!row->error->message.isEmpty());
        QVERIFY2(!row->error->action.isEmpty(), qPrintable(row->error->message));
        // A task in it is refused with the same cause.
        const auto made = m_host->createTask(row->id, QStringLiteral("/help"));
        QVERIFY(made.error && made.error->is(QLatin1StringView("state"), QLatin1StringView("not_ready")));
    }
}

void tst_Repositories::refusedAtOnce()
{
    m_host->start();
    const auto add = [this](const std::optional<QString> &path, const std::optional<QString> &url) {
        AddRepository command;
        command.repoId = makeId<RepoId>();
        command.path = path;
        command.url = url;
        return m_host->command(m_host->organization(), QStringLiteral("addRepository"), command);
    };
    QVERIFY(!add(std::nullopt, std::nullopt).ok());
    QVERIFY(!add(QStringLiteral("/a"), QStringLiteral("https://example.invalid/a.git")).ok());
    QVERIFY(!add(QStringLiteral("relative/path"), std::nullopt).ok());
    QVERIFY(!add(std::nullopt, QStringLiteral("ext::sh -c touch% /tmp/x")).ok());
    QVERIFY(!add(std::nullopt, QStringLiteral("https://me:secret@example.invalid/a.git")).ok());
}

void tst_Repositories::sameTwice()
{
    const QString path = m_host->git.makeRepository(QStringLiteral("project"));
    m_host->start();
    m_host->addRepository(path);
    AddRepository again;
    again.repoId = makeId<RepoId>();
    again.path = path;
    auto answer = m_host->command(m_host->organization(), QStringLiteral("addRepository"), again);
    QVERIFY(!answer && answer.error().is(QLatin1StringView("state"), QLatin1StringView("conflict")));
}

void tst_Repositories::folderInside()
{
    const QString path = m_host->git.makeRepository(QStringLiteral("project"));
    m_host->start();
    const auto row = m_host->repository(m_host->addRepository(path + QStringLiteral("/src")));
    QCOMPARE(row->state.text(), QStringLiteral("ready"));
    QCOMPARE(row->name, QStringLiteral("project"));
    const auto outer = m_host->repository(m_host->addRepository(path));
    QVERIFY(outer->error && outer->error->is(QLatin1StringView("state"), QLatin1StringView("conflict")));
}

void tst_Repositories::clone()
{
    const QString path = m_host->git.makeRepository(QStringLiteral("origin"));
    m_host->start();
    AddRepository add;
    add.repoId = makeId<RepoId>();
    add.url = QStringLiteral("file://") + path;
    auto answer = m_host->command(m_host->organization(), QStringLiteral("addRepository"), add);
    QVERIFY(answer.ok());
    QTRY_COMPARE_WITH_TIMEOUT(m_host->repository(add.repoId)->state.text(), QStringLiteral("ready"), 20000);
    QCOMPARE(m_host->repository(add.repoId)->name, QStringLiteral("origin"));
    QVERIFY2(!m_host->repository(add.repoId)->progressText, qPrintable(m_host->repository(add.repoId)->progressText.value_or(QString())));
    const auto made = m_host->createTask(add.repoId, QStringLiteral("/help"));
    QVERIFY(!made.error);
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    // One with tasks stays.
    QVERIFY(!m_host->command(m_host->organization(), QStringLiteral("removeRepository"), RemoveRepository{{}, add.repoId}).ok());
}

void tst_Repositories::badClone()
{
    m_host->start();
    AddRepository add;
    add.repoId = makeId<RepoId>();
    add.url = QStringLiteral("file://") + m_host->git.path(QStringLiteral("nowhere.git"));
    QVERIFY(m_host->command(m_host->organization(), QStringLiteral("addRepository"), add).ok());
    QTRY_COMPARE_WITH_TIMEOUT(m_host->repository(add.repoId)->state.text(), QStringLiteral("error"), 20000);
    QVERIFY(!m_host->repository(add.repoId)->error->action.isEmpty());
    QVERIFY(m_host->command(m_host->organization(), QStringLiteral("removeRepository"), RemoveRepository{{}, add.repoId}).ok());
    QVERIFY(!m_host->repository(add.repoId));
}

void tst_Repositories::removeWhileCloning()
{
    auto &git = m_host->git;
    const QByteArray before = qgetenv("PATH");
    git.write(git.root(), QStringLiteral("hang/git"), "#!/bin/sh\nexec sleep 600\n", true);
    qputenv("PATH", git.path(QStringLiteral("hang")).toUtf8() + ':' + before);
    m_host->start();
    AddRepository add;
    add.repoId = makeId<RepoId>();
    add.url = QStringLiteral("https://example.invalid/a.git");
    double ms = 0;
    QVERIFY(m_host->command(m_host->organization(), QStringLiteral("addRepository"), add, &ms).ok());
    QVERIFY(ms < 500);
    QCOMPARE(m_host->repository(add.repoId)->state.text(), QStringLiteral("cloning"));
    QVERIFY(m_host->command(m_host->organization(), QStringLiteral("removeRepository"), RemoveRepository{{}, add.repoId}, &ms).ok());
    QVERIFY(ms < 500);
    QVERIFY(!m_host->repository(add.repoId));
    m_host->stop();
    qputenv("PATH", before);
}

void tst_Repositories::taskInEachKind()
{
    auto &git = m_host->git;
    const QString dirty = git.makeRepository(QStringLiteral("dirty"));
    git.write(dirty, QStringLiteral("README.md"), "edited\n");
    git.mustGit(dirty, {QStringLiteral("checkout"), QStringLiteral("--detach")});
    const QString bare = git.path(QStringLiteral("bare.git"));
    git.mustGit(git.root(), {QStringLiteral("clone"), QStringLiteral("--bare"), dirty, bare});
    m_host->start();
    for (const QString &path : {dirty, bare}) {
        const auto made = m_host->createTask(m_host->addRepository(path), QStringLiteral("/help"));
        QVERIFY2(!made.error, made.error ? qPrintable(made.error->message) : "");
        QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    }
    QCOMPARE(git.read(dirty, QStringLiteral("README.md")), QByteArray("edited\n"));
}

QTEST_GUILESS_MAIN(tst_Repositories)
#include "tst_repositories.moc"
