// Reverting, undoing and committing through the actors: jobs with rows, in the audit log, going on after a stop; and the
// trust in a repository's own hooks.
#include "backend/actors/actoraddresses.h"
#include "tests/backend_actors/domainharness.h"

#include <QDir>
#include <QFileInfo>

using namespace foundry;
using foundry::test::DomainHarness;

class TestTaskEdits : public QObject {
    Q_OBJECT

private:
    std::unique_ptr<DomainHarness> m_host;
    DomainHarness::Made m_made;
    RepoId m_repo;
    QString m_repository;
    QString m_tree;

    std::optional<Job> job(const QString &id)
    {
        for (const Job &known : m_host->rows<Job>(m_made.address, QStringLiteral("task"))) {
            if (known.id == id)
                return known;
        }
        return std::nullopt;
    }
    // Ordered, and over.
    template <class Command>
    Job done(const QString &action, const Command &command)
    {
        const auto answer = m_host->command(m_made.address, action, command);
        if (!answer) {
            Job refused;
            refused.error = answer.error();
            return refused;
        }
        const auto decoded = protocol::decodeValue<JobAnswer>(*answer);
        if (!decoded)
            qFatal("%ls", qUtf16Printable(decoded.error().message));
        const QString id = decoded->job.id;
        const bool over = QTest::qWaitFor([&] { return job(id) && job(id)->completedAt; }, 30000);
        if (!over)
            qWarning("the job %ls stays in %ls", qUtf16Printable(action), qUtf16Printable(job(id).value_or(Job{}).step.value_or(QString())));
        return job(id).value_or(decoded->job);
    }
    QString status() const
    {
        return QString::fromUtf8(m_host->git.mustGit(m_tree, {QStringLiteral("status"), QStringLiteral("--porcelain"), QStringLiteral("-uall")}));
    }
    void write(const QString &name, const QByteArray &bytes) { m_host->git.write(m_tree, name, bytes); }
    void start(bool withHook = false)
    {
        m_host = std::make_unique<DomainHarness>();
        m_repository = m_host->git.makeRepository(QStringLiteral("project"));
        if (withHook)
            hook("exit 0");
        m_host->start();
        m_repo = m_host->addRepository(m_repository);
        m_made = m_host->createTask(m_repo, {});
        QVERIFY(!m_made.error);
        QVERIFY(QTest::qWaitFor([this] { return m_host->rows<Task>(m_made.address, QStringLiteral("task")).value(0).git.head.has_value(); }, 30000));
        m_tree = m_host->rows<Task>(m_made.address, QStringLiteral("task")).first().workTree.value();
    }
    void hook(const QByteArray &script)
    {
        m_host->git.write(m_repository, QStringLiteral(".git/hooks/pre-commit"),
            "#!/bin/sh\necho ran >> '" + m_host->git.root().toUtf8() + "/hooked'\n" + script + "\n", true);
    }
    int hooked() const { return int(m_host->git.read(m_host->git.root(), QStringLiteral("hooked")).count('\n')); }

private Q_SLOTS:
    void cleanup() { m_host.reset(); }

    void revertAndUndo()
    {
        start();
        write(QStringLiteral("README.md"), "mine\n");
        write(QStringLiteral("new"), "mine\n");
        Revert revert;
        revert.paths = {QStringLiteral("README.md")};
        const Job reverted = done(QStringLiteral("revert"), revert);
        QCOMPARE(reverted.status.text(), QStringLiteral("completed"));
        QVERIFY(reverted.undoUntil.value_or(0) > QDateTime::currentMSecsSinceEpoch() + qint64(13) * 24 * 3600 * 1000);
        QCOMPARE(status(), QStringLiteral("?? new\n"));
        QVERIFY(m_host->git.git(m_repository, {QStringLiteral("rev-parse"), QStringLiteral("refs/foundry/revert/%1/%2").arg(m_made.task.value, reverted.id)}).ok());
        // The changes say so by themselves.
        QTRY_COMPARE_WITH_TIMEOUT(m_host->rows<FileChange>(m_made.address, QStringLiteral("changes")).size(), 1, 15000);
        m_host->stop();
        m_host->start();
        const Job undone = done(QStringLiteral("undoRevert"), UndoRevert{});
        QCOMPARE(undone.status.text(), QStringLiteral("completed"));
        QCOMPARE(undone.target, reverted.id);
        QCOMPARE(status(), QStringLiteral(" M README.md\n?? new\n"));
        QVERIFY(!job(reverted.id)->undoUntil);
        QCOMPARE(done(QStringLiteral("undoRevert"), UndoRevert{}).error.value_or(Error{}).code, QStringLiteral("conflict"));
        // Somebody's file in the way: named, and nothing lost.
        const Job again = done(QStringLiteral("revert"), Revert{});
        QCOMPARE(again.status.text(), QStringLiteral("completed"));
        QCOMPARE(status(), QString());
        write(QStringLiteral("new"), "theirs\n");
        UndoRevert undo;
        undo.jobId = again.id;
        const Job refused = done(QStringLiteral("undoRevert"), undo);
        QCOMPARE(refused.status.text(), QStringLiteral("error"));
        QCOMPARE(refused.conflicts, QStringList{QStringLiteral("new")});
        QCOMPARE(status(), QStringLiteral("?? new\n"));
        QVERIFY(QFile::remove(m_tree + QStringLiteral("/new")));
        QCOMPARE(done(QStringLiteral("undoRevert"), undo).status.text(), QStringLiteral("completed"));
        QCOMPARE(status(), QStringLiteral(" M README.md\n?? new\n"));
        revert.paths = {QStringLiteral("../x")};
        QCOMPARE(done(QStringLiteral("revert"), revert).error.value_or(Error{}).code, QStringLiteral("invalid"));
        // Who did what.
        QStringList kinds;
        QTRY_VERIFY_WITH_TIMEOUT([&] {
            kinds.clear();
            ListAudit asked;
            auto answer = m_host->call(backend::auditLogAddress(OrganizationId(QStringLiteral("local"))), QStringLiteral("list"), protocol::encodeArgs(asked));
            if (!answer)
                return false;
            const auto page = protocol::decodeValue<AuditPage>(*answer);
            for (const AuditEvent &event : page->events)
                kinds.append(event.kind);
            return kinds.count(QStringLiteral("reverted")) == 2 && kinds.count(QStringLiteral("revert_undone")) == 2;
        }(), 10000);
    }

