// The port, over real sockets: HTTP framing, both gateway forms, upgrades, refusals, limits.
#include "backend/host/server.h"
#include "tests/backend_host/testactor.h"

#include <QSignalSpy>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>
#include <QWebSocket>
#include <QWebSocketHandshakeOptions>

using namespace foundry;
using namespace foundry::backend;

class tst_Server : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void refusals_data();
    void refusals();
    void managerFindsAndMakes();
    void actionsOverHttp_data();
    void actionsOverHttp();
    void requestsInAnyPieces();
    void severalRequestsOnOneSocket();
    void upgradeOnAReusedSocket();
    void connectionById();
    void connectionByKeyMakesTheActor();
    void answersKeepTheirOrder();
    void rejectedConnections_data();
    void rejectedConnections();
    void tooLongMessages();
    void brokenMessagesClose();
    void requestsThatAreTooLarge();
    void answersThatAreTooLong();
    void aPeerThatDoesNotRead();
    void tooManyConnections();
    void onlyLoopback();

private:
    struct Response {
        int status = 0;
        QByteArray body;
    };
    // One request on a socket of its own, or on the given one.
    Response http(const QByteArray &request, QTcpSocket *on = nullptr);
    QByteArray request(const QByteArray &method, const QByteArray &target, const QByteArray &body = {},
        const QByteArray &headers = "Authorization: Bearer s3cret\r\n")
    {
        return method + ' ' + target + " HTTP/1.1\r\nHost: " + m_host + "\r\n" + headers + "Content-Length: "
            + QByteArray::number(body.size()) + "\r\n\r\n" + body;
    }
    QString idOf(const QString &name)
    {
        auto ref = m_runtime->getOrCreate({QStringLiteral("test"), {QStringLiteral("t"), name}});
        return ref ? ref->id : QString();
    }
    std::unique_ptr<QWebSocket> connectTo(const QString &path, const QStringList &protocols
        = {QStringLiteral("rivet"), QStringLiteral("rivet_encoding.json")});
    // The next text message of a socket.
    QString next(QWebSocket &socket, QStringList &inbox)
    {
        (void)QTest::qWaitFor([&] { return !inbox.isEmpty() || socket.state() == QAbstractSocket::UnconnectedState; }, 5000);
        return inbox.isEmpty() ? QString() : inbox.takeFirst();
    }

    QTemporaryDir m_dir;
    std::shared_ptr<TestWorld> m_world = std::make_shared<TestWorld>();
    std::unique_ptr<Deliveries> m_deliveries;
    std::unique_ptr<ActorRuntime> m_runtime;
    std::unique_ptr<Server> m_server;
    QByteArray m_host;
};

void tst_Server::initTestCase()
{
    HostConfig config;
    config.dataDir = m_dir.path();
    config.token = QStringLiteral("s3cret");
    config.instance = QStringLiteral("i1");
    m_deliveries = std::make_unique<Deliveries>();
    RuntimeOptions options;
    options.dataDir = config.dataDir;
    m_runtime = std::make_unique<ActorRuntime>(options,
        QList<ActorFactory>{TestActor::factory(QStringLiteral("test"), m_world),
            TestActor::factory(QStringLiteral("child"), m_world, CreatedBy::SendOnly)});
    QVERIFY(m_runtime->open(m_deliveries.get()));
    m_server = std::make_unique<Server>(config, *m_runtime, *m_deliveries);
    QVERIFY(m_server->listen());
    m_host = "127.0.0.1:" + QByteArray::number(m_server->port());
}

void tst_Server::cleanupTestCase()
{
    bool stopped = false;
    m_runtime->stop([&] { stopped = true; });
    QTRY_VERIFY(stopped);
    bool closed = false;
    m_server->closeAll([&] { closed = true; });
    QTRY_VERIFY(closed);
    m_server.reset();
    m_runtime.reset();
}

tst_Server::Response tst_Server::http(const QByteArray &request, QTcpSocket *on)
{
    QTcpSocket own;
    QTcpSocket &socket = on ? *on : own;
    if (!on)
        socket.connectToHost(QHostAddress(QHostAddress::LocalHost), m_server->port());
    socket.write(request);
    QByteArray got;
    Response response;
    const auto complete = [&] {
        got += socket.readAll();
        const qsizetype end = got.indexOf("\r\n\r\n");
        if (end < 0)
            return false;
        response.status = got.mid(9, 3).toInt();
        const qsizetype at = got.indexOf("Content-Length: ");
        const qsizetype length = at < 0 || at > end ? 0 : got.mid(at + 16, got.indexOf("\r\n", at) - at - 16).toLongLong();
        if (got.size() < end + 4 + length)
            return false;
        response.body = got.mid(end + 4, length);
        return true;
    };
    (void)QTest::qWaitFor(complete, 5000);
    return response;
}

