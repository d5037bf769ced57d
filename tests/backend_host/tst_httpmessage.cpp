#include "backend/host/httpmessage.h"

#include <QRandomGenerator>
#include <QTest>

using namespace foundry::backend;

class tst_HttpMessage : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void heads_data();
    void heads();
    void headers();
    void bodies_data();
    void bodies();
    void queries();
    void brokenBytesNeverHurt();
};

void tst_HttpMessage::heads_data()
{
    using S = HttpHeadResult::State;
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("state");
    const auto row = [](const char *name, const QByteArray &bytes, S state) { QTest::newRow(name) << bytes << int(state); };
    row("empty", "", S::NeedMore);
    row("begun", "GET /x HT", S::NeedMore);
    row("no end", "GET / HTTP/1.1\r\nHost: a\r\n", S::NeedMore);
    row("plain", "GET /metadata HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", S::Complete);
    row("no headers", "GET / HTTP/1.0\r\n\r\n", S::Complete);
    row("options", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", S::Complete);
    row("tls hello", QByteArray::fromHex("1603010200010001fc03"), S::Invalid);
    row("no target", "GET HTTP/1.1\r\n\r\n", S::Invalid);
    row("absolute target", "GET http://a/ HTTP/1.1\r\n\r\n", S::Invalid);
    row("http 2", "PRI * HTTP/2.0\r\n\r\n", S::Invalid);
    row("folded", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", S::Invalid);
    row("space before colon", "GET / HTTP/1.1\r\nContent-Length : 3\r\n\r\n", S::Invalid);
    row("no colon", "GET / HTTP/1.1\r\nabc\r\n\r\n", S::Invalid);
    row("control character", QByteArray("GET / HTTP/1.1\r\nA: b\0c\r\n\r\n", 26), S::Invalid);
    row("long", "GET / HTTP/1.1\r\nA: " + QByteArray(17000, 'a'), S::TooLarge);
    row("long with end", "GET / HTTP/1.1\r\nA: " + QByteArray(17000, 'a') + "\r\n\r\n", S::TooLarge);
}

void tst_HttpMessage::heads()
{
    QFETCH(QByteArray, bytes);
    QFETCH(int, state);
    QCOMPARE(int(parseHttpHead(bytes).state), state);
    // In pieces, a good head is never called bad before it is whole.
    if (state == int(HttpHeadResult::State::Complete)) {
        for (qsizetype n = 0; n < bytes.size(); ++n)
            QCOMPARE(parseHttpHead(bytes.first(n)).state, HttpHeadResult::State::NeedMore);
        QCOMPARE(parseHttpHead(bytes + "more").length, bytes.size());
    }
}

void tst_HttpMessage::headers()
{
    const auto parsed = parseHttpHead("GET /a?b=c HTTP/1.1\r\nHOST:  x \r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
                                      "X-A: 1\r\nx-a: 2\r\n\r\n");
    QCOMPARE(parsed.state, HttpHeadResult::State::Complete);
    QCOMPARE(parsed.head.header("host"), QByteArray("x"));
    QCOMPARE(parsed.head.header("x-a"), QByteArray("1, 2"));
    QCOMPARE(parsed.head.target, QByteArray("/a?b=c"));
    QVERIFY(parsed.head.isWebSocketUpgrade());
    QVERIFY(parsed.head.keepAlive());
    QVERIFY(!parseHttpHead("GET / HTTP/1.0\r\n\r\n").head.keepAlive());
    QVERIFY(!parseHttpHead("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").head.keepAlive());
}

void tst_HttpMessage::bodies_data()
{
    using S = HttpBodyReader::State;
    QTest::addColumn<QByteArray>("framing");
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("state");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("rest");
    const auto row = [](const char *name, const QByteArray &framing, const QByteArray &bytes, S state,
                         const QByteArray &body = {}, const QByteArray &rest = {}) {
        QTest::newRow(name) << framing << bytes << int(state) << body << rest;
    };
    const QByteArray chunked = "Transfer-Encoding: chunked\r\n";
    row("none", "", "next", S::Complete, "", "next");
    row("length", "Content-Length: 5\r\n", "hellonext", S::Complete, "hello", "next");
    row("length short", "Content-Length: 5\r\n", "hel", S::NeedMore);
    row("length negative", "Content-Length: -5\r\n", "", S::Invalid);
    row("length twice", "Content-Length: 5\r\nContent-Length: 6\r\n", "hello", S::Invalid);
    row("length huge", "Content-Length: 99999\r\n", "", S::TooLarge);
    row("length absurd", "Content-Length: 99999999999999999999\r\n", "", S::Invalid);
    row("chunks", chunked, "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\nGET", S::Complete, "abc0123456789", "GET");
    row("chunks with trailer", chunked, "1\r\na\r\n0\r\nT: v\r\n\r\n", S::Complete, "a");
    row("chunks unfinished", chunked, "3\r\nabc\r\n", S::NeedMore);
    row("chunk without end", chunked, "3\r\nabcd\r\n0\r\n\r\n", S::Invalid);
    row("chunk size no hex", chunked, "zz\r\n", S::Invalid);
    row("chunk size 0x", chunked, "0x3\r\nabc\r\n", S::Invalid);
    row("chunk size empty", chunked, "\r\n", S::Invalid);
    row("chunk too large", chunked, "fffff\r\n", S::TooLarge);
    row("both", "Content-Length: 3\r\n" + chunked, "abc", S::Invalid);
    row("gzip", "Transfer-Encoding: gzip, chunked\r\n", "abc", S::Invalid);
    row("endless size line", chunked, QByteArray(300, '0'), S::Invalid);
}

void tst_HttpMessage::bodies()
{
    QFETCH(QByteArray, framing);
    QFETCH(QByteArray, bytes);
    QFETCH(int, state);
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, rest);
    const HttpHead head = parseHttpHead("POST / HTTP/1.1\r\n" + framing + "\r\n").head;
    HttpBodyReader whole(head, 1000);
    QByteArray buffer = bytes;
    QCOMPARE(int(whole.feed(buffer)), state);
    if (state == int(HttpBodyReader::State::Complete)) {
        QCOMPARE(whole.body(), body);
        QCOMPARE(buffer, rest);
    }
    // Byte by byte it comes to the same.
    HttpBodyReader slow(head, 1000);
    QByteArray left;
    for (qsizetype i = 0; i < bytes.size() && slow.state() == HttpBodyReader::State::NeedMore; ++i) {
        left += bytes.at(i);
        slow.feed(left);
    }
    QCOMPARE(int(slow.state()), state);
    if (state == int(HttpBodyReader::State::Complete))
        QCOMPARE(slow.body(), body);
}

void tst_HttpMessage::queries()
{
    const auto pairs = parseQuery("a=1&b=x+y%2Fz&c&=d&&e=%F0%9F%98%80");
    QCOMPARE(pairs.size(), 5);
    QCOMPARE(pairs.at(1).second, QStringLiteral("x y/z"));
    QCOMPARE(pairs.at(2).first, QStringLiteral("c"));
    QCOMPARE(pairs.at(4).second, QString::fromUtf8("😀"));
}

void tst_HttpMessage::brokenBytesNeverHurt()
{
    QRandomGenerator random(7);
    const QByteArray good = "POST /gateway/x/action/y HTTP/1.1\r\nHost: 127.0.0.1:1\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "b\r\n{\"args\":[]}\r\n0\r\n\r\n";
    for (int round = 0; round < 20000; ++round) {
        QByteArray bytes = good;
        for (int i = 0, n = random.bounded(4); i <= n; ++i) {
            const qsizetype at = random.bounded(int(bytes.size()));
            switch (random.bounded(3)) {
            case 0:
                bytes[at] = char(random.bounded(256));
                break;
            case 1:
                bytes.remove(at, random.bounded(8));
                break;
            default:
                bytes.insert(at, bytes.mid(random.bounded(int(bytes.size())), 5));
            }
            if (bytes.isEmpty())
                break;
        }
        const auto parsed = parseHttpHead(bytes);
        if (parsed.state != HttpHeadResult::State::Complete)
            continue;
        QVERIFY(parsed.length <= bytes.size());
        HttpBodyReader reader(parsed.head, 1000);
        QByteArray rest = bytes.sliced(parsed.length);
        reader.feed(rest);
        QVERIFY(reader.body().size() <= 1000);
    }
}

QTEST_GUILESS_MAIN(tst_HttpMessage)
#include "tst_httpmessage.moc"
