// More than a host can do, and what no client says: answered by the rule, memory bounded, nobody else disturbed.
#include "tests/backend_host/hosttask.h"
#include "tests/support/gitfixture.h"

#include "backend/actors/actorregistry.h"
#include "realtime/protocol/keys.h"

#include <QElapsedTimer>
#include <QRandomGenerator>
#include <QStandardPaths>
#include <QTest>
#include <QUrl>

#include <algorithm>

using namespace foundry;

class tst_HostOverload : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void aFrameOf100MB();
    void aBodyOf100MB();
    void malformedBytes_data();
    void malformedBytes();
    void sixtyBusyConnections();
    void moreConnectionsThanTheLimit();
    void hundredTasksAtOnce();
    void aClientThatNeverReads();
    void tenThousandTasks();

private:
    // Another client is served meanwhile.
    bool isServed()
    {
        auto client = test::openOrganization(*m_host);
        return client && (*client)->call(QStringLiteral("revisions"), "[{}]").ok();
    }
    // Writes as much as the peer takes, until `bytes` are gone or it closes; the host's memory is looked at all along.
    double flood(QTcpSocket &socket, qint64 bytes);
    Result<> seedTasks(int count);

    std::unique_ptr<test::GitFixture> m_git;
    std::unique_ptr<wire::HostProcess> m_host;
    RepoId m_repo = makeId<RepoId>();
    QString m_repository;
};

void tst_HostOverload::initTestCase()
{
    m_git = std::make_unique<test::GitFixture>();
    m_repository = m_git->makeRepository(QStringLiteral("project"));
    m_host = std::make_unique<wire::HostProcess>(m_git->path(QStringLiteral("data")));
    QProcessEnvironment environment = m_git->environment();
    environment.insert(QStringLiteral("FOUNDRY_IDLE_MS"), QStringLiteral("1000"));
    m_host->setEnvironment(environment);
    const auto started = m_host->start();
    QVERIFY2(started, started ? "" : qPrintable(started.error().message));
    const auto added = test::addRepository(*m_host, m_repo, m_repository);
    QVERIFY2(added, added ? "" : qPrintable(added.error().message));
}

void tst_HostOverload::cleanupTestCase()
{
    m_host.reset();
}

double tst_HostOverload::flood(QTcpSocket &socket, qint64 bytes)
{
    const QByteArray block(256 * 1024, 'x');
    const double before = test::residentMB(m_host->pid());
    double most = before;
    QElapsedTimer clock;
    clock.start();
    while (bytes > 0 && socket.state() == QAbstractSocket::ConnectedState && clock.elapsed() < 30000) {
        if (socket.bytesToWrite() < block.size())
            bytes -= socket.write(block);
        QTest::qWait(1);
        most = std::max(most, test::residentMB(m_host->pid()));
    }
    return most - before;
}

void tst_HostOverload::aFrameOf100MB()
{
    auto socket = test::rawSocket(*m_host);
    socket->write(test::upgradeRequest(*m_host));
    QByteArray got;
    QTRY_VERIFY_WITH_TIMEOUT((got += socket->readAll()).contains("Init"), 5000);
    // A masked text frame that says it has 100 MB.
    QByteArray head("\x81\xff", 2);
    for (int shift = 56; shift >= 0; shift -= 8)
        head += char((quint64(100'000'000) >> shift) & 0xff);
    head += QByteArray("\x01\x02\x03\x04", 4);
    socket->write(head);
    const double grown = flood(*socket, 100'000'000);
    QVERIFY2(grown < 16, qPrintable(QString::number(grown)));
    QTRY_COMPARE_WITH_TIMEOUT(socket->state(), QAbstractSocket::UnconnectedState, 10000);
    QVERIFY((got + socket->readAll()).contains("incoming_too_long"));
    QVERIFY(isServed());
}

