#include "realtime/connection/pendingcalls.h"

#include <QSignalSpy>
#include <QTest>

using namespace foundry;
using namespace foundry::realtime;
using namespace std::chrono_literals;

class PendingCallsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void idsBeginAtOne()
    {
        PendingCalls calls;
        QCOMPARE(calls.add(1min, this, [](const auto &) {}), 1u);
        QCOMPARE(calls.add(1min, this, [](const auto &) {}), 2u);
    }

    void answeredOnce()
    {
        PendingCalls calls;
        int answers = 0;
        const auto id = calls.add(1min, this, [&](const Result<QByteArray> &result) {
            QCOMPARE(*result, QByteArray("8"));
            ++answers;
        });
        QVERIFY(calls.answer(id, QByteArray("8")));
        QVERIFY(!calls.answer(id, QByteArray("9")));
        calls.failAll(Error{});
        QCOMPARE(answers, 1);
    }

    void replyAfterTimeout()
    {
        PendingCalls calls;
        QSignalSpy late(&calls, &PendingCalls::timedOut);
        QStringList answers;
        const auto id = calls.add(20ms, this, [&](const Result<QByteArray> &result) { answers << result.error().key(); });
        calls.add(1min, this, [&](const Result<QByteArray> &) { answers << QStringLiteral("other"); });
        QTRY_COMPARE(answers, QStringList(QStringLiteral("client.timeout")));
        QCOMPARE(late.count(), 1);
        QVERIFY(!calls.answer(id, QByteArray("1")));
        QCOMPARE(calls.count(), 1);
        QCOMPARE(answers.size(), 1);
    }

    void allAnsweredWhenTheLinkDrops()
    {
        PendingCalls calls;
        int failed = 0;
        int second = 0;
        for (int i = 0; i < 100; ++i) {
            calls.add(1min, this, [&](const Result<QByteArray> &result) {
                QCOMPARE(result.error().code, QStringLiteral("link_lost"));
                // A new call out of the answer belongs to the next link.
                if (++failed == 1)
                    calls.add(1min, this, [&](const auto &) { ++second; });
            });
        }
        calls.failAll(makeError(QLatin1StringView("client"), QLatin1StringView("link_lost"), QString()));
        QCOMPARE(failed, 100);
        QCOMPARE(second, 0);
        QCOMPARE(calls.count(), 1);
    }

    void contextGone()
    {
        PendingCalls calls;
        auto context = std::make_unique<QObject>();
        bool called = false;
        const auto id = calls.add(1min, context.get(), [&](const auto &) { called = true; });
        context.reset();
        QVERIFY(calls.answer(id, QByteArray("1")));
        QVERIFY(!called);
    }
};

QTEST_GUILESS_MAIN(PendingCallsTest)
#include "tst_pendingcalls.moc"
