// The tour of the real program, and what its report says.
#include <QDir>
#include <QFile>
#include <QImage>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

namespace {

// Unoptimized and sanitized builds take several times as long; the budget is for the release build.
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__)
constexpr double turnBudgetMs = 16;
#elif defined(__SANITIZE_ADDRESS__)
constexpr double turnBudgetMs = 150;
#else
constexpr double turnBudgetMs = 48;
#endif

} // namespace

class TourTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tour()
    {
        QTemporaryDir dir;
        const bool quick = qEnvironmentVariableIsSet("FOUNDRY_TOUR_SHORT");
        QStringList arguments{QStringLiteral("--tour"), dir.path()};
        if (quick)
            arguments << QStringLiteral("--short");
        QProcess process;
        process.setProcessChannelMode(QProcess::MergedChannels);
        process.start(QStringLiteral(FOUNDRY_BIN_DIR "/foundry-workbench"), arguments);
        QVERIFY2(process.waitForFinished(200000), "the tour did not end");
        const QByteArray output = process.readAll();
        QVERIFY2(process.exitStatus() == QProcess::NormalExit && process.exitCode() == 0, output.constData());

        QFile file(dir.filePath(QStringLiteral("tour.json")));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QJsonObject report = QJsonDocument::fromJson(file.readAll()).object();
        QVERIFY(report.value(QStringLiteral("ok")).toBool());
        const QJsonArray steps = report.value(QStringLiteral("steps")).toArray();
        QVERIFY(steps.size() >= (quick ? 10 : 18));
        int pictures = 0;
        bool dark = false;
        bool light = false;
        for (const auto &value : steps) {
            const QJsonObject step = value.toObject();
            const double turn = step.value(QStringLiteral("longestGuiTurnMs")).toDouble();
            QVERIFY(step.value(QStringLiteral("ms")).toDouble() > 0);
            QVERIFY(step.contains(QStringLiteral("longestGuiTurnWallMs")));
            QVERIFY2(turn <= turnBudgetMs,
                qPrintable(QStringLiteral("%1: a GUI turn of %2 ms in %3")
                               .arg(step.value(QStringLiteral("name")).toString())
                               .arg(turn)
                               .arg(step.value(QStringLiteral("longestGuiTurnIn")).toString())));
            if (!step.contains(QStringLiteral("picture")))
                continue;
            ++pictures;
            const QImage picture(dir.filePath(step.value(QStringLiteral("picture")).toString()));
            QVERIFY(picture.width() >= 800);
            // A corner is window: its brightness tells the theme.
            (qGray(picture.pixel(picture.width() / 2, 4)) < 128 ? dark : light) = true;
        }
        QVERIFY(pictures >= (quick ? 6 : 8));
        QVERIFY(dark && light);
        // Its own host is gone, and so is what it made.
        QVERIFY(QDir(QDir::tempPath()).entryList({QStringLiteral("foundry-tour-*")}).isEmpty());
    }

    void failsWithTheNameOfTheStep()
    {
        QTemporaryDir dir;
        QProcess process;
        process.start(QStringLiteral(FOUNDRY_BIN_DIR "/foundry-workbench"),
            {QStringLiteral("--tour"), dir.path(), QStringLiteral("--host-program"), QStringLiteral("/nowhere/foundry-host"),
                QStringLiteral("--step-deadline"), QStringLiteral("2")});
        QVERIFY(process.waitForFinished(60000));
        QCOMPARE(process.exitCode(), 1);
        QVERIFY(process.readAllStandardError().contains("first-start"));
        QVERIFY(QFile::exists(dir.filePath(QStringLiteral("tour.json"))));
    }

    void commandLine_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<int>("code");
        QTest::addColumn<QByteArray>("said");
        QTest::newRow("version") << QStringList{QStringLiteral("--version")} << 0 << QByteArray("foundry-workbench ");
        QTest::newRow("help") << QStringList{QStringLiteral("--help")} << 0 << QByteArray("--host-data-dir");
        QTest::newRow("unknown") << QStringList{QStringLiteral("--no-such")} << 2 << QByteArray("no-such");
        QTest::newRow("theme") << QStringList{QStringLiteral("--theme"), QStringLiteral("pink")} << 2 << QByteArray("pink");
        QTest::newRow("repo alone") << QStringList{QStringLiteral("--repo"), QStringLiteral("/x")} << 2 << QByteArray("--tour");
    }

    void commandLine()
    {
        QFETCH(QStringList, arguments);
        QFETCH(int, code);
        QFETCH(QByteArray, said);
        QProcess process;
        process.setProcessChannelMode(QProcess::MergedChannels);
        process.start(QStringLiteral(FOUNDRY_BIN_DIR "/foundry-workbench"), arguments);
        QVERIFY(process.waitForFinished(10000));
        QCOMPARE(process.exitCode(), code);
        QVERIFY(process.readAll().contains(said));
    }
};

QTEST_GUILESS_MAIN(TourTest)
#include "tst_tour.moc"