void tst_HostOverload::aBodyOf100MB()
{
    auto socket = test::rawSocket(*m_host);
    socket->write("POST /gateway/x/action/y HTTP/1.1\r\nHost: " + QUrl(m_host->endpoint()).authority().toLatin1()
        + "\r\nAuthorization: Bearer " + m_host->token().toLatin1() + "\r\nContent-Length: 100000000\r\n\r\n");
    const double grown = flood(*socket, 100'000'000);
    QVERIFY2(grown < 16, qPrintable(QString::number(grown)));
    QTRY_COMPARE_WITH_TIMEOUT(socket->state(), QAbstractSocket::UnconnectedState, 10000);
    QVERIFY(socket->readAll().contains("incoming_too_long"));
    QVERIFY(isServed());
}

void tst_HostOverload::malformedBytes_data()
{
    QTest::addColumn<bool>("upgraded");
    QTest::newRow("http") << false;
    QTest::newRow("websocket") << true;
}

// Valid requests and frames with some of their bytes changed, cut, doubled or made up. Seeds are fixed.
void tst_HostOverload::malformedBytes()
{
    QFETCH(bool, upgraded);
    QRandomGenerator random(upgraded ? 20261 : 20262);
    const QByteArray authority = QUrl(m_host->endpoint()).authority().toLatin1();
    const QByteArray http = "PUT /actors?namespace=default HTTP/1.1\r\nHost: " + authority + "\r\nAuthorization: Bearer "
        + m_host->token().toLatin1() + "\r\nTransfer-Encoding: chunked\r\n\r\n1f\r\n{\"name\":\"app\",\"key\":\"app\"    }\r\n0\r\n\r\n";
    const QByteArray text = R"({"body":{"tag":"ActionRequest","val":{"id":["$BigInt","1"],"name":"revisions","args":[{}]}}})";
    QByteArray frame = QByteArray("\x81\xfe", 2) + char(text.size() >> 8) + char(text.size() & 0xff) + QByteArray(4, '\0') + text;
    const auto mutate = [&](QByteArray bytes) {
        const int changes = random.bounded(1, 6);
        for (int i = 0; i < changes && !bytes.isEmpty(); ++i) {
            const int at = random.bounded(int(bytes.size()));
            switch (random.bounded(5)) {
            case 0:
                bytes[at] = char(random.bounded(256));
                break;
            case 1:
                bytes.truncate(at);
                break;
            case 2:
                bytes.insert(at, bytes.mid(at, random.bounded(64)));
                break;
            case 3:
                bytes.remove(at, random.bounded(16));
                break;
            default:
                bytes.insert(at, QByteArray(random.bounded(32), char(random.bounded(256))));
            }
        }
        return bytes;
    };
    const double before = test::residentMB(m_host->pid());
    constexpr int rounds = 300;
    constexpr int together = 20; // sockets at a time
    for (int round = 0; round < rounds; round += together) {
        std::vector<std::unique_ptr<QTcpSocket>> sockets;
        for (int i = 0; i < together; ++i) {
            auto socket = test::rawSocket(*m_host);
            if (upgraded) {
                socket->write(test::upgradeRequest(*m_host));
                QByteArray got;
                QVERIFY(QTest::qWaitFor([&] { return (got += socket->readAll()).contains("Init"); }, 10000));
                for (int n = 0; n < 3; ++n)
                    socket->write(mutate(frame));
            } else {
                socket->write(mutate(http));
                socket->write(mutate(http));
            }
            socket->flush();
            sockets.push_back(std::move(socket));
        }
        QVERIFY(isServed());
    }
    QVERIFY(m_host->isRunning());
    const double grown = test::residentMB(m_host->pid()) - before;
    QVERIFY2(grown < 24, qPrintable(QString::number(grown)));
    QTRY_VERIFY_WITH_TIMEOUT(isServed(), 10000);
}

