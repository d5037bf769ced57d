// The tour of the real program with a real agent: `./run --tour DIR --agent codex`, the model scripted on loopback.
#include "tests/agents/agentworld.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

using namespace foundry::test;

class tst_TourAgent : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void codex()
    {
        QString reason;
        const QString packages = agentPackages(&reason);
        if (packages.isEmpty())
            QSKIP(qPrintable(reason));
        QTemporaryDir dir;
        ScriptedModel model;
        QVERIFY2(model.start(dir.filePath(QStringLiteral("model.log")), &reason), qPrintable(reason));
        QProcessEnvironment environment = agentEnvironment(
            QStringLiteral("codex"), model.url(), dir.filePath(QStringLiteral("codex")), QProcessEnvironment::systemEnvironment());
        environment.insert(QStringLiteral("PATH"), packages + QStringLiteral("/.bin:") + environment.value(QStringLiteral("PATH")));
        const QString out = dir.filePath(QStringLiteral("out"));
        QProcess tour;
        tour.setProcessEnvironment(environment);
        tour.setProcessChannelMode(QProcess::MergedChannels);
        tour.start(QStringLiteral(FOUNDRY_BIN_DIR "/foundry-workbench"),
            {QStringLiteral("--tour"), out, QStringLiteral("--agent"), QStringLiteral("codex")});
        QVERIFY2(tour.waitForFinished(240000), "the tour did not end");
        const QByteArray output = tour.readAll();
        QVERIFY2(tour.exitStatus() == QProcess::NormalExit && tour.exitCode() == 0, output.constData());

        QFile file(out + QStringLiteral("/tour.json"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QJsonObject report = QJsonDocument::fromJson(file.readAll()).object();
        QVERIFY(report.value(QStringLiteral("ok")).toBool());
        QStringList names;
        const QJsonArray steps = report.value(QStringLiteral("steps")).toArray();
        for (const auto &step : steps)
            names.append(step.toObject().value(QStringLiteral("name")).toString());
        for (const char *step : {"confirm-agent", "permission", "turn", "diff", "cancel"})
            QVERIFY2(names.contains(QLatin1StringView(step)), step);
    }
};

QTEST_GUILESS_MAIN(tst_TourAgent)
#include "tst_tour_agent.moc"
