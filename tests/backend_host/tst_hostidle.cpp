// "Stop the host when idle" and what idle means: an agent that waits for the next prompt is no reason to stay, a turn
// that is open is one.
#include "tests/backend_host/hosttask.h"
#include "tests/support/gitfixture.h"

#include <QDir>
#include <QFile>
#include <QNetworkAccessManager>
#include <QNetworkProxy>
#include <QNetworkReply>
#include <QTest>

#include <csignal>

using namespace foundry;

class tst_HostIdle : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void anIdleAgentDoesNotKeepTheHost();
    void anOpenTurnKeepsTheHost();

private:
    void start();
    static bool askToStopWhenIdle(const wire::HostProcess &host);
    // Children of the host, from /proc.
    static QList<qint64> childrenOf(qint64 pid)
    {
        QList<qint64> children;
        const QString threads = QStringLiteral("/proc/%1/task").arg(pid); // each thread has its own
        for (const QString &thread : QDir(threads).entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
            QFile file(threads + QLatin1Char('/') + thread + QStringLiteral("/children"));
            if (!file.open(QIODevice::ReadOnly))
                continue;
            for (const QByteArray &child : file.readAll().split(' ')) {
                if (!child.isEmpty())
                    children.append(child.toLongLong());
            }
        }
        return children;
    }
    bool hostHasGone() const { return !m_host->isRunning(); }

    std::unique_ptr<test::GitFixture> m_git;
    std::unique_ptr<wire::HostProcess> m_host;
    test::HostTask m_ids;
};

void tst_HostIdle::init()
{
    m_host.reset();
    m_git = std::make_unique<test::GitFixture>();
    m_ids = {};
}

void tst_HostIdle::start()
{
    const QString repository = m_git->makeRepository(QStringLiteral("project"));
    m_host = std::make_unique<wire::HostProcess>(m_git->path(QStringLiteral("data")));
    m_host->setEnvironment(m_git->environment());
    const auto started = m_host->start();
    QVERIFY2(started, started ? "" : qPrintable(started.error().message));
    const auto added = test::addRepository(*m_host, m_ids.repo, repository);
    QVERIFY2(added, added ? "" : qPrintable(added.error().message));
}

bool tst_HostIdle::askToStopWhenIdle(const wire::HostProcess &host)
{
    QNetworkAccessManager network;
    network.setProxy(QNetworkProxy::NoProxy);
    QNetworkRequest request(QUrl(host.endpoint() + QStringLiteral("/drain?when=idle")));
    request.setRawHeader("Authorization", "Bearer " + host.token().toUtf8());
    request.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
    QNetworkReply *reply = network.post(request, QByteArrayLiteral("{}"));
    return QTest::qWaitFor([reply] { return reply->isFinished(); }, 5000) && reply->error() == QNetworkReply::NoError;
}

void tst_HostIdle::anIdleAgentDoesNotKeepTheHost()
{
    start();
    auto organization = test::openOrganization(*m_host);
    QVERIFY(organization);
    QVERIFY(test::ask(**organization, QStringLiteral("createTask"), test::newTask(m_ids, QStringLiteral("/help"))));
    auto task = test::openTask(*m_host, m_ids);
    QVERIFY(task);
    QTRY_COMPARE_WITH_TIMEOUT(test::sessionStatus(**task, m_ids.session), QStringLiteral("idle"), 20000);
    QTRY_COMPARE_WITH_TIMEOUT(childrenOf(m_host->pid()).size(), 1, 20000); // the agent, waiting; no git any more
    const qint64 agent = childrenOf(m_host->pid()).constFirst();
    organization->reset();
    task->reset();
    QVERIFY(askToStopWhenIdle(*m_host));
    QTRY_VERIFY_WITH_TIMEOUT(hostHasGone(), 20000);
    QTRY_VERIFY_WITH_TIMEOUT(::kill(pid_t(agent), 0) != 0, 5000);
}

void tst_HostIdle::anOpenTurnKeepsTheHost()
{
    start();
    {
        auto organization = test::openOrganization(*m_host);
        QVERIFY(organization);
        // It asks for leave first: the turn stays open as long as nobody answers.
        QVERIFY(test::ask(**organization, QStringLiteral("createTask"), test::newTask(m_ids, QStringLiteral("/run true"))));
        QTRY_VERIFY_WITH_TIMEOUT(!test::rowsOf<Attention>(**organization, QStringLiteral("organization")).isEmpty(), 20000);
    }
    QVERIFY(askToStopWhenIdle(*m_host));
    QTest::qWait(5000); // more than two of its looks
    QVERIFY(!hostHasGone());
    {
        auto task = test::openTask(*m_host, m_ids);
        QVERIFY(task);
        QCOMPARE(test::sessionStatus(**task, m_ids.session), QStringLiteral("running"));
        CancelTurn cancel;
        cancel.sessionId = m_ids.session;
        QVERIFY(test::ask(**task, QStringLiteral("cancelTurn"), cancel));
        QTRY_COMPARE_WITH_TIMEOUT(test::sessionStatus(**task, m_ids.session), QStringLiteral("idle"), 20000);
    }
    QTRY_VERIFY_WITH_TIMEOUT(hostHasGone(), 20000);
}

QTEST_GUILESS_MAIN(tst_HostIdle)
#include "tst_hostidle.moc"
