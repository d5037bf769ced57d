// Figures and the log: what is counted, that Prometheus can read it, one line for one event, bounded, and no secrets.
#include "backend/host/hostlog.h"
#include "backend/observe/logline.h"
#include "backend/observe/metrics.h"
#include "models/types/commands.h"
#include "realtime/protocol/codec.h"
#include "models/types/lifecycle.h"
#include "tests/backend_host/hosttask.h"
#include "tests/backend_host/prometheusreader.h"
#include "tests/support/gitfixture.h"
#include "tests/wire/hostprocess.h"
#include "tests/wire/wireclient.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcessEnvironment>
#include <QStandardPaths>
#include <QTcpSocket>
#include <QTest>

#include <csignal>
#include <thread>

using namespace foundry;
using namespace foundry::backend;
using foundry::test::PrometheusReader;

namespace {

QPair<int, QByteArray> observeGet(const QString &endpoint, const QByteArray &path, const QByteArray &token)
{
    const QUrl url(endpoint);
    QTcpSocket socket;
    socket.connectToHost(url.host(), quint16(url.port()));
    if (!socket.waitForConnected(5000))
        return {0, {}};
    socket.write("GET " + path + " HTTP/1.1\r\nHost: " + url.authority().toLatin1() + "\r\nConnection: close\r\n"
        + (token.isEmpty() ? QByteArray() : "Authorization: Bearer " + token + "\r\n") + "\r\n");
    QByteArray all;
    while (socket.waitForReadyRead(5000))
        all += socket.readAll();
    const qsizetype body = all.indexOf("\r\n\r\n");
    return {all.mid(9, 3).toInt(), body < 0 ? QByteArray() : all.sliced(body + 4)};
}

// The events of the host's log, in order.
QList<QJsonObject> observeLines(const wire::HostProcess &host)
{
    QFile log(host.dataDir() + QStringLiteral("/host.log"));
    if (!log.open(QIODevice::ReadOnly))
        return {};
    QList<QJsonObject> lines;
    const QList<QByteArray> all = log.readAll().split('\n');
    for (const QByteArray &line : all) {
        if (const qsizetype at = line.indexOf(": {\""); at >= 0)
            lines.append(QJsonDocument::fromJson(line.sliced(at + 2)).object());
    }
    return lines;
}

QString observeText(const QJsonObject &line, const char *name)
{
    return line.value(QLatin1StringView(name)).toString();
}

// "event actor step" of all lines with that id.
QStringList observeWith(const QList<QJsonObject> &lines, const QString &correlation)
{
    QStringList found;
    for (const QJsonObject &line : lines) {
        if (observeText(line, "correlation") == correlation)
            found.append(QStringList{observeText(line, "event"), observeText(line, "actor"), observeText(line, "step")}.join(QLatin1Char(' ')).trimmed());
    }
    return found;
}

} // namespace

class TstObserve : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void figures();
    void seriesAreBounded();
    void prometheusText();
    void linesAreJson();
    void logIsBoundedAndClean();
    void aRealHost();
    void whatTasksUse();
    void oneIdForAllThatACommandCauses();
};

void TstObserve::figures()
{
    HostMetrics metrics;
    Counter &commits = metrics.commits.with({"task"});
    QCOMPARE(&metrics.commits.with({"task"}), &commits);
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&metrics, i] {
            for (int n = 0; n < 1000; ++n) {
                metrics.commits.with({"task"}).add();
                metrics.action.with({"task", QByteArray::number(i)}).observe(0.003);
            }
        });
    }
    for (std::thread &thread : threads)
        thread.join();
    QCOMPARE(commits.value(), 4000);
    const Histogram &one = metrics.action.with({"task", "2"});
    QCOMPARE(one.count(), 1000);
    QCOMPARE(one.quantile(0.99), 0.005);
    QVERIFY(qAbs(one.sum() - 3) < 0.01);
    Histogram odd;
    odd.observe(-1);
    odd.observe(1e9);
    QCOMPARE(odd.count(), 2);
    QCOMPARE(odd.atMost(0), 1);
    {
        const Held held(metrics.agentsRunning.with());
        QCOMPARE(metrics.agentsRunning.with().value(), 1);
    }
    QCOMPARE(metrics.agentsRunning.with().value(), 0);
}