void tst_HostOverload::sixtyBusyConnections()
{
    std::vector<std::unique_ptr<wire::WireClient>> clients;
    for (int i = 0; i < 60; ++i) {
        auto client = test::openOrganization(*m_host);
        QVERIFY2(client, client ? "" : qPrintable(client.error().message));
        (*client)->subscribe(QStringLiteral("organization"));
        clients.push_back(std::move(*client));
    }
    ChangesSince since;
    since.topic = QStringLiteral("organization");
    for (int n = 0; n < 15; ++n) {
        for (const auto &client : clients)
            client->post(QStringLiteral("changesSince"), protocol::encodeArgs(since));
    }
    for (const auto &client : clients) {
        QVERIFY(client->wait([&] { return client->answers.size() == 15; }, 30000));
        for (const auto &answer : std::as_const(client->answers))
            QVERIFY2(answer, answer ? "" : qPrintable(answer.error().message));
    }
}

void tst_HostOverload::moreConnectionsThanTheLimit()
{
    std::vector<std::unique_ptr<wire::WireClient>> clients;
    QString refused;
    int open = 0;
    for (int i = 0; i < 66; ++i) {
        auto client = std::make_unique<wire::WireClient>(m_host->endpoint(), m_host->token());
        const auto opened = client->open(QStringLiteral("organization"), {QStringLiteral("org"), QStringLiteral("local")}, true, 3000);
        if (opened)
            ++open;
        else
            refused = opened.error().message;
        clients.push_back(std::move(client));
    }
    QCOMPARE(open, 64);
    QVERIFY2(refused.contains(QLatin1StringView("actor.overloaded")), qPrintable(refused));
    clients.resize(10);
    QTRY_VERIFY_WITH_TIMEOUT(isServed(), 10000);
}

void tst_HostOverload::hundredTasksAtOnce()
{
    auto organization = test::openOrganization(*m_host);
    QVERIFY(organization);
    (*organization)->subscribe(QStringLiteral("organization"));
    QList<test::HostTask> tasks;
    for (int i = 0; i < 100; ++i) {
        test::HostTask ids;
        ids.repo = m_repo;
        CreateTask create = test::newTask(ids, {});
        create.prompt.reset();
        create.requestId = makeId<RequestId>();
        (*organization)->post(QStringLiteral("createTask"), protocol::encodeArgs(create));
        tasks.append(ids);
    }
    QVERIFY((*organization)->wait([&] { return (*organization)->answers.size() == 100; }, 30000));
    for (const auto &answer : std::as_const((*organization)->answers))
        QVERIFY2(answer, answer ? "" : qPrintable(answer.error().message));
    // Each of them gets its work tree, its agent and its session. Told by events: asking for the list again and again would
    // take the processors from those who make them.
    QHash<QString, bool> ended; // task → whether it is ready
    QVERIFY((*organization)->wait([&] {
        for (const auto &received : std::as_const((*organization)->events)) {
            for (const Entity &entity : received.event.upserts) {
                const auto *summary = std::get_if<TaskSummary>(&entity);
                if (summary && (summary->status == TaskStatus::Ready || summary->status == TaskStatus::Error))
                    ended.insert(summary->id.value, summary->status == TaskStatus::Ready);
            }
        }
        (*organization)->events.clear();
        return ended.size() == 100;
    }, 100000));
    const auto failed = [&] { return std::count(ended.begin(), ended.end(), false); };
    QCOMPARE(failed(), 0); // git has refused none, however many were made at the same time
    QCOMPARE(m_git->mustGit(m_repository, {QStringLiteral("worktree"), QStringLiteral("list"), QStringLiteral("--porcelain")}).count("worktree "), 101);
}