    // Killed between the steps: the recorded one is not done again, the next one is.
    void commitAndStop()
    {
        start();
        write(QStringLiteral("README.md"), "mine\n");
        write(QStringLiteral("src/main.cpp"), "staged\n");
        m_host->git.mustGit(m_tree, {QStringLiteral("add"), QStringLiteral("src/main.cpp")});
        Commit commit;
        commit.message = QStringLiteral("Only the readme");
        commit.paths = QStringList{QStringLiteral("README.md")};
        commit.requestId = makeId<RequestId>();
        QVERIFY(m_host->command(m_made.address, QStringLiteral("commit"), commit));
        m_host->stop(); // somewhere in the middle
        m_host->start();
        QVERIFY(m_host->command(m_made.address, QStringLiteral("commit"), commit)); // the same order
        QTRY_COMPARE_WITH_TIMEOUT(status(), QStringLiteral("M  src/main.cpp\n"), 20000);
        const auto count = [this] { return m_host->git.git(m_tree, {QStringLiteral("rev-list"), QStringLiteral("--count"), QStringLiteral("main..HEAD")}).line(); };
        QTRY_COMPARE(m_host->rows<Job>(m_made.address, QStringLiteral("task")).value(0).status.text(), QStringLiteral("completed"));
        QCOMPARE(count(), QStringLiteral("1"));
        Commit rest;
        rest.message = QStringLiteral("The rest");
        QCOMPARE(done(QStringLiteral("commit"), rest).status.text(), QStringLiteral("completed"));
        QCOMPARE(status(), QString());
        QCOMPARE(count(), QStringLiteral("2"));
        QCOMPARE(done(QStringLiteral("commit"), rest).error.value_or(Error{}).code, QStringLiteral("nothing_to_commit"));
    }

    void trustedHooks()
    {
        start(true);
        QCOMPARE(m_host->repository(m_repo)->trustState, QStringLiteral("asked"));
        Commit commit;
        commit.message = QStringLiteral("Without");
        write(QStringLiteral("a"), "1\n");
        const Job without = done(QStringLiteral("commit"), commit);
        QCOMPARE(without.status.text(), QStringLiteral("completed"));
        QVERIFY(without.message.value_or(QString()).contains(QStringLiteral("not trusted")));
        QCOMPARE(hooked(), 0);
        TrustRepository trust;
        trust.repoId = m_repo;
        trust.version = QStringLiteral("something else");
        auto answer = m_host->command(m_host->organization(), QStringLiteral("trustRepository"), trust);
        QVERIFY(!answer && answer.error().code == QLatin1StringView("conflict"));
        trust.version = m_host->repository(m_repo)->trustVersion.value();
        QVERIFY(m_host->command(m_host->organization(), QStringLiteral("trustRepository"), trust));
        QCOMPARE(m_host->repository(m_repo)->trustState, QStringLiteral("trusted"));
        write(QStringLiteral("a"), "2\n");
        QCOMPARE(done(QStringLiteral("commit"), commit).status.text(), QStringLiteral("completed"));
        QCOMPARE(hooked(), 1);
        // Another hook than the one that was trusted: not run, and asked for again.
        hook("exit 1");
        write(QStringLiteral("a"), "3\n");
        QCOMPARE(done(QStringLiteral("commit"), commit).status.text(), QStringLiteral("completed"));
        QCOMPARE(hooked(), 1);
        m_host->stop();
        m_host->start();
        QTRY_COMPARE_WITH_TIMEOUT(m_host->repository(m_repo)->trustState, QStringLiteral("asked"), 15000);
        trust.version = m_host->repository(m_repo)->trustVersion.value();
        trust.requestId = makeId<RequestId>();
        QVERIFY(m_host->command(m_host->organization(), QStringLiteral("trustRepository"), trust));
        write(QStringLiteral("a"), "4\n");
        const Job refused = done(QStringLiteral("commit"), commit);
        QCOMPARE(refused.error.value_or(Error{}).code, QStringLiteral("hook_refused"));
        QCOMPARE(hooked(), 2);
        QCOMPARE(status(), QStringLiteral(" M a\n"));
    }
};

QTEST_GUILESS_MAIN(TestTaskEdits)
#include "tst_taskedits.moc"
