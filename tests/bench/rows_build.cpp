// Rows of building: the whole from nothing, and after one file was touched. They take minutes, so they run when named.
#include "tests/bench/hostrig.h"
#include "tests/bench/row.h"

#include <QDateTime>
#include <QElapsedTimer>
#include <QFile>
#include <QProcess>

namespace foundry::bench {

namespace {

Result<double> timedRun(const QStringList &args)
{
    QProcess process;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("CCACHE_DISABLE"), QStringLiteral("1"));
    process.setProcessEnvironment(environment);
    process.setProcessChannelMode(QProcess::MergedChannels);
    QElapsedTimer clock;
    clock.start();
    process.start(QStringLiteral("cmake"), args);
    if (!process.waitForFinished(30 * 60 * 1000) || process.exitCode() != 0)
        return makeError(QLatin1StringView("internal"), QLatin1StringView("bench"),
            QStringLiteral("The build failed: %1").arg(QString::fromUtf8(process.readAll().right(400))));
    return double(clock.nsecsElapsed()) / 1e9;
}

Result<> configure(const QString &folder)
{
    const auto done = timedRun({QStringLiteral("--preset"), QStringLiteral("release"), QStringLiteral("-S"), QStringLiteral(FOUNDRY_SOURCE_DIR), QStringLiteral("-B"), folder,
        QStringLiteral("-DFOUNDRY_TESTS=OFF"), QStringLiteral("-DFOUNDRY_BENCH=OFF")});
    return done ? Result<>(Unit{}) : Result<>(done.error());
}

Result<Measurement> cleanBuild(const Options &)
{
    QTemporaryDir folder;
    if (const auto done = configure(folder.path()); !done)
        return done.error();
    const auto seconds = timedRun({QStringLiteral("--build"), folder.path(), QStringLiteral("-j2")});
    if (!seconds)
        return seconds.error();
    return Measurement{{*seconds}, {}, QStringLiteral("release preset, two jobs, no ccache, programs without tests; one run")};
}

Result<Measurement> oneFile(const Options &)
{
    QTemporaryDir folder;
    const auto dev = timedRun({QStringLiteral("--preset"), QStringLiteral("dev"), QStringLiteral("-S"), QStringLiteral(FOUNDRY_SOURCE_DIR), QStringLiteral("-B"), folder.path(),
        QStringLiteral("-DFOUNDRY_TESTS=OFF"), QStringLiteral("-DFOUNDRY_BENCH=OFF")});
    if (!dev)
        return dev.error();
    if (const auto built = timedRun({QStringLiteral("--build"), folder.path(), QStringLiteral("-j2")}); !built)
        return built.error();
    QList<double> samples;
    QFile file(QStringLiteral(FOUNDRY_SOURCE_DIR "/views/dashboard/dashboard.cpp"));
    for (int run = 0; run < 3; ++run) {
        if (file.open(QIODevice::ReadWrite)) {
            file.setFileTime(QDateTime::currentDateTime(), QFileDevice::FileModificationTime);
            file.close();
        }
        const auto seconds = timedRun({QStringLiteral("--build"), folder.path(), QStringLiteral("-j2")});
        if (!seconds)
            return seconds.error();
        samples.append(*seconds);
    }
    return Measurement{samples, {}, QStringLiteral("dev preset; one source file of the views touched")};
}

} // namespace

QList<Row> buildRows()
{
    return {
        Row{QStringLiteral("B1"), QStringLiteral("clean build, 2 cores, no ccache"), QStringLiteral("s"), 300, false, cleanBuild, true},
        Row{QStringLiteral("B1b"), QStringLiteral("one-file rebuild"), QStringLiteral("s"), 10, false, oneFile, true},
    };
}

} // namespace foundry::bench
