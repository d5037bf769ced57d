// Terminals over the wire: events in order, a page and what follows it, floods, and clients that do not read.
#include "realtime/protocol/frame.h"
#include "realtime/protocol/manager.h"
#include "tests/backend_processes/follower.h"

#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QUrl>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace foundry;
using test::ask;
using test::Follower;
using test::residentKiB;
using test::SandboxWorld;

class tst_Terminals : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_world = std::make_unique<SandboxWorld>();
        QVERIFY(m_world->prepare());
    }
    void cleanupTestCase() { m_world.reset(); }

    void followsATerminal();
    void reattaches();
    void flood();
    void clientThatNeverReads();

private:
    std::unique_ptr<SandboxWorld> m_world;
};

void tst_Terminals::followsATerminal()
{
    const auto id = m_world->run(QStringLiteral("stty size; while read line; do echo \"<$line>\"; [ $line = end ] && exit 9; stty size; done"), true,
        [](CreateProcess &create) {
            create.cols = 90;
            create.rows = 20;
        });
    QVERIFY(id);
    Follower follower(*m_world, *id);
    QVERIFY(follower.waitFor("20 90"));
    QVERIFY(m_world->type(*id, "first\n"));
    QVERIFY(follower.waitFor("<first>"));
    QVERIFY(ask(*m_world->sandbox, QStringLiteral("resizeTerminal"), ResizeTerminal{{}, *id, 132, 50}));
    QVERIFY(m_world->type(*id, "second\n"));
    QVERIFY(follower.waitFor("50 132"));
    QVERIFY(m_world->type(*id, "end\n"));
    QVERIFY(m_world->waitForExit(*id));
    QVERIFY(follower.waitFor("<end>"));
    QCOMPARE(m_world->process(*id)->exitCode, 9);
    QCOMPARE(follower.gaps, 0);
    QCOMPARE(follower.problems, 0);
    QCOMPARE(follower.screen, m_world->tail(*id));
    // Paging both ways gives the same bytes.
    QByteArray forward;
    QByteArray backward;
    for (qint64 at = 0; at < follower.end;) {
        const auto page = SandboxWorld::page(*m_world->sandbox, *id, [&](GetProcessLogs &asked) {
            asked.after = at;
            asked.limit = 7;
        });
        QVERIFY(page && page->offset == at && !page->data.isEmpty() && page->data.size() <= 7);
        forward += page->data;
        at += page->data.size();
    }
    for (qint64 at = follower.end; at > 0;) {
        const auto page = SandboxWorld::page(*m_world->sandbox, *id, [&](GetProcessLogs &asked) {
            asked.before = at;
            asked.limit = 5;
        });
        QVERIFY(page && page->offset + page->data.size() == at);
        backward.prepend(page->data);
        at = page->offset;
    }
    QCOMPARE(forward, follower.screen);
    QCOMPARE(backward, follower.screen);
}

// Clients that come while it prints get the page and then the events, without a hole and without anything twice.
void tst_Terminals::reattaches()
{
    const auto id = m_world->run(QStringLiteral("for i in $(seq 400); do echo line $i; sleep 0.005; done; read x; echo done"), true);
    QVERIFY(id);
    QVERIFY(m_world->waitForOutput(*id, "line 20\r"));
    std::vector<std::unique_ptr<Follower>> followers;
    followers.reserve(5);
    for (int i = 0; i < 4; ++i)
        followers.push_back(std::make_unique<Follower>(*m_world, *id));
    QVERIFY(m_world->waitForOutput(*id, "line 400\r", 20000));
    followers.push_back(std::make_unique<Follower>(*m_world, *id));
    QVERIFY(m_world->type(*id, "\n"));
    QVERIFY(m_world->waitForExit(*id));
    const QByteArray all = m_world->tail(*id);
    for (const auto &follower : followers) {
        QVERIFY(follower->waitFor("done"));
        QCOMPARE(follower->gaps, 0);
        QCOMPARE(follower->problems, 0);
        QCOMPARE(follower->screen, all);
    }
    // After its end it is read as before.
    Follower late(*m_world, *id);
    QCOMPARE(late.screen, all);
    QCOMPARE(late.sequence, followers.back()->sequence);
}

