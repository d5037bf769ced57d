#include "backend/host/accessgate.h"

#include <QTest>

using namespace foundry;
using namespace foundry::backend;

class tst_GatewayRoute : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void kinds_data();
    void kinds();
    void byId();
    void byKey();
    void tokens_data();
    void tokens();
    void protocols();
    void foreign_data();
    void foreign();
    void proof();

private:
    static HttpHead head(const QByteArray &target, const QByteArray &headers = {})
    {
        return parseHttpHead("GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1:6420\r\n" + headers + "\r\n").head;
    }
};

void tst_GatewayRoute::kinds_data()
{
    using K = GatewayRoute::Kind;
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<int>("kind");
    const auto row = [](const char *target, K kind) { QTest::newRow(target) << QByteArray(target) << int(kind); };
    row("/metadata?namespace=default", K::Metadata);
    row("/metadata/", K::Metadata);
    row("/", K::Health);
    row("/health", K::Health);
    row("/actors?name=user&key=user%2Flocal", K::Actors);
    row("/drain?when=idle", K::Drain);
    row("/gateway/abc/action/do", K::Action);
    row("/gateway/abc@tok/connect", K::Connect);
    row("/gateway/user/connect?rvt-method=get&rvt-key=user,local", K::Connect);
    row("/gateway/abc/action/", K::Unknown);
    row("/gateway//connect", K::Unknown);
    row("/gateway/abc/request/x", K::Unknown);
    row("/gateway/%ff%fe/connect", K::Unknown);
    row("/gateway/a%00b/connect", K::Unknown);
    row("/actors/abc", K::Unknown);
    row("/../metadata", K::Unknown);
    row("*", K::Unknown);
}

void tst_GatewayRoute::kinds()
{
    QFETCH(QByteArray, target);
    QFETCH(int, kind);
    QCOMPARE(int(parseRoute(head(target)).kind), kind);
}

void tst_GatewayRoute::byId()
{
    const GatewayRoute route = parseRoute(head("/gateway/a1b2@se%2Fcret/action/get%20it?x=1"));
    QVERIFY(!route.byKey);
    QCOMPARE(route.actorId, QStringLiteral("a1b2"));
    QCOMPARE(route.action, QStringLiteral("get it"));
    QCOMPARE(route.tokens, QStringList{QStringLiteral("se/cret")});
    QCOMPARE(route.param(u"x"), QStringLiteral("1"));
}

void tst_GatewayRoute::byKey()
{
    const GatewayRoute route = parseRoute(head("/gateway/task/connect?rvt-namespace=default&rvt-method=getOrCreate&rvt-runner=default"
                                               "&rvt-key=org%2Clocal%2Ctask&rvt-token=a+b&own=2"));
    QVERIFY(route.byKey);
    QVERIFY(route.mayCreate);
    QCOMPARE(route.address.name, QStringLiteral("task"));
    QCOMPARE(route.address.key, (QStringList{QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("task")}));
    QCOMPARE(route.tokens, QStringList{QStringLiteral("a b")});
    QCOMPARE(route.query.size(), 1);
    QVERIFY(!parseRoute(head("/gateway/task/connect?rvt-method=get&rvt-key=a")).mayCreate);
}

void tst_GatewayRoute::tokens_data()
{
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QByteArray>("headers");
    QTest::addColumn<bool>("known");
    const auto row = [](const char *name, const QByteArray &target, const QByteArray &headers, bool known) {
        QTest::newRow(name) << target << headers << known;
    };
    row("none", "/actors", "", false);
    row("bearer", "/actors", "Authorization: Bearer s3cret\r\n", true);
    row("bearer, other case", "/actors", "authorization: bearer s3cret\r\n", true);
    row("bearer, wrong", "/actors", "Authorization: Bearer s3cre\r\n", false);
    row("bearer, longer", "/actors", "Authorization: Bearer s3crets\r\n", false);
    row("bearer, empty", "/actors", "Authorization: Bearer \r\n", false);
    row("basic", "/actors", "Authorization: Basic s3cret\r\n", false);
    row("header", "/gateway/a/action/b", "x-rivet-token: s3cret\r\n", true);
    row("path", "/gateway/a@s3cret/connect", "", true);
    row("path, wrong", "/gateway/a@no/connect", "", false);
    row("query", "/gateway/a/connect?rvt-method=get&rvt-token=s3cret", "", true);
    row("query, other name", "/gateway/a/connect?token=s3cret", "", false);
    row("params", "/gateway/a/action/b", "x-rivet-conn-params: {\"authToken\":\"s3cret\"}\r\n", true);
    row("params, other field", "/gateway/a/action/b", "x-rivet-conn-params: {\"token\":\"s3cret\"}\r\n", true);
    row("params, no object", "/gateway/a/action/b", "x-rivet-conn-params: \"s3cret\"\r\n", false);
    row("protocol", "/gateway/a/connect",
        "Sec-WebSocket-Protocol: rivet,rivet_encoding.json,rivet_conn_params.%7B%22authToken%22%3A%22s3cret%22%7D\r\n", true);
    row("one of two", "/gateway/a@no/connect", "Authorization: Bearer s3cret\r\n", true);
}

