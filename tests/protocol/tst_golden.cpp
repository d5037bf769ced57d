// The golden files are the wire: what this version writes is compared with them byte by byte, and what they say is read
// back. A change here is a change of the contract: raise its version or do not make it.
// FOUNDRY_UPDATE_GOLDEN=1 writes them anew (then read the difference).
#include "realtime/protocol/codec.h"
#include "realtime/protocol/frame.h"
#include "tests/protocol/samples.h"

#include <QDir>
#include <QFile>
#include <QSaveFile>
#include <QTest>

using namespace foundry;

class tst_Golden : public QObject {
    Q_OBJECT

    static QString path(const QString &name)
    {
        return QStringLiteral(FOUNDRY_SOURCE_DIR "/tests/protocol/golden/") + name + QStringLiteral(".json");
    }

private Q_SLOTS:
    void files_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QByteArray>("text");
        int n = 0;
        for (const Entity &entity : samples::all()) {
            const QByteArray row = protocol::encodeUpsert(protocol::entityType(entity), protocol::entityId(entity),
                protocol::entityMeta(entity), protocol::encodeEntity(entity));
            const QString name = QStringLiteral("entity-%1-%2").arg(n++, 2, 10, QLatin1Char('0')).arg(protocol::entityType(entity).toLower());
            QTest::newRow(qPrintable(name)) << name << row;
        }
        QTest::newRow("event") << QStringLiteral("event") << protocol::encodeEventFrame(QStringLiteral("organization"), protocol::encodeEvent(samples::event()));
        const auto commands = samples::commands([](const auto &value) { return protocol::encodeArgs(value); });
        for (const auto &[action, args] : commands) {
            const QString name = QStringLiteral("action-") + action.toLower();
            QTest::newRow(qPrintable(name)) << name << protocol::encodeClientFrame(protocol::ActionFrame{1, action, args});
        }
        QTest::newRow("revisions") << QStringLiteral("revisions")
                                   << protocol::encodeRevisions({{QStringLiteral("organization"), TopicRevision{QStringLiteral("g7"), 42}}});
    }
    void files()
    {
        QFETCH(QString, name);
        QFETCH(QByteArray, text);
        if (qEnvironmentVariableIsSet("FOUNDRY_UPDATE_GOLDEN")) {
            QSaveFile file(path(name));
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(text + '\n');
            QVERIFY(file.commit());
        }
        QFile file(path(name));
        QVERIFY2(file.open(QIODevice::ReadOnly), qPrintable(path(name)));
        QCOMPARE(file.readAll().trimmed(), text);
    }
    void nothingIsLeftOver()
    {
        // Every golden file is compared by a row above: a renamed one may not linger.
        const auto names = QDir(QStringLiteral(FOUNDRY_SOURCE_DIR "/tests/protocol/golden")).entryList({QStringLiteral("*.json")});
        const auto commands = samples::commands([](const auto &value) { return protocol::encodeArgs(value); });
        QCOMPARE(names.size(), samples::all().size() + commands.size() + 2);
    }
    void theContractQuotesThem()
    {
        QFile document(QStringLiteral(FOUNDRY_SOURCE_DIR "/docs/CONTRACT.md"));
        QVERIFY(document.open(QIODevice::ReadOnly));
        const QByteArray text = document.readAll();
        const QDir golden(QStringLiteral(FOUNDRY_SOURCE_DIR "/tests/protocol/golden"));
        for (const QString &name : golden.entryList({QStringLiteral("*.json")})) {
            QFile file(golden.filePath(name));
            QVERIFY(file.open(QIODevice::ReadOnly));
            QVERIFY2(text.contains(file.readAll().trimmed()), qPrintable(QStringLiteral("docs/CONTRACT.md does not quote %1").arg(name)));
        }
    }
};

QTEST_GUILESS_MAIN(tst_Golden)
#include "tst_golden.moc"