void TstObserve::seriesAreBounded()
{
    HostMetrics metrics;
    for (int i = 0; i < 1000; ++i)
        metrics.reconnects.with({QByteArray::number(i)}).add();
    int series = 0;
    qint64 all = 0;
    metrics.reconnects.each([&](const QByteArrayList &, const Counter &one) {
        ++series;
        all += one.value();
    });
    QVERIFY(series <= 65);
    QCOMPARE(all, 1000); // none is lost
    QCOMPARE(metrics.reconnects.with({"other"}).value(), 1000 - series + 1);
}

void TstObserve::prometheusText()
{
    HostMetrics metrics;
    metrics.reconnects.with({"task/org/\"a\\b\"\n"}).add(3);
    metrics.action.with({"task", "sendMessage"}).observe(0.02);
    metrics.action.with({"task", "sendMessage"}).observe(200);
    metrics.outboxDepth.with().add(-2);
    const QByteArray text = metrics.prometheus();
    const PrometheusReader read(text);
    QVERIFY2(read.error.isEmpty(), qPrintable(read.error));
    QCOMPARE(read.samples.value(QStringLiteral("foundry_action_seconds_count{actor=\"task\",action=\"sendMessage\"}")), 2);
    QCOMPARE(read.samples.value(QStringLiteral("foundry_action_seconds_bucket{actor=\"task\",action=\"sendMessage\",le=\"120\"}")), 1);
    QCOMPARE(read.samples.value(QStringLiteral("foundry_outbox_depth")), -2);
    QVERIFY(read.samples.value(QStringLiteral("foundry_resident_bytes")) > 1e6);
    QVERIFY(QJsonDocument::fromJson(metrics.json()).object().value(QLatin1StringView("foundry_action_seconds")).isArray());
    // The reader refuses what is wrong.
    QVERIFY(!PrometheusReader("# TYPE a counter\na{b=\"c} 1\n").error.isEmpty());
    QVERIFY(!PrometheusReader("# TYPE a counter\na 1\na 1\n").error.isEmpty());
    QVERIFY(!PrometheusReader("a 1\n").error.isEmpty());
}

void TstObserve::linesAreJson()
{
    const QByteArray text = LogLine("action_failed").add("correlation", u"c1-2").add("empty", QString()).add("key", u"a\"b\\c\nd")
                                .add("count", qint64(7)).addMilliseconds("ms", 0.1234).text();
    QVERIFY(!text.contains('\n'));
    const QJsonObject line = QJsonDocument::fromJson(text).object();
    QCOMPARE(line.value(QLatin1StringView("event")).toString(), QStringLiteral("action_failed"));
    QCOMPARE(line.value(QLatin1StringView("key")).toString(), QStringLiteral("a\"b\\c\nd"));
    QCOMPARE(line.value(QLatin1StringView("ms")).toDouble(), 123.4);
    QVERIFY(!line.contains(QLatin1StringView("empty")));
}

void TstObserve::logIsBoundedAndClean()
{
    QTemporaryDir dir;
    const QString path = dir.filePath(QStringLiteral("host.log"));
    startHostLog(path, QStringLiteral("CANARYTOKEN"));
    endStartLog();
    qInfo("clone of https://user:CANARYPASSWORD@example.org/a.git failed\nsecond line, token CANARYTOKEN");
    const QByteArray filler(1000, 'x');
    QFile log(path);
    QVERIFY(log.open(QIODevice::ReadOnly));
    const QByteArray first = log.readAll();
    QVERIFY(!first.contains("CANARY"));
    QVERIFY(first.contains("https://***@example.org/a.git"));
    QCOMPARE(first.count('\n'), 1);
    for (int i = 0; i < 6000; ++i)
        qInfo("%s", filler.constData());
    qInstallMessageHandler(nullptr);
    const QFileInfoList files = QDir(dir.path()).entryInfoList(QDir::Files);
    QCOMPARE(files.size(), 2);
    for (const QFileInfo &file : files)
        QVERIFY2(file.size() <= 2 * 1024 * 1024 + 5000, qPrintable(file.fileName()));
    QCOMPARE(int(QFileInfo(path).permissions() & 0x77), 0);
}