// 100 MB with a client that follows: the log is bounded, the last bytes arrive, what was left out shows as a gap.
void tst_Terminals::flood()
{
    const qint64 before = residentKiB(m_world->host->pid());
    const auto id = m_world->run(QStringLiteral("read go; head -c 100000000 /dev/zero | tr '\\0' x; echo; echo the end"), true);
    QVERIFY(id);
    Follower follower(*m_world, *id);
    QVERIFY(m_world->type(*id, "\n"));
    QVERIFY(follower.waitFor("the end", 60000));
    QVERIFY(m_world->waitForExit(*id));
    const auto row = m_world->process(*id);
    QCOMPARE(row->logBytes, 100000000 + 13); // with the typed line's echo
    QVERIFY(row->logStart >= row->logBytes - 10 * 1024 * 1024);
    QVERIFY(row->logStart > 0);
    QCOMPARE(follower.end, row->logBytes);
    QCOMPARE(follower.problems, 0);
    const auto first = SandboxWorld::page(*m_world->sandbox, *id, [](GetProcessLogs &asked) { asked.after = 0; });
    QVERIFY(first);
    QCOMPARE(first->offset, row->logStart);
    QCOMPARE(first->start, row->logStart);
    QCOMPARE(first->data.size(), 262144);
    const qint64 after = residentKiB(m_world->host->pid());
    QVERIFY2(after - before < 64 * 1024, qPrintable(QStringLiteral("%1 KiB more").arg(after - before)));
    QVERIFY(m_world->remove(*id));
}

// It subscribes and reads nothing any more: the process goes on to its end, and the host keeps no more than it may.
void tst_Terminals::clientThatNeverReads()
{
    const auto id = m_world->run(QStringLiteral("read go; head -c 60000000 /dev/zero | tr '\\0' x; echo; echo the end"), true);
    QVERIFY(id);
    const QUrl endpoint(m_world->host->endpoint());
    QNetworkAccessManager network;
    QNetworkRequest request(QUrl(m_world->host->endpoint() + QStringLiteral("/actors?namespace=default")));
    request.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
    request.setRawHeader("Authorization", "Bearer " + m_world->host->token().toUtf8());
    QNetworkReply *reply = network.put(request,
        protocol::encodeGetOrCreate(QStringLiteral("sandbox"),
            {QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("sandbox"), m_world->task.value}));
    QTRY_VERIFY(reply->isFinished());
    const auto actor = protocol::decodeActor(reply->readAll());
    QVERIFY(actor);
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(quint16(endpoint.port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    QCOMPARE(::connect(socket, reinterpret_cast<sockaddr *>(&address), sizeof address), 0);
    const QByteArray upgrade = "GET /gateway/" + actor->actorId.toUtf8() + '@' + m_world->host->token().toUtf8()
        + "/connect HTTP/1.1\r\nHost: " + endpoint.authority().toUtf8()
        + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: rivet, rivet_encoding.json\r\n\r\n";
    QCOMPARE(::send(socket, upgrade.constData(), size_t(upgrade.size()), 0), upgrade.size());
    char answer[4096];
    const ssize_t got = ::recv(socket, answer, sizeof answer, 0);
    QVERIFY(QByteArray(answer, qMax<ssize_t>(0, got)).contains("101"));
    const QByteArray text = protocol::encodeClientFrame(protocol::SubscriptionFrame{QStringLiteral("terminal/") + id->value, true});
    QByteArray frame;
    frame += char(0x81);
    frame += char(0x80 | 126);
    frame += char(text.size() >> 8);
    frame += char(text.size() & 0xff);
    frame += QByteArray(4, '\0') + text; // a mask of zeros
    QCOMPARE(::send(socket, frame.constData(), size_t(frame.size()), 0), frame.size());
    Follower follower(*m_world, *id); // by now the other is subscribed, too
    const qint64 before = residentKiB(m_world->host->pid());
    QVERIFY(m_world->type(*id, "\n"));
    qint64 most = 0;
    QVERIFY(m_world->sandbox->wait(
        [&] {
            most = qMax(most, residentKiB(m_world->host->pid()));
            const auto row = m_world->process(*id);
            return row && row->status == QLatin1StringView("exited");
        },
        60000));
    QVERIFY(follower.waitFor("the end"));
    QCOMPARE(m_world->process(*id)->logBytes, 60000000 + 13);
    QVERIFY2(most - before < 128 * 1024, qPrintable(QStringLiteral("%1 KiB more").arg(most - before)));
    ::close(socket);
    QVERIFY(m_world->remove(*id));
}

QTEST_GUILESS_MAIN(tst_Terminals)
#include "tst_terminals.moc"