std::unique_ptr<QWebSocket> tst_Server::connectTo(const QString &path, const QStringList &protocols)
{
    auto socket = std::make_unique<QWebSocket>();
    QWebSocketHandshakeOptions options;
    options.setSubprotocols(protocols);
    socket->open(QUrl(QStringLiteral("ws://") + QString::fromLatin1(m_host) + path), options);
    return socket;
}

void tst_Server::refusals_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("status");
    const auto row = [](const char *name, const QByteArray &bytes, int status) { QTest::newRow(name) << bytes << status; };
    row("garbage", "\x16\x03\x01 hello\r\n\r\n", 400);
    row("no host", "GET /metadata HTTP/1.1\r\n\r\n", 403);
    row("foreign host", "GET /metadata HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403);
    row("foreign origin", "GET /metadata HTTP/1.1\r\nHost: @\r\nOrigin: https://evil.example\r\n\r\n", 403);
    row("foreign preflight", "OPTIONS /actors HTTP/1.1\r\nHost: @\r\nOrigin: https://evil.example\r\n\r\n", 403);
    row("foreign upgrade",
        "GET /gateway/x/connect HTTP/1.1\r\nHost: @\r\nOrigin: https://evil.example\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        403);
    row("metadata needs no token", "GET /metadata HTTP/1.1\r\nHost: @\r\n\r\n", 200);
    row("health", "GET /health HTTP/1.1\r\nHost: @\r\n\r\n", 200);
    row("options", "OPTIONS /actors HTTP/1.1\r\nHost: @\r\n\r\n", 204);
    row("actors without a token", "GET /actors?name=test HTTP/1.1\r\nHost: @\r\n\r\n", 401);
    row("drain without a token", "POST /drain HTTP/1.1\r\nHost: @\r\nContent-Length: 0\r\n\r\n", 401);
    row("action without a token", "POST /gateway/x/action/y HTTP/1.1\r\nHost: @\r\nContent-Length: 0\r\n\r\n", 401);
    row("wrong token", "GET /actors?name=test HTTP/1.1\r\nHost: @\r\nAuthorization: Bearer s3cre7\r\n\r\n", 401);
    row("unknown path", "GET /nothing HTTP/1.1\r\nHost: @\r\nAuthorization: Bearer s3cret\r\n\r\n", 404);
    row("metadata posted", "POST /metadata HTTP/1.1\r\nHost: @\r\nContent-Length: 0\r\n\r\n", 405);
    row("head too large", "GET / HTTP/1.1\r\nHost: @\r\nX: " + QByteArray(20000, 'x') + "\r\n\r\n", 431);
}

void tst_Server::refusals()
{
    QFETCH(QByteArray, bytes);
    QFETCH(int, status);
    const Response response = http(bytes.replace("Host: @", "Host: " + m_host));
    QCOMPARE(response.status, status);
    if (status == 401)
        QVERIFY(response.body.contains("\"unauthorized\""));
    if (status != 200)
        QVERIFY(!response.body.contains("s3cret"));
}

void tst_Server::managerFindsAndMakes()
{
    const QByteArray body = R"({"name":"test","key":"t/made","runner_name_selector":"default","crash_policy":"sleep"})";
    QVERIFY(http(request("GET", "/actors?name=test&key=t%2Fmade")).body.contains("\"actors\":[]"));
    const Response made = http(request("PUT", "/actors?namespace=default", body));
    QCOMPARE(made.status, 200);
    QVERIFY(made.body.contains("\"created\":true"));
    QVERIFY(http(request("PUT", "/actors", body)).body.contains("\"created\":false"));
    const Response twice = http(request("POST", "/actors", body));
    QCOMPARE(twice.status, 400);
    QVERIFY(twice.body.contains("\"duplicate_key\""));
    QVERIFY(http(request("GET", "/actors?name=test&key=t%2Fmade")).body.contains("\"key\":\"t/made\""));
    QVERIFY(http(request("GET", "/actors?actor_ids=" + idOf(QStringLiteral("made")).toLatin1())).body.contains("t/made"));
    const Response child = http(request("PUT", "/actors", QByteArray(body).replace("\"test\"", "\"child\"")));
    QCOMPARE(child.status, 404);
    QVERIFY(child.body.contains("\"not_found\""));
    QCOMPARE(http(request("PUT", "/actors", "{")).status, 400);
    QCOMPARE(http(request("DELETE", "/actors")).status, 405);
}

void tst_Server::actionsOverHttp_data()
{
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const QByteArray &target, const QByteArray &body, int status, const QByteArray &expected) {
        QTest::newRow(name) << target << body << status << expected;
    };
    row("by id", "/gateway/ID/action/add", R"({"args":[{"requestId":"h1","text":"a"}]})", 200, R"({"output":"added a"})");
    row("void is null", "/gateway/ID/action/need", R"({"args":[{"requestId":"h2","needed":false}]})", 200, R"({"output":null})");
    row("by key", "/gateway/test/action/add?rvt-namespace=default&rvt-method=getOrCreate&rvt-key=t%2Cweb",
        R"({"args":[{"requestId":"h3","text":"b"}]})", 200, R"({"output":"added b"})");
    row("get by key, none", "/gateway/test/action/log?rvt-method=get&rvt-key=t,none", R"({"args":[]})", 404, "\"not_found\"");
    row("unknown id", "/gateway/deadbeef/action/log", R"({"args":[]})", 404, "\"not_found\"");
    row("unknown action", "/gateway/ID/action/nothing", R"({"args":[]})", 404, "\"action_not_found\"");
    row("a refusal", "/gateway/ID/action/add", R"({"args":[{"requestId":"h4","text":"c","fail":true}]})", 409, "\"conflict\"");
    row("no request id", "/gateway/ID/action/add", R"({"args":[{"text":"c"}]})", 400, "\"requestId\"");
    row("args no array", "/gateway/ID/action/add", R"({"args":{}})", 400, "\"invalid_request\"");
    row("no json", "/gateway/ID/action/add", "hello", 400, "\"invalid_request\"");
    row("tagged value", "/gateway/ID/action/add", R"({"args":[{"requestId":"h5","text":["$Undefined",0]}]})", 200, "added ");
    row("unknown tag", "/gateway/ID/action/add", R"({"args":[{"requestId":"h6","text":["$Nope",0]}]})", 400, "\"invalid_request\"");
}