void TstObserve::aRealHost()
{
    foundry::test::GitFixture git;
    wire::HostProcess host(git.path(QStringLiteral("data")));
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("FOUNDRY_IDLE_MS"), QStringLiteral("500"));
    host.setEnvironment(environment);
    QVERIFY(host.start().ok());
    QCOMPARE(observeGet(host.endpoint(), "/metrics", {}).first, 401);
    QCOMPARE(observeGet(host.endpoint(), "/metrics", "wrong").first, 401);

    wire::WireClient organization(host.endpoint(), host.token());
    QVERIFY(organization.open(QStringLiteral("organization"), {QStringLiteral("org"), QStringLiteral("local")}).ok());
    organization.subscribe(QStringLiteral("organization"));
    QVERIFY(organization.call(QStringLiteral("changesSince"), R"([{"topic":"organization","generation":"","revision":0}])").ok());
    AddRepository add;
    add.requestId = makeId<RequestId>();
    add.repoId = makeId<RepoId>();
    add.path = git.makeRepository(QStringLiteral("sample"));
    QVERIFY(organization.call(QStringLiteral("addRepository"), protocol::encodeArgs(add)).ok());
    QVERIFY(organization.wait([&] {
        for (const wire::ReceivedEvent &received : organization.events) {
            for (const Entity &entity : received.event.upserts) {
                const auto *repository = std::get_if<Repository>(&entity);
                if (repository && repository->state == RepositoryState::Ready)
                    return true;
            }
        }
        return false;
    }, 20000));
    add.requestId = makeId<RequestId>();
    add.repoId = makeId<RepoId>();
    add.path.reset();
    add.url = QStringLiteral("https://user:CANARYPASSWORD@127.0.0.1:1/x.git");
    (void)organization.call(QStringLiteral("addRepository"), protocol::encodeArgs(add));
    CreateTask create;
    create.requestId = makeId<RequestId>();
    create.taskId = makeId<TaskId>();
    create.sessionId = makeId<SessionId>();
    create.repoId = RepoId(QStringLiteral("nowhere"));
    create.prompt = Prompt{QStringLiteral("CANARYPROMPT")};
    QVERIFY(!organization.call(QStringLiteral("createTask"), protocol::encodeArgs(create)).ok());
    {
        wire::WireClient again(host.endpoint(), host.token());
        QVERIFY(again.open(QStringLiteral("app"), {QStringLiteral("app")}).ok());
    }
    wire::WireClient app(host.endpoint(), host.token());
    QTRY_VERIFY_WITH_TIMEOUT(observeGet(host.endpoint(), "/metrics", host.token().toLatin1()).second.contains("foundry_connections{actor=\"app\"} 0"), 5000);
    // Nobody is connected to it: it drains and sleeps.
    QTRY_VERIFY_WITH_TIMEOUT(observeGet(host.endpoint(), "/metrics", host.token().toLatin1()).second.contains("foundry_drain_seconds_count{actor=\"app\"}"), 10000);
    QVERIFY(app.open(QStringLiteral("app"), {QStringLiteral("app")}).ok());
    const auto answer = app.call(QStringLiteral("metrics"), "[{}]");
    QVERIFY(answer.ok());
    const QJsonObject json = QJsonDocument::fromJson(*answer).object();
    QVERIFY(json.value(QLatin1StringView("residentBytes")).toDouble() > 1e6);
    QVERIFY(json.value(QLatin1StringView("figures")).toObject().contains(QLatin1StringView("foundry_bootstrap_seconds")));

    const auto got = observeGet(host.endpoint(), "/metrics", host.token().toLatin1());
    QCOMPARE(got.first, 200);
    const QByteArray &text = got.second;
    const PrometheusReader read(text);
    QVERIFY2(read.error.isEmpty(), qPrintable(read.error));
    const auto atLeast = [&](const char *sample, double value) {
        const bool enough = read.samples.value(QString::fromLatin1(sample), -1) >= value;
        if (!enough)
            qWarning("%s: %s", sample, text.constData());
        return enough;
    };
    const QStringList samples = read.samples.keys();
    QVERIFY(atLeast("foundry_bootstrap_seconds_count{actor=\"organization\"}", 1));
    QVERIFY(atLeast("foundry_connections{actor=\"organization\"}", 1));
    QVERIFY(atLeast("foundry_reconnects_total{key=\"app\"}", 1));
    QVERIFY(atLeast("foundry_action_seconds_count{actor=\"organization\",action=\"addRepository\"}", 1));
    QVERIFY(atLeast("foundry_action_errors_total{actor=\"organization\",error=\"input.invalid\"}", 1));
    QVERIFY(atLeast("foundry_projection_update_seconds_count{actor=\"audit-log\",send=\"event\"}", 1));
    QVERIFY(atLeast("foundry_workflow_queue_seconds_count{step=\"check\"}", 1));
    QVERIFY(atLeast("foundry_workflow_steps_total{step=\"check\",state=\"done\"}", 1));
    QVERIFY(atLeast("foundry_drain_seconds_count{actor=\"app\"}", 1));
    QVERIFY(atLeast("foundry_mailbox_wait_seconds_count{actor=\"organization\"}", 1));
    QVERIFY(atLeast("foundry_commits_total{actor=\"organization\"}", 1));
    QVERIFY(atLeast("foundry_open_actors{actor=\"organization\"}", 1));
    QVERIFY(samples.join(QLatin1Char(' ')).contains(QLatin1StringView("foundry_git_runs_total")));
    host.stop();

    QFile log(host.dataDir() + QStringLiteral("/host.log"));
    QVERIFY(log.open(QIODevice::ReadOnly));
    const QByteArray all = log.readAll();
    QVERIFY2(!all.contains("CANARY"), all.constData());
    QVERIFY(!all.contains(host.token().toLatin1()));
    QSet<QString> events;
    for (const QByteArray &line : all.split('\n')) {
        const qsizetype at = line.indexOf(": {\"");
        if (at < 0)
            continue;
        QJsonParseError parsed;
        const QJsonObject object = QJsonDocument::fromJson(line.sliced(at + 2), &parsed).object();
        QVERIFY2(parsed.error == QJsonParseError::NoError, line.constData());
        const QString event = object.value(QLatin1StringView("event")).toString();
        events.insert(event);
        QVERIFY2(!object.value(QLatin1StringView("correlation")).toString().isEmpty(), line.constData());
    }
    for (const char *event : {"actor_started", "actor_stopped", "connection_opened", "connection_closed", "action_failed", "step_begun", "step_ended"})
        QVERIFY2(events.contains(QLatin1StringView(event)), event);
}

