// foundry-host as a process: the ready line, the lock, signals; and the launcher with it.
#include "backend/launcher/hostlauncher.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QProcess>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QWebSocket>

#include <csignal>
#include <unistd.h>

using namespace foundry;

class tst_HostProcess : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void helpAndVersion();
    void badArguments_data();
    void badArguments();
    void readyLineAndConnectFile();
    void aSecondHostSaysWhoHoldsIt();
    void terminatesCleanly();
    void askedToEndAgainAndAgain();
    void termClosesConnectionsWithAReason();
    void surviveAKill();
    void launcherStartsAndAttaches();
    void launcherGetsOverADeadHost();
    void launcherIgnoresAStranger();
    void launcherWaitsForAStoppedHost();
    void launcherReplacesAnOlderHost();
    void launcherRefusesANewerHost();
    void launcherShowsWhyItFailed();
    void launcherStopsWhenIdle();

private:
    std::unique_ptr<QProcess> startHost(const QStringList &more = {});
    QJsonObject connectFile() const
    {
        QFile file(dataDir() + QStringLiteral("/host.json"));
        return file.open(QIODevice::ReadOnly) ? QJsonDocument::fromJson(file.readAll()).object() : QJsonObject();
    }
    QString dataDir() const { return m_dir->filePath(QStringLiteral("data")); }
    static QString program() { return qEnvironmentVariable("FOUNDRY_BIN_DIR") + QStringLiteral("/foundry-host"); }
    LauncherOptions options() const
    {
        LauncherOptions options;
        options.dataDir = dataDir();
        options.program = program();
        return options;
    }
    static bool gone(qint64 pid)
    {
        return QTest::qWaitFor([pid] { return ::kill(pid_t(pid), 0) != 0; }, 10000);
    }

    std::unique_ptr<QTemporaryDir> m_dir;
};

void tst_HostProcess::init()
{
    m_dir = std::make_unique<QTemporaryDir>();
}

void tst_HostProcess::cleanup()
{
    // Detached hosts of this test go with it.
    const qint64 pid = connectFile().value(QLatin1StringView("pid")).toInteger();
    if (pid > 0 && ::kill(pid_t(pid), SIGTERM) == 0)
        QVERIFY(gone(pid));
    // Qt itself has had nothing to say about it.
    QFile log(dataDir() + QStringLiteral("/host.log"));
    if (log.open(QIODevice::ReadOnly)) {
        const QByteArray said = log.readAll();
        QVERIFY2(!said.contains(" W default:"), said.right(2000).constData());
    }
}

std::unique_ptr<QProcess> tst_HostProcess::startHost(const QStringList &more)
{
    auto process = std::make_unique<QProcess>();
    process->start(program(), QStringList{QStringLiteral("--data-dir"), dataDir()} + more);
    if (!QTest::qWaitFor([&] { return process->canReadLine() || process->state() == QProcess::NotRunning; }, 10000))
        qWarning("no ready line");
    return process;
}

void tst_HostProcess::helpAndVersion()
{
    QProcess process;
    process.start(program(), {QStringLiteral("--help")});
    QVERIFY(process.waitForFinished());
    QCOMPARE(process.exitCode(), 0);
    const QByteArray help = process.readAllStandardOutput();
    QVERIFY(help.contains("--data-dir") && help.contains("--listen"));
    process.start(program(), {QStringLiteral("--version")});
    QVERIFY(process.waitForFinished());
    QCOMPARE(process.readAllStandardOutput(), QByteArray("foundry-host " FOUNDRY_VERSION "\n"));
}

void tst_HostProcess::badArguments_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QByteArray>("says");
    QTest::newRow("all addresses") << QStringList{QStringLiteral("--listen"), QStringLiteral("0.0.0.0:0")} << QByteArray("other machines");
    QTest::newRow("no port") << QStringList{QStringLiteral("--listen"), QStringLiteral("127.0.0.1")} << QByteArray("no address and port");
    QTest::newRow("name") << QStringList{QStringLiteral("--listen"), QStringLiteral("example.org:1")} << QByteArray("no address and port");
    QTest::newRow("unknown") << QStringList{QStringLiteral("--nonsense")} << QByteArray("nonsense");
    QTest::newRow("positional") << QStringList{QStringLiteral("run")} << QByteArray("run");
}

