// Appending to a transcript, its last page and a search cost the same however long it is. FOUNDRY_LOAD_ROWS says how long,
// and that the budget of the performance table counts (the soak test asks for a million).
#include "tests/backend_actors/transcriptload.h"

#include <QTest>

using namespace foundry;
using foundry::test::TranscriptLoad;

namespace {
qint64 loadRows = 20000;
double loadLimit = 2.0; // on a short transcript the machine's noise is larger than the difference
} // namespace

class tst_TranscriptLoad : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void costs()
    {
        TranscriptLoad load;
        const QString few = QStringLiteral("few");
        const QString many = QStringLiteral("many");
        QVERIFY(load.grow(few, 1000).ok());
        QElapsedTimer clock;
        clock.start();
        const auto grown = load.grow(many, loadRows);
        QVERIFY2(grown, grown ? "" : qPrintable(grown.error().message));
        qInfo("%lld rows in %lld ms", qlonglong(loadRows), qlonglong(clock.elapsed()));

        const auto appended = load.compare(few, many, QStringLiteral("append"), 20, 20);
        QVERIFY(appended);
        qInfo("append: %.0f and %.0f µs, %.2f times", appended->few, appended->many, appended->ratio());
        QVERIFY2(appended->ratio() <= loadLimit, qPrintable(QString::number(appended->ratio())));
        const auto last = load.compare(few, many, QStringLiteral("last"), 10, 5);
        QVERIFY(last);
        qInfo("last page: %.0f and %.0f µs, %.2f times", last->few, last->many, last->ratio());
        QVERIFY2(last->ratio() <= loadLimit, qPrintable(QString::number(last->ratio())));

        // A common word, two of them, one that is not there, one that goes on.
        for (const char *query : {"word17 ", "word17 word4711 ", "\"word1 word2\" ", "nothing ", "word471"}) {
            const auto found = load.call(many, QStringLiteral("search"), QString::fromLatin1(query));
            QVERIFY(found);
            qInfo("search %s: %.1f ms, %d hits", query, found->at(0).toDouble() / 1000, found->at(1).toInt());
            QVERIFY2(found->at(0).toDouble() < 100'000 * loadLimit, query);
        }
        const auto scans = load.call(many, QStringLiteral("scans"), 0);
        QVERIFY(scans);
        QVERIFY2(scans->isEmpty(), QJsonDocument(*scans).toJson().constData());
    }
};

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    QStringList arguments = QCoreApplication::arguments();
    if (qEnvironmentVariableIsSet("FOUNDRY_LOAD_ROWS")) {
        loadRows = qEnvironmentVariableIntValue("FOUNDRY_LOAD_ROWS");
        loadLimit = 1.2;
    }
    tst_TranscriptLoad test;
    return QTest::qExec(&test, arguments);
}
#include "tst_transcriptload.moc"