void tst_Server::actionsOverHttp()
{
    QFETCH(QByteArray, target);
    QFETCH(QByteArray, body);
    QFETCH(int, status);
    QFETCH(QByteArray, expected);
    target.replace("ID", idOf(QStringLiteral("http")).toLatin1());
    const Response response = http(request("POST", target, body));
    QCOMPARE(response.status, status);
    QVERIFY2(response.body.contains(expected), response.body.constData());
}

void tst_Server::requestsInAnyPieces()
{
    const QByteArray target = "/gateway/" + idOf(QStringLiteral("pieces")).toLatin1() + "@s3cret/action/log";
    const QByteArray bytes = "POST " + target + " HTTP/1.1\r\nHost: " + m_host
        + "\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"arg\r\n6\r\ns\":[]}\r\n0\r\n\r\n";
    QTcpSocket socket;
    socket.connectToHost(QHostAddress(QHostAddress::LocalHost), m_server->port());
    QTRY_COMPARE(socket.state(), QAbstractSocket::ConnectedState);
    const QByteArray early = bytes.first(bytes.size() - 1);
    for (const char byte : early) {
        socket.write(&byte, 1);
        socket.flush();
        QTest::qWait(0);
    }
    QCOMPARE(http(bytes.last(1), &socket).status, 200);
}

void tst_Server::severalRequestsOnOneSocket()
{
    QTcpSocket socket;
    socket.connectToHost(QHostAddress(QHostAddress::LocalHost), m_server->port());
    for (int i = 0; i < 5; ++i)
        QCOMPARE(http(request("GET", "/actors?name=test"), &socket).status, 200);
    // Two at once: answered one after the other.
    socket.write(request("GET", "/health") + request("GET", "/nothing"));
    QByteArray got;
    QVERIFY(QTest::qWaitFor([&] {
        got += socket.readAll();
        return got.count("HTTP/1.1 ") == 2 && got.contains("Not Found");
    }));
    QVERIFY(got.startsWith("HTTP/1.1 200"));
}