// The host's status counts agents that run and the disk that tasks take, also after a restart.
void TstObserve::whatTasksUse()
{
    test::GitFixture git;
    wire::HostProcess host(git.path(QStringLiteral("data")));
    host.setEnvironment(git.environment());
    QVERIFY(host.start());
    test::HostTask ids;
    QVERIFY(test::addRepository(host, ids.repo, git.makeRepository(QStringLiteral("project"))));
    auto organization = test::openOrganization(host);
    QVERIFY(organization);
    QVERIFY(test::ask(**organization, QStringLiteral("createTask"), test::newTask(ids, QStringLiteral("/help"))));
    auto app = std::make_unique<wire::WireClient>(host.endpoint(), host.token());
    QVERIFY(app->open(QStringLiteral("app"), {QStringLiteral("app")}).ok());
    const auto status = [&] { return test::rowsOf<HostStatus>(*app, QStringLiteral("host")).value(0); };
    QTRY_COMPARE_WITH_TIMEOUT(status().agentsRunning, 1, 30000);
    QTRY_VERIFY_WITH_TIMEOUT(status().tasksDiskBytes > 0, 30000);
    const auto metrics = app->call(QStringLiteral("metrics"), "[{}]");
    QVERIFY(metrics);
    QCOMPARE(QJsonDocument::fromJson(*metrics).object().value(QLatin1StringView("agentsRunning")).toInt(), 1);
    QVERIFY(test::ask(**organization, QStringLiteral("archiveTask"), ArchiveTask{{}, ids.task}));
    QTRY_COMPARE_WITH_TIMEOUT(status().agentsRunning, 0, 30000);
    QTRY_COMPARE_WITH_TIMEOUT(status().tasksDiskBytes, 0, 30000);
    QVERIFY(test::ask(**organization, QStringLiteral("unarchiveTask"), UnarchiveTask{{}, ids.task}));
    QTRY_VERIFY_WITH_TIMEOUT(status().tasksDiskBytes > 0, 30000);
    app.reset();
    *organization = nullptr;
    host.stop();
    QVERIFY(host.start());
    app = std::make_unique<wire::WireClient>(host.endpoint(), host.token());
    QVERIFY(app->open(QStringLiteral("app"), {QStringLiteral("app")}).ok());
    QVERIFY(status().tasksDiskBytes > 0);
}