void tst_HostProcess::badArguments()
{
    QFETCH(QStringList, arguments);
    QFETCH(QByteArray, says);
    auto process = startHost(arguments);
    QTRY_COMPARE(process->state(), QProcess::NotRunning);
    QCOMPARE(process->exitCode(), 2);
    const QByteArray said = process->readAllStandardError();
    QVERIFY2(said.contains(says), said.constData());
}

void tst_HostProcess::readyLineAndConnectFile()
{
    auto process = startHost({QStringLiteral("--listen"), QStringLiteral("127.0.0.1:0")});
    const QJsonObject ready = QJsonDocument::fromJson(process->readLine()).object();
    QCOMPARE(ready.value(QLatin1StringView("ready")).toBool(), true);
    const QString path = ready.value(QLatin1StringView("connectFile")).toString();
    QCOMPARE(path, dataDir() + QStringLiteral("/host.json"));
    QCOMPARE(int(QFileInfo(path).permissions() & 0x777), int(QFileDevice::ReadUser | QFileDevice::WriteUser));
    const QJsonObject file = connectFile();
    QCOMPARE(file.value(QLatin1StringView("endpoint")), ready.value(QLatin1StringView("endpoint")));
    QCOMPARE(file.value(QLatin1StringView("pid")).toInteger(), process->processId());
    QCOMPARE(file.value(QLatin1StringView("token")).toString().size(), 64);
    QVERIFY(QFile::exists(dataDir() + QStringLiteral("/host.log")));
    process->terminate();
    QVERIFY(process->waitForFinished(10000));
    QFile log(dataDir() + QStringLiteral("/host.log"));
    QVERIFY(log.open(QIODevice::ReadOnly));
    QVERIFY(!log.readAll().contains(file.value(QLatin1StringView("token")).toString().toLatin1()));
}

void tst_HostProcess::aSecondHostSaysWhoHoldsIt()
{
    auto first = startHost();
    auto second = startHost();
    QTRY_COMPARE(second->state(), QProcess::NotRunning);
    QCOMPARE(second->exitCode(), 3);
    const QByteArray said = second->readAllStandardError();
    QVERIFY2(said.contains("process id " + QByteArray::number(first->processId())), said.constData());
    first->terminate();
    QVERIFY(first->waitForFinished(10000));
}

// Whoever waits for its end may lose patience and ask again, at any moment of it.
void tst_HostProcess::askedToEndAgainAndAgain()
{
    auto process = startHost();
    QVERIFY(process);
    const pid_t pid = pid_t(process->processId());
    while (process->state() == QProcess::Running) {
        ::kill(pid, SIGTERM);
        (void)process->waitForFinished(1);
    }
    QCOMPARE(process->exitStatus(), QProcess::NormalExit);
    QCOMPARE(process->exitCode(), 0);
    QVERIFY(!QFile::exists(dataDir() + QStringLiteral("/host.json")));
}

void tst_HostProcess::terminatesCleanly()
{
    auto process = startHost();
    process->terminate();
    QVERIFY(process->waitForFinished(10000));
    QCOMPARE(process->exitStatus(), QProcess::NormalExit);
    QCOMPARE(process->exitCode(), 0);
    QVERIFY(!QFile::exists(dataDir() + QStringLiteral("/host.json")));
}

