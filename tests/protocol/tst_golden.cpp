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
        CreateTask create;
        create.requestId = RequestId(QStringLiteral("r1"));
        create.taskId = TaskId(QStringLiteral("t1"));
        create.sessionId = SessionId(QStringLiteral("s1"));
        create.repoId = RepoId(QStringLiteral("repo1"));
        create.prompt = Prompt{QStringLiteral("Fix the build"), {}};
        QTest::newRow("command-createtask") << QStringLiteral("command-createtask")
                                            << protocol::encodeClientFrame(protocol::ActionFrame{1, QStringLiteral("createTask"), protocol::encodeArgs(create)});
        ChangesSince since;
        since.topic = QStringLiteral("organization");
        since.generation = QStringLiteral("g7");
        since.revision = 40;
        QTest::newRow("read-changessince") << QStringLiteral("read-changessince")
                                           << protocol::encodeClientFrame(protocol::ActionFrame{2, QStringLiteral("changesSince"), protocol::encodeArgs(since)});
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
        QCOMPARE(names.size(), samples::all().size() + 4);
    }
};

QTEST_GUILESS_MAIN(tst_Golden)
#include "tst_golden.moc"
