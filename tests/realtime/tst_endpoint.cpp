#include "realtime/connection/endpoint.h"

#include <QTest>

using namespace foundry;
using namespace foundry::realtime;

class EndpointTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void splitsUserInformation()
    {
        const auto endpoint = Endpoint::parse(QStringLiteral("http://ns:s%40cret%2F@127.0.0.1:6420/base/"));
        QVERIFY(endpoint.ok());
        QCOMPARE(endpoint->nameSpace, QStringLiteral("ns"));
        QCOMPARE(endpoint->token, QStringLiteral("s@cret/"));
        QCOMPARE(endpoint->url, QUrl(QStringLiteral("http://127.0.0.1:6420/base")));
        QVERIFY(!endpoint->describe().contains(QStringLiteral("cret")));
    }

    void addresses()
    {
        const auto endpoint = Endpoint::parse(QStringLiteral("http://default:s%40%2F@127.0.0.1:6420"));
        QVERIFY(endpoint.ok());
        QCOMPARE(endpoint->metadataUrl().toEncoded(), QByteArray("http://127.0.0.1:6420/metadata?namespace=default"));
        QCOMPARE(endpoint->actorsUrl().toEncoded(), QByteArray("http://127.0.0.1:6420/actors?namespace=default"));
        QCOMPARE(endpoint->actorsUrl(QStringLiteral("task"), QStringLiteral("org/a b\\/c")).toEncoded(),
            QByteArray("http://127.0.0.1:6420/actors?name=task&key=org%2Fa%20b%5C%2Fc&namespace=default"));
        QCOMPARE(endpoint->connectUrl(QStringLiteral("ab12")).toEncoded(),
            QByteArray("ws://127.0.0.1:6420/gateway/ab12@s%40%2F/connect"));
        const auto secure = Endpoint::parse(QStringLiteral("https://host.example/v1/rivet"));
        QVERIFY(secure.ok());
        QCOMPARE(secure->connectUrl(QStringLiteral("x")).toEncoded(),
            QByteArray("wss://host.example/v1/rivet/gateway/x/connect"));
    }

    void refusesOthers_data()
    {
        QTest::addColumn<QString>("text");
        QTest::newRow("empty") << QString();
        QTest::newRow("no host") << QStringLiteral("http://");
        QTest::newRow("scheme") << QStringLiteral("ftp://host");
        QTest::newRow("query") << QStringLiteral("http://host/?a=b");
        QTest::newRow("fragment") << QStringLiteral("http://host/#a");
    }

    void refusesOthers()
    {
        QFETCH(QString, text);
        const auto endpoint = Endpoint::parse(text);
        QVERIFY(!endpoint.ok());
        QVERIFY(endpoint.error().is(QLatin1StringView("input"), QLatin1StringView("invalid")));
        QVERIFY(!endpoint.error().action.isEmpty());
    }

    void subprotocols()
    {
        QCOMPARE(connectSubprotocols({}), QStringList({QStringLiteral("rivet"), QStringLiteral("rivet_encoding.json")}));
        QCOMPARE(connectSubprotocols("{\"a\":\"(x)\"}").constLast(),
            QStringLiteral("rivet_conn_params.%7B%22a%22%3A%22%28x%29%22%7D"));
    }
};

QTEST_APPLESS_MAIN(EndpointTest)
#include "tst_endpoint.moc"
