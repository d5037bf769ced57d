// Work trees of one repository are made one after another: who waits says so, loses no time of its own by it, and can be
// taken back meanwhile.
#include "tests/backend_actors/lifecycletest.h"

using namespace foundry;
using namespace foundry::test;

class tst_RepositoryLanes : public LifecycleTest {
    Q_OBJECT

private Q_SLOTS:
    void init() { begin(); }
    void cleanup()
    {
        end();
        qunsetenv("FOUNDRY_STAGE_DEADLINES");
    }

    void takenBackWhileItWaits();
    void deletedWhileItWaits();
    void deadlineStandsStill();

private:
    std::optional<Stage> prepared(const Made &made) { return m_host->stage(made.address, QStringLiteral("sandbox/repo_prepared")); }
    static bool saysThatItWaits(const std::optional<Stage> &stage)
    {
        return stage && stage->state == StageState::Running && stage->message.value_or(QString()).contains(QLatin1StringView("another task's work tree"));
    }
    bool waits(const Made &made)
    {
        return QTest::qWaitFor([&] { return saysThatItWaits(prepared(made)); }, longMs);
    }
    // By the stage's deadline, or by git's own, which is as long.
    bool isLate(const Made &made)
    {
        const auto stage = prepared(made);
        return stage->error && (stage->error->code == QLatin1StringView("timeout") || stage->error->message.contains(QLatin1StringView("within 3 s")));
    }
    // The one whose git hangs, and one behind it.
    void startTwo()
    {
        hangGit(QStringLiteral("worktree add"));
        m_first = m_host->createTask(m_repo, {});
        QVERIFY(!m_first.error);
        QVERIFY(QTest::qWaitFor([&] { return prepared(m_first) && prepared(m_first)->message == QStringLiteral("Making the folder (5 %)"); }, longMs));
        m_second = m_host->createTask(m_repo, {});
        QVERIFY(!m_second.error);
        QVERIFY(waits(m_second));
    }
    int trees() { return int(m_host->git.mustGit(m_repository, {QStringLiteral("worktree"), QStringLiteral("list"), QStringLiteral("--porcelain")}).count("worktree ")); }

    Made m_first;
    Made m_second;
};

void tst_RepositoryLanes::takenBackWhileItWaits()
{
    startTwo();
    QVERIFY(!prepared(m_second)->deadlineAt.has_value());
    QVERIFY(m_host->command(m_second.address, QStringLiteral("cancelProvisioning"), CancelProvisioning{}).ok());
    QCOMPARE(prepared(m_second)->state.text(), QStringLiteral("cancelled"));
    // Whoever comes next waits for the first only; the cancelled one comes no more.
    const auto third = m_host->createTask(m_repo, {});
    QVERIFY(waits(third));
    QVERIFY(prepared(m_first)->state == StageState::Running);
    releaseGit();
    QVERIFY(m_host->waitForStatus(m_first, SessionStatus::Ready));
    QVERIFY(m_host->waitForStatus(third, SessionStatus::Ready));
    QVERIFY(!saysThatItWaits(prepared(third)));
    QCOMPARE(prepared(m_second)->state.text(), QStringLiteral("cancelled"));
    QCOMPARE(trees(), 3); // the user's and two
    // And it can come back.
    QVERIFY(m_host->command(m_second.address, QStringLiteral("retryStage"), RetryStage{{}, QStringLiteral("sandbox/repo_prepared")}).ok());
    QVERIFY(m_host->waitForStatus(m_second, SessionStatus::Ready));
    QCOMPARE(trees(), 4);
}

void tst_RepositoryLanes::deletedWhileItWaits()
{
    startTwo();
    QVERIFY(remove(m_second).ok());
    QVERIFY(waitDeleted(m_second));
    QVERIFY(prepared(m_first)->state == StageState::Running);
    releaseGit();
    QVERIFY(m_host->waitForStatus(m_first, SessionStatus::Ready));
    QCOMPARE(trees(), 2);
}

// The deadline is about the work. Each of the first two hangs until its own is over; the last has waited for both by then.
void tst_RepositoryLanes::deadlineStandsStill()
{
    m_host->stop();
    qputenv("FOUNDRY_STAGE_DEADLINES", "repo_prepared=3");
    m_host->start();
    startTwo();
    const auto last = m_host->createTask(m_repo, {});
    QVERIFY(waits(last));
    QVERIFY(m_host->waitForStatus(m_first, SessionStatus::Error));
    QVERIFY2(isLate(m_first), qPrintable(prepared(m_first)->error->key()));
    QVERIFY(QTest::qWaitFor([&] { return prepared(m_second)->deadlineAt.has_value(); }, longMs)); // its turn has come
    QVERIFY(m_host->waitForStatus(m_second, SessionStatus::Error));
    QVERIFY2(isLate(m_second), qPrintable(prepared(m_second)->error->key()));
    releaseGit();
    QVERIFY(m_host->waitForStatus(last, SessionStatus::Ready));
    const auto stage = prepared(last);
    QVERIFY2(*stage->endedAt - *stage->startedAt > 3000, qPrintable(QString::number(*stage->endedAt - *stage->startedAt)));
    QCOMPARE(stage->attempt, 1);
}

QTEST_GUILESS_MAIN(tst_RepositoryLanes)
#include "tst_repositorylanes.moc"