void tst_HostOverload::aClientThatNeverReads()
{
    auto socket = test::rawSocket(*m_host);
    socket->setReadBufferSize(4096);
    socket->write(test::upgradeRequest(*m_host));
    QByteArray got;
    QTRY_VERIFY_WITH_TIMEOUT((got += socket->readAll()).contains("Init"), 5000);
    // The list has a hundred tasks by now: a few dozen KB for each of these.
    const QByteArray text
        = R"({"body":{"tag":"ActionRequest","val":{"id":["$BigInt","1"],"name":"changesSince","args":[{"topic":"organization","generation":"","revision":0}]}}})";
    const QByteArray frame = QByteArray("\x81\xfe", 2) + char(text.size() >> 8) + char(text.size() & 0xff) + QByteArray(4, '\0') + text;
    const double before = test::residentMB(m_host->pid());
    double most = before;
    for (int n = 0; n < 3000 && socket->state() == QAbstractSocket::ConnectedState; ++n) {
        socket->write(frame);
        if (n % 20 == 0)
            QTest::qWait(2);
        most = std::max(most, test::residentMB(m_host->pid()));
    }
    // The kernel holds some megabytes for it; the host no more than its bound and what is on its way.
    QTRY_VERIFY_WITH_TIMEOUT(isServed(), 10000);
    QTRY_VERIFY_WITH_TIMEOUT((most = std::max(most, test::residentMB(m_host->pid())),
                                 m_host->openSockets() == 0),
        20000);
    QVERIFY2(most - before < 100, qPrintable(QString::number(most - before)));
    QVERIFY(isServed());
}

Result<> tst_HostOverload::seedTasks(int count)
{
    auto registry = backend::Database::open(m_host->dataDir() + QStringLiteral("/host.sqlite"));
    const QString id = backend::actorIdOf({QStringLiteral("organization"), {QStringLiteral("org"), QStringLiteral("local")}});
    auto organization = backend::Database::open(m_host->dataDir() + QStringLiteral("/actors/%1.sqlite").arg(id));
    if (!registry || !organization)
        return registry ? organization.error() : registry.error();
    qint64 topic = 0;
    qint64 revision = 0;
    if (auto q = (*organization)->query("SELECT id, revision FROM topics WHERE topic = 'organization'"); q.next()) {
        topic = q.integer(0);
        revision = q.integer(1);
    }
    (void)(*registry)->begin();
    (void)(*organization)->begin();
    for (int n = 0; n < count; ++n) {
        TaskSummary task;
        test::HostTask ids;
        ids.repo = m_repo;
        task.id = ids.task;
        task.repoId = m_repo;
        task.title = QStringLiteral("Task number %1 of very many").arg(n);
        task.branch = QStringLiteral("task-number-%1-of-very-many-abcd").arg(n);
        task.status = TaskStatus::Idle;
        task.createdAt = 1795349900000 + n;
        (void)(*organization)->run("INSERT INTO rows(topic, type, id, rev, updated_at, removed, value) VALUES(?, 'TaskSummary', ?, ?, ?, 0, ?)",
            topic, task.id.value, ++revision, task.createdAt, protocol::encodeEntity(task));
        for (const QString &kind : {QStringLiteral("task"), QStringLiteral("sandbox")}) {
            QStringList key = ids.key();
            if (kind == QLatin1StringView("sandbox"))
                key = {key.at(0), key.at(1), kind, ids.task.value};
            (void)(*registry)->run("INSERT INTO actors(id, name, key, generation, created_at) VALUES(?, ?, ?, 1, ?)",
                backend::actorIdOf({kind, key}), kind, protocol::encodeKey(key), task.createdAt);
        }
    }
    (void)(*organization)->run("UPDATE topics SET revision = ?, count = count + ? WHERE id = ?", revision, count, topic);
    if (auto done = (*registry)->commit(); !done)
        return done;
    return (*organization)->commit();
}