void tst_Server::upgradeOnAReusedSocket()
{
    QTcpSocket socket;
    socket.connectToHost(QHostAddress(QHostAddress::LocalHost), m_server->port());
    QCOMPARE(http(request("GET", "/actors?name=test"), &socket).status, 200);
    socket.write("GET /gateway/" + idOf(QStringLiteral("ws")).toLatin1() + "@s3cret/connect HTTP/1.1\r\nHost: " + m_host
        + "\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: rivet, rivet_encoding.json\r\n\r\n");
    QByteArray got;
    QVERIFY(QTest::qWaitFor([&] {
        got += socket.readAll();
        return got.contains("\"Init\"");
    }));
    QVERIFY(got.startsWith("HTTP/1.1 101"));
    QVERIFY(got.contains("Sec-WebSocket-Protocol: rivet\r\n"));
}

void tst_Server::connectionById()
{
    const QString id = idOf(QStringLiteral("ws"));
    auto socket = connectTo(QStringLiteral("/gateway/%1@s3cret/connect").arg(id));
    QStringList inbox;
    connect(socket.get(), &QWebSocket::textMessageReceived, this, [&](const QString &text) { inbox.append(text); });
    const QString init = next(*socket, inbox);
    QVERIFY2(init.contains(QLatin1StringView("\"tag\":\"Init\"")) && init.contains(id), qPrintable(init));
    QCOMPARE(socket->subprotocol(), QStringLiteral("rivet"));
    socket->sendTextMessage(QStringLiteral(R"({"body":{"tag":"SubscriptionRequest","val":{"eventName":"overlay","subscribe":true}}})"));
    socket->sendTextMessage(QStringLiteral(
        R"({"body":{"tag":"ActionRequest","val":{"id":["$BigInt","1"],"name":"add","args":[{"requestId":"w1","text":"one"}]}}})"));
    const QString event = next(*socket, inbox); // before the answer
    QVERIFY2(event.contains(QLatin1StringView("\"tag\":\"Event\"")) && event.contains(QLatin1StringView("\"name\":\"overlay\"")),
        qPrintable(event));
    const QString answer = next(*socket, inbox);
    QVERIFY2(answer.contains(QLatin1StringView(R"("id":["$BigInt","1"],"output":"added one")")), qPrintable(answer));
    // In a binary frame as well; an error names its action.
    socket->sendBinaryMessage(R"({"body":{"tag":"ActionRequest","val":{"id":["$BigInt","2"],"name":"nothing","args":[]}}})");
    const QString error = next(*socket, inbox);
    QVERIFY2(error.contains(QLatin1StringView("\"code\":\"action_not_found\""))
            && error.contains(QLatin1StringView(R"("actionId":["$BigInt","2"])")),
        qPrintable(error));
    QSignalSpy pong(socket.get(), &QWebSocket::pong);
    socket->ping();
    QVERIFY(pong.wait(2000));
    const qsizetype open = m_server->openSockets();
    socket->close();
    QTRY_COMPARE(m_server->openSockets(), open - 1);
}

void tst_Server::connectionByKeyMakesTheActor()
{
    auto socket = connectTo(
        QStringLiteral("/gateway/test/connect?rvt-namespace=default&rvt-method=getOrCreate&rvt-key=t,bykey&rvt-token=s3cret"));
    QStringList inbox;
    connect(socket.get(), &QWebSocket::textMessageReceived, this, [&](const QString &text) { inbox.append(text); });
    QVERIFY(next(*socket, inbox).contains(QLatin1StringView("\"Init\"")));
    QVERIFY(m_runtime->get({QStringLiteral("test"), {QStringLiteral("t"), QStringLiteral("bykey")}}));
}

void tst_Server::answersKeepTheirOrder()
{
    auto socket = connectTo(QStringLiteral("/gateway/%1@s3cret/connect").arg(idOf(QStringLiteral("order"))));
    QStringList inbox;
    connect(socket.get(), &QWebSocket::textMessageReceived, this, [&](const QString &text) { inbox.append(text); });
    QVERIFY(!next(*socket, inbox).isEmpty());
    for (int i = 1; i <= 200; ++i) {
        socket->sendTextMessage(QStringLiteral(R"({"body":{"tag":"ActionRequest","val":{"id":["$BigInt","%1"],"name":"%2","args":[]}}})")
                                    .arg(i)
                                    .arg(i % 3 ? QStringLiteral("log") : QStringLiteral("nothing")));
    }
    for (int i = 1; i <= 200; ++i)
        QVERIFY(next(*socket, inbox).contains(QStringLiteral(R"(["$BigInt","%1"])").arg(i)));
}