void tst_GatewayRoute::tokens()
{
    QFETCH(QByteArray, target);
    QFETCH(QByteArray, headers);
    QFETCH(bool, known);
    const AccessGate gate(QStringLiteral("s3cret"), {});
    const auto caller = gate.authorize(parseRoute(head(target, headers)));
    QCOMPARE(caller.ok(), known);
    if (!known)
        QCOMPARE(caller.error().key(), QStringLiteral("auth.unauthorized"));
    else
        QCOMPARE(caller->userId, QStringLiteral("local"));
}

void tst_GatewayRoute::protocols()
{
    QCOMPARE(parseProtocols("rivet, rivet_encoding.cbor").encoding, QStringLiteral("cbor"));
    QCOMPARE(parseProtocols("rivet").encoding, QStringLiteral("json"));
    QCOMPARE(parseProtocols("rivet,rivet_conn_params.%7B%7D").connParams, QByteArray("{}"));
}

void tst_GatewayRoute::foreign_data()
{
    QTest::addColumn<QByteArray>("headers");
    QTest::addColumn<bool>("refused");
    QTest::newRow("address") << QByteArray("Host: 127.0.0.1:6420\r\n") << false;
    QTest::newRow("name") << QByteArray("Host: LOCALHOST:6420\r\n") << false;
    QTest::newRow("no host") << QByteArray() << true;
    QTest::newRow("other port") << QByteArray("Host: 127.0.0.1:6421\r\n") << true;
    QTest::newRow("no port") << QByteArray("Host: localhost\r\n") << true;
    QTest::newRow("rebound name") << QByteArray("Host: evil.example:6420\r\n") << true;
    QTest::newRow("two hosts") << QByteArray("Host: 127.0.0.1:6420\r\nHost: evil\r\n") << true;
    QTest::newRow("foreign page") << QByteArray("Host: 127.0.0.1:6420\r\nOrigin: https://evil.example\r\n") << true;
    QTest::newRow("null page") << QByteArray("Host: 127.0.0.1:6420\r\nOrigin: null\r\n") << true;
    QTest::newRow("own page") << QByteArray("Host: 127.0.0.1:6420\r\nOrigin: http://127.0.0.1:6420\r\n") << true;
}

void tst_GatewayRoute::foreign()
{
    QFETCH(QByteArray, headers);
    QFETCH(bool, refused);
    const AccessGate gate(QStringLiteral("t"), authoritiesOf(QStringLiteral("127.0.0.1"), 6420));
    const auto error = gate.refuseForeign(parseHttpHead("GET / HTTP/1.1\r\n" + headers + "\r\n").head);
    QCOMPARE(error.has_value(), refused);
    const AccessGate open(QStringLiteral("t"), authoritiesOf(QStringLiteral("::1"), 1), {QStringLiteral("https://ok.example")});
    QVERIFY(!open.refuseForeign(parseHttpHead("GET / HTTP/1.1\r\nHost: [::1]:1\r\nOrigin: https://ok.example\r\n\r\n").head));
}

void tst_GatewayRoute::proof()
{
    const AccessGate gate(QStringLiteral("key"), {});
    QCOMPARE(gate.proof(QString(64, QLatin1Char('0'))).size(), 64);
    QVERIFY(gate.proof(QString(64, QLatin1Char('0'))) != gate.proof(QString(64, QLatin1Char('1'))));
    QVERIFY(gate.proof(QString(63, QLatin1Char('0'))).isEmpty());
    QVERIFY(gate.proof(QString(64, QLatin1Char('x'))).isEmpty());
    QVERIFY(gate.proof(QString()).isEmpty());
}

QTEST_GUILESS_MAIN(tst_GatewayRoute)
#include "tst_gatewayroute.moc"