void tst_HostOverload::tenThousandTasks()
{
    // A host of its own, in which a few tasks run; git can be made to sleep, so that work trees do not compete with the answers.
    constexpr int run = 5;
    m_host = std::make_unique<wire::HostProcess>(m_git->path(QStringLiteral("many")));
    const QString asleep = m_git->path(QStringLiteral("asleep"));
    m_git->write(m_git->root(), QStringLiteral("hanging/git"),
        "#!/bin/sh\n[ -e '" + asleep.toUtf8() + "' ] && exec sleep 3600\nexec '" + QStandardPaths::findExecutable(QStringLiteral("git")).toUtf8() + "' \"$@\"\n", true);
    QProcessEnvironment environment = m_git->environment();
    environment.insert(QStringLiteral("FOUNDRY_IDLE_MS"), QStringLiteral("1000"));
    environment.insert(QStringLiteral("PATH"), m_git->path(QStringLiteral("hanging")) + QLatin1Char(':') + environment.value(QStringLiteral("PATH")));
    m_host->setEnvironment(environment);
    auto started = m_host->start();
    QVERIFY2(started, started ? "" : qPrintable(started.error().message));
    m_repo = makeId<RepoId>();
    const auto added = test::addRepository(*m_host, m_repo, m_repository);
    QVERIFY2(added, added ? "" : qPrintable(added.error().message));
    {
        auto organization = test::openOrganization(*m_host);
        QVERIFY(organization);
        for (int n = 0; n < run; ++n) {
            test::HostTask ids;
            ids.repo = m_repo;
            QVERIFY(test::ask(**organization, QStringLiteral("createTask"), test::newTask(ids, QStringLiteral("Hello"))));
        }
        QVERIFY((*organization)->wait([&] {
            const auto all = test::rowsOf<TaskSummary>(**organization, QStringLiteral("organization"));
            return std::count_if(all.begin(), all.end(), [](const TaskSummary &summary) { return summary.status == TaskStatus::Idle; }) == run;
        }, 60000));
    }
    m_host->stop();
    const auto seeded = seedTasks(10000);
    QVERIFY2(seeded, seeded ? "" : qPrintable(seeded.error().message));
    started = m_host->start();
    QVERIFY2(started, started ? "" : qPrintable(started.error().message));
    auto organization = test::openOrganization(*m_host);
    QVERIFY(organization);
    (*organization)->subscribe(QStringLiteral("organization"));
    QCOMPARE(test::rowsOf<TaskSummary>(**organization, QStringLiteral("organization")).size(), 10000 + run);
    // Those that ran until the stop are opened once and go to sleep again.
    const auto taskDatabases = [&] {
        QStringList open = test::openDatabases(m_host->pid(), m_host->dataDir());
        for (const auto &[name, key] : {std::pair(QStringLiteral("app"), QStringList{QStringLiteral("app")}),
                 std::pair(QStringLiteral("user"), QStringList{QStringLiteral("user"), QStringLiteral("local")}),
                 std::pair(QStringLiteral("organization"), QStringList{QStringLiteral("org"), QStringLiteral("local")}),
                 std::pair(QStringLiteral("audit-log"), QStringList{QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("audit-log")})})
            open.removeAll(backend::actorIdOf({name, key}));
        return open.size();
    };
    QTRY_COMPARE_WITH_TIMEOUT(taskDatabases(), 0, 90000);
    for (int n = 0; n < 3; ++n)
        QCOMPARE(test::rowsOf<TaskSummary>(**organization, QStringLiteral("organization")).size(), 10000 + run);
    QCOMPARE(taskDatabases(), 0);
    QVERIFY(m_host->openSockets() <= 2);
    m_git->write(m_git->root(), QStringLiteral("asleep"), "", false);
    const double resident = test::residentMB(m_host->pid());
    QVERIFY2(resident <= 80, qPrintable(QString::number(resident)));
    QList<double> took;
    for (int n = 0; n < 40; ++n) {
        test::HostTask ids;
        ids.repo = m_repo;
        QElapsedTimer clock;
        clock.start();
        QVERIFY(test::ask(**organization, QStringLiteral("createTask"), test::newTask(ids, QStringLiteral("Hello"))));
        took.append(double(clock.nsecsElapsed()) / 1e6);
    }
    std::sort(took.begin(), took.end());
    qInfo("resident %.1f MB; createTask among 10,000: median %.1f ms, most %.1f ms", resident, took.at(20), took.constLast());
    QVERIFY2(took.at(35) < 200, qPrintable(QString::number(took.at(35)))); // a loaded machine; the figure itself is the bench's
}

QTEST_GUILESS_MAIN(tst_HostOverload)
#include "tst_hostoverload.moc"