void tst_HostProcess::termClosesConnectionsWithAReason()
{
    auto process = startHost();
    const QJsonObject file = connectFile();
    QWebSocket socket;
    QSignalSpy messages(&socket, &QWebSocket::textMessageReceived);
    socket.open(QUrl(file.value(QLatin1StringView("endpoint")).toString().replace(QLatin1StringView("http"), QLatin1StringView("ws"))
        + QStringLiteral("/gateway/app/connect?rvt-method=getOrCreate&rvt-key=app&rvt-token=")
        + file.value(QLatin1StringView("token")).toString()));
    QVERIFY(messages.wait(5000));
    process->terminate();
    QTRY_COMPARE(socket.state(), QAbstractSocket::UnconnectedState);
    QCOMPARE(int(socket.closeCode()), 1001);
    QCOMPARE(socket.closeReason(), QStringLiteral("actor.stopping"));
    QTRY_COMPARE(process->state(), QProcess::NotRunning);
    QCOMPARE(process->exitCode(), 0);
}

void tst_HostProcess::surviveAKill()
{
    auto first = startHost();
    first->kill();
    QVERIFY(first->waitForFinished());
    auto second = startHost(); // the lock went with the process
    QVERIFY(second->canReadLine());
    QCOMPARE(connectFile().value(QLatin1StringView("pid")).toInteger(), second->processId());
    second->terminate();
    QVERIFY(second->waitForFinished(10000));
}

void tst_HostProcess::launcherStartsAndAttaches()
{
    HostLauncher launcher(options());
    QSignalSpy available(&launcher, &HostLauncher::available);
    launcher.start();
    launcher.start(); // once is enough
    QVERIFY(available.wait(10000));
    const auto connection = available.first().first().value<HostConnection>();
    QCOMPARE(connection.endpoint, connectFile().value(QLatin1StringView("endpoint")).toString());
    QCOMPARE(connection.token, connectFile().value(QLatin1StringView("token")).toString());
    const qint64 pid = connectFile().value(QLatin1StringView("pid")).toInteger();
    QVERIFY(::getsid(pid_t(pid)) != ::getsid(0)); // it outlives the window
    HostLauncher other(options());
    QSignalSpy attached(&other, &HostLauncher::available);
    other.start();
    QVERIFY(attached.wait(5000));
    QCOMPARE(attached.first().first().value<HostConnection>(), connection);
    QCOMPARE(connectFile().value(QLatin1StringView("pid")).toInteger(), pid);
}

void tst_HostProcess::launcherGetsOverADeadHost()
{
    HostLauncher launcher(options());
    QSignalSpy available(&launcher, &HostLauncher::available);
    QSignalSpy ended(&launcher, &HostLauncher::hostEnded);
    launcher.start();
    QVERIFY(available.wait(10000));
    const qint64 pid = connectFile().value(QLatin1StringView("pid")).toInteger();
    ::kill(pid_t(pid), SIGKILL);
    QTRY_COMPARE(ended.size(), 1);
    launcher.lost();
    QTRY_COMPARE_WITH_TIMEOUT(available.size(), 2, 10000);
    QVERIFY(connectFile().value(QLatin1StringView("pid")).toInteger() != pid);
}

void tst_HostProcess::launcherIgnoresAStranger()
{
    // Something else listens where the file points, under a process that lives: it never sees the token.
    QVERIFY(QDir().mkpath(dataDir()));
    auto stranger = std::make_unique<QProcess>();
    QTemporaryDir elsewhere;
    stranger->start(program(), {QStringLiteral("--data-dir"), elsewhere.path()});
    QVERIFY(QTest::qWaitFor([&] { return stranger->canReadLine(); }, 10000));
    const QString endpoint = QJsonDocument::fromJson(stranger->readLine()).object().value(QLatin1StringView("endpoint")).toString();
    QFile file(dataDir() + QStringLiteral("/host.json"));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QJsonDocument(QJsonObject{{QStringLiteral("version"), QStringLiteral(FOUNDRY_VERSION)},
                                 {QStringLiteral("endpoint"), endpoint}, {QStringLiteral("token"), QStringLiteral("another")},
                                 {QStringLiteral("pid"), qint64(::getpid())}})
                   .toJson());
    file.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner);
    file.close();
    HostLauncher launcher(options());
    QSignalSpy available(&launcher, &HostLauncher::available);
    launcher.start();
    QVERIFY(available.wait(10000));
    QVERIFY(available.first().first().value<HostConnection>().endpoint != endpoint);
    stranger->terminate();
    QVERIFY(stranger->waitForFinished(10000));
}