void tst_Server::rejectedConnections_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QStringList>("protocols");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("reason");
    const QStringList rivet{QStringLiteral("rivet"), QStringLiteral("rivet_encoding.json")};
    QTest::newRow("no token") << QStringLiteral("/gateway/ID/connect") << rivet << 1011 << QStringLiteral("auth.unauthorized");
    QTest::newRow("wrong token") << QStringLiteral("/gateway/ID@no/connect") << rivet << 1011 << QStringLiteral("auth.unauthorized");
    QTest::newRow("no such actor") << QStringLiteral("/gateway/0000@s3cret/connect") << rivet << 1011
                                   << QStringLiteral("actor.not_found");
    QTest::newRow("not made by clients") << QStringLiteral("/gateway/child/connect?rvt-method=getOrCreate&rvt-key=t,x&rvt-token=s3cret")
                                         << rivet << 1011 << QStringLiteral("actor.not_found");
    QTest::newRow("no such place") << QStringLiteral("/gateway/ID@s3cret/other") << rivet << 1011
                                   << QStringLiteral("actor.invalid_request");
    QTest::newRow("bare") << QStringLiteral("/gateway/ID@s3cret/connect")
                          << QStringList{QStringLiteral("rivet"), QStringLiteral("rivet_encoding.bare")} << 1003
                          << QStringLiteral("actor.unsupported_websocket_encoding");
}

void tst_Server::rejectedConnections()
{
    QFETCH(QString, path);
    QFETCH(QStringList, protocols);
    QFETCH(int, code);
    QFETCH(QString, reason);
    auto socket = connectTo(path.replace(QLatin1StringView("ID"), idOf(QStringLiteral("ws"))), protocols);
    QStringList inbox;
    connect(socket.get(), &QWebSocket::textMessageReceived, this, [&](const QString &text) { inbox.append(text); });
    QTRY_COMPARE(int(socket->closeCode()), code);
    QCOMPARE(socket->closeReason(), reason);
    if (code == 1011) {
        QCOMPARE(inbox.size(), 1);
        QVERIFY(inbox.first().contains(QLatin1StringView("\"actionId\":null")));
    }
}

void tst_Server::tooLongMessages()
{
    // Also when the peer is far from done with sending: what is beyond Qt's own limit, and what no buffer takes.
    for (const int size : {70000, 180000, 200000, 600000, 30000000}) {
        auto socket = connectTo(QStringLiteral("/gateway/%1@s3cret/connect").arg(idOf(QStringLiteral("ws"))));
        QStringList inbox;
        connect(socket.get(), &QWebSocket::textMessageReceived, this, [&](const QString &text) { inbox.append(text); });
        QVERIFY(!next(*socket, inbox).isEmpty());
        socket->sendTextMessage(QString(size, QLatin1Char('x')));
        QTRY_COMPARE(socket->state(), QAbstractSocket::UnconnectedState);
        QCOMPARE(inbox.size(), 1);
        QVERIFY(inbox.first().contains(QLatin1StringView("\"incoming_too_long\"")));
        QVERIFY(inbox.first().contains(QLatin1StringView("\"actionId\":null")));
    }
}

void tst_Server::brokenMessagesClose()
{
    for (const char *message : {"hello", "{}", "[1]", R"({"body":{"tag":"Nonsense","val":{}}})", R"({"body":{"tag":"ActionRequest","val":{}}})"}) {
        auto socket = connectTo(QStringLiteral("/gateway/%1@s3cret/connect").arg(idOf(QStringLiteral("ws"))));
        QStringList inbox;
        connect(socket.get(), &QWebSocket::textMessageReceived, this, [&](const QString &text) { inbox.append(text); });
        QVERIFY(!next(*socket, inbox).isEmpty());
        socket->sendTextMessage(QString::fromLatin1(message));
        QTRY_COMPARE(socket->closeReason(), QStringLiteral("actor.invalid_request"));
    }
}