// A command's id stands in the lines of all that it causes: in the actors that its sends reach, in the steps of the
// workflows that begin there, and in those steps that come after the host was killed.
void TstObserve::oneIdForAllThatACommandCauses()
{
    test::GitFixture git;
    const QString hold = git.path(QStringLiteral("hold"));
    const QString bin = git.path(QStringLiteral("bin"));
    QVERIFY(QDir().mkpath(bin));
    // A git that hangs where the work tree is made, as long as the file is there.
    QFile slow(bin + QStringLiteral("/git"));
    QVERIFY(slow.open(QIODevice::WriteOnly));
    slow.write("#!/bin/sh\ncase \" $* \" in *\" worktree add \"*) : > '" + (hold + QStringLiteral(".reached")).toUtf8() + "'\nwhile [ -e '"
        + hold.toUtf8() + "' ]; do sleep 0.05; done;; esac\nexec '" + QStandardPaths::findExecutable(QStringLiteral("git")).toUtf8() + "' \"$@\"\n");
    slow.close();
    QVERIFY(slow.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner));
    QFile holding(hold);
    QVERIFY(holding.open(QIODevice::WriteOnly));
    holding.close();

    wire::HostProcess host(git.path(QStringLiteral("data")));
    QProcessEnvironment environment = git.environment();
    environment.insert(QStringLiteral("PATH"), bin + QLatin1Char(':') + environment.value(QStringLiteral("PATH"), qEnvironmentVariable("PATH")));
    host.setEnvironment(environment);
    QVERIFY(host.start());
    test::HostTask ids;
    QVERIFY(test::addRepository(host, ids.repo, git.makeRepository(QStringLiteral("project"))));
    auto organization = test::openOrganization(host);
    QVERIFY(organization);
    CreateTask create = test::newTask(ids, QStringLiteral("/help"));
    create.requestId = RequestId(QStringLiteral("the-known-request"));
    QVERIFY(test::ask(**organization, QStringLiteral("createTask"), create));
    QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(hold + QStringLiteral(".reached")), 30000);
    *organization = nullptr;
    host.kill(SIGKILL);
    QVERIFY(host.waitForEnd(10000));
    QString correlation;
    const QList<QJsonObject> before = observeLines(host);
    for (const QJsonObject &line : before) {
        if (observeText(line, "request") == create.requestId.value)
            correlation = observeText(line, "correlation");
    }
    QVERIFY(!correlation.isEmpty());
    const QStringList first = observeWith(before, correlation);
    for (const char *line : {"command organization", "actor_started task", "actor_started sandbox", "step_begun task repo_prepared"})
        QVERIFY2(first.contains(QLatin1StringView(line)), qPrintable(first.join(QLatin1Char('\n'))));
    QVERIFY(!first.contains(QLatin1StringView("step_ended task agent_ready")));

    QVERIFY(QFile::remove(hold));
    QVERIFY(host.start());
    const auto after = [&] { return observeWith(observeLines(host), correlation).mid(first.size()); };
    QTRY_VERIFY2_WITH_TIMEOUT(after().contains(QLatin1StringView("step_ended task agent_ready")), qPrintable(after().join(QLatin1Char('\n'))), 30000);
    QVERIFY2(after().contains(QLatin1StringView("agent_started")), qPrintable(after().join(QLatin1Char('\n'))));
    // Another run's calls have other ids, and nothing goes without one.
    const QList<QJsonObject> all = observeLines(host);
    for (const QJsonObject &line : all)
        QVERIFY2(!observeText(line, "correlation").isEmpty(), qPrintable(observeText(line, "event")));
}

QTEST_GUILESS_MAIN(TstObserve)
#include "tst_observe.moc"