void tst_HostProcess::launcherWaitsForAStoppedHost()
{
    auto process = startHost();
    ::kill(pid_t(process->processId()), SIGSTOP);
    HostLauncher launcher(options());
    QSignalSpy available(&launcher, &HostLauncher::available);
    launcher.start();
    QTest::qWait(300);
    QCOMPARE(available.size(), 0);
    ::kill(pid_t(process->processId()), SIGCONT);
    QVERIFY(available.wait(10000));
    QCOMPARE(connectFile().value(QLatin1StringView("pid")).toInteger(), process->processId());
    // One that stays silent is told of, and not doubled.
    LauncherOptions impatient = options();
    impatient.answerDeadlineMs = 500;
    ::kill(pid_t(process->processId()), SIGSTOP);
    HostLauncher second(impatient);
    QSignalSpy failed(&second, &HostLauncher::failed);
    second.start();
    QVERIFY(failed.wait(5000));
    QCOMPARE(failed.first().first().value<Error>().key(), QStringLiteral("client.host_silent"));
    ::kill(pid_t(process->processId()), SIGCONT);
    process->terminate();
    QVERIFY(process->waitForFinished(10000));
}

void tst_HostProcess::launcherReplacesAnOlderHost()
{
    auto process = startHost();
    LauncherOptions newer = options();
    newer.version = QStringLiteral("99.0");
    HostLauncher launcher(newer);
    QSignalSpy failed(&launcher, &HostLauncher::failed);
    launcher.start();
    // The old one goes; the one beside us is as old here, which is said instead of going round in circles.
    QVERIFY(failed.wait(20000));
    QTRY_COMPARE(process->state(), QProcess::NotRunning);
    QCOMPARE(process->exitCode(), 0);
    QCOMPARE(failed.first().first().value<Error>().key(), QStringLiteral("client.host_older"));
}

void tst_HostProcess::launcherRefusesANewerHost()
{
    auto process = startHost();
    LauncherOptions older = options();
    older.version = QStringLiteral("0.0.1");
    HostLauncher launcher(older);
    QSignalSpy failed(&launcher, &HostLauncher::failed);
    launcher.start();
    QVERIFY(failed.wait(5000));
    QCOMPARE(failed.first().first().value<Error>().key(), QStringLiteral("client.host_newer"));
    QCOMPARE(process->state(), QProcess::Running);
    process->terminate();
    QVERIFY(process->waitForFinished(10000));
}

void tst_HostProcess::launcherShowsWhyItFailed()
{
    QVERIFY(QDir().mkpath(dataDir()));
    LauncherOptions missing = options();
    missing.program = dataDir() + QStringLiteral("/none");
    HostLauncher launcher(missing);
    QSignalSpy failed(&launcher, &HostLauncher::failed);
    launcher.start();
    QVERIFY(failed.wait(5000));
    QCOMPARE(failed.first().first().value<Error>().key(), QStringLiteral("client.host_not_started"));
    // A host that cannot open its registry ends at once, and its words are handed on.
    QVERIFY(QDir().mkpath(dataDir() + QStringLiteral("/host.sqlite")));
    HostLauncher second(options());
    QSignalSpy failedToo(&second, &HostLauncher::failed);
    second.start();
    QVERIFY(failedToo.wait(10000));
    QCOMPARE(failedToo.first().first().value<Error>().key(), QStringLiteral("client.host_ended"));
    QVERIFY(!failedToo.first().at(1).toString().isEmpty());
}

void tst_HostProcess::launcherStopsWhenIdle()
{
    HostLauncher launcher(options());
    QSignalSpy available(&launcher, &HostLauncher::available);
    launcher.start();
    QVERIFY(available.wait(10000));
    const qint64 pid = connectFile().value(QLatin1StringView("pid")).toInteger();
    launcher.stopWhenIdle();
    QVERIFY(gone(pid));
}

QTEST_GUILESS_MAIN(tst_HostProcess)
#include "tst_hostprocess.moc"