void tst_Server::requestsThatAreTooLarge()
{
    const QByteArray target = "/gateway/" + idOf(QStringLiteral("ws")).toLatin1() + "/action/log";
    const Response response = http(request("POST", target, QByteArray(70000, ' ')));
    QCOMPARE(response.status, 400);
    QVERIFY(response.body.contains("\"incoming_too_long\""));
}

void tst_Server::answersThatAreTooLong()
{
    const QString id = idOf(QStringLiteral("ws"));
    const auto ask = [&](int bytes) {
        return http(request("POST", "/gateway/" + id.toLatin1() + "/action/large", "{\"args\":[{\"bytes\":" + QByteArray::number(bytes) + "}]}"));
    };
    Response response = ask(500 * 1024);
    QCOMPARE(response.status, 200);
    QVERIFY(response.body.size() > 500 * 1024 && response.body.size() <= 512 * 1024);
    response = ask(513 * 1024);
    QCOMPARE(response.status, 400);
    QVERIFY(response.body.contains("\"group\":\"message\"") && response.body.contains("\"outgoing_too_long\""));

    auto socket = connectTo(QStringLiteral("/gateway/%1@s3cret/connect").arg(id));
    QStringList inbox;
    connect(socket.get(), &QWebSocket::textMessageReceived, this, [&](const QString &text) { inbox.append(text); });
    QVERIFY(!next(*socket, inbox).isEmpty());
    for (const int bytes : {513 * 1024, 500 * 1024}) {
        socket->sendTextMessage(QStringLiteral(R"({"body":{"tag":"ActionRequest","val":{"id":["$BigInt","1"],"name":"large","args":[{"bytes":%1}]}}})").arg(bytes));
        const QString answer = next(*socket, inbox);
        QVERIFY(answer.size() <= 512 * 1024);
        QCOMPARE(answer.contains(QLatin1StringView("\"outgoing_too_long\"")), bytes > 512 * 1024);
        QCOMPARE(answer.contains(QLatin1StringView("ActionResponse")), bytes < 512 * 1024);
    }
    socket.reset();
    QTRY_COMPARE(m_server->openSockets(), 0);
}

void tst_Server::aPeerThatDoesNotRead()
{
    const QString id = idOf(QStringLiteral("slow"));
    QTcpSocket socket;
    socket.setReadBufferSize(1024);
    socket.connectToHost(QHostAddress(QHostAddress::LocalHost), m_server->port());
    socket.write("GET /gateway/" + id.toLatin1() + "@s3cret/connect HTTP/1.1\r\nHost: " + m_host
        + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: rivet\r\n\r\n");
    const qsizetype before = m_server->openSockets();
    QTRY_COMPARE(m_server->openSockets(), before + 1);
    // What the kernel takes comes on top, so there is more than the limit.
    const QByteArray frame(256 * 1024, 'x');
    QList<ConnectionId> all; // which one it is, only the server knows
    for (ConnectionId connection = 1; connection < 2000; ++connection)
        all.append(connection);
    for (int i = 0; i < 160; ++i)
        m_deliveries->event(all, frame);
    QTRY_COMPARE_WITH_TIMEOUT(m_server->openSockets(), before, 10000);
}

void tst_Server::tooManyConnections()
{
    const QString path = QStringLiteral("/gateway/%1@s3cret/connect").arg(idOf(QStringLiteral("ws")));
    std::vector<std::unique_ptr<QWebSocket>> sockets;
    sockets.reserve(64);
    QTRY_COMPARE(m_server->openSockets(), 0);
    for (int i = 0; i < 64; ++i)
        sockets.push_back(connectTo(path));
    QTRY_COMPARE(m_server->openSockets(), 64);
    auto over = connectTo(path);
    QTRY_COMPARE(over->closeReason(), QStringLiteral("actor.overloaded"));
    sockets.clear();
    QTRY_COMPARE(m_server->openSockets(), 0);
}

void tst_Server::onlyLoopback()
{
    HostConfig config;
    config.address = QHostAddress(QHostAddress::AnyIPv4);
    Deliveries deliveries;
    Server server(config, *m_runtime, deliveries);
    const auto refused = server.listen();
    QVERIFY(!refused);
    QVERIFY(refused.error().message.contains(QLatin1StringView("loopback")));
}

QTEST_GUILESS_MAIN(tst_Server)
#include "tst_server.moc"
