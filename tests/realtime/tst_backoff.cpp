#include "realtime/connection/backoff.h"

#include <QTest>

using namespace foundry::realtime;
using namespace std::chrono_literals;

class BackoffTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void doublesToItsLimit()
    {
        Backoff backoff(250ms, 30s, [] { return 1.0; });
        QList<int> waits;
        for (int i = 0; i < 10; ++i)
            waits << int(backoff.next().count());
        QCOMPARE(waits, QList<int>({250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000}));
    }

    void jittersDownToHalf()
    {
        Backoff backoff(250ms, 30s, [] { return 0.0; });
        QCOMPARE(int(backoff.next().count()), 125);
        Backoff random;
        for (int i = 0; i < 1000; ++i) {
            const auto wait = random.next();
            QVERIFY(wait >= 125ms && wait <= 30s);
        }
    }

    void neverEndsAndStartsAnew()
    {
        Backoff backoff(250ms, 30s, [] { return 1.0; });
        for (int i = 0; i < 5000; ++i)
            backoff.next();
        QCOMPARE(int(backoff.next().count()), 30000);
        backoff.reset();
        QCOMPARE(backoff.failures(), 0);
        QCOMPARE(int(backoff.next().count()), 250);
    }
};

QTEST_APPLESS_MAIN(BackoffTest)
#include "tst_backoff.moc"
