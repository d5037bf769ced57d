// ./bench [ROW…] [--short] [--json FILE] [--compare OLD]: measures the rows of the performance table on this machine.
#include "tests/bench/report.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QJsonDocument>
#include <QSaveFile>
#include <cstdio>

using namespace foundry;
using namespace foundry::bench;

int main(int argc, char **argv)
{
    if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM"))
        qputenv("QT_QPA_PLATFORM", "offscreen"); // figures are taken offscreen at 1600×1000, scale 1
    QApplication app(argc, argv);
    QApplication::setApplicationName(QStringLiteral("foundry-bench"));
    QApplication::setApplicationVersion(QStringLiteral(FOUNDRY_VERSION));

    QCommandLineParser parser;
    parser.setApplicationDescription(QStringLiteral("Measures the rows of the performance table."));
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addPositionalArgument(QStringLiteral("row"), QStringLiteral("Rows to measure, e.g. S1 U4; all when none is named."), QStringLiteral("[ROW…]"));
    const QCommandLineOption shortOption(QStringLiteral("short"), QStringLiteral("Fewer runs, shorter watching."));
    const QCommandLineOption jsonOption(QStringLiteral("json"), QStringLiteral("Writes the figures as JSON."), QStringLiteral("FILE"));
    const QCommandLineOption compareOption(QStringLiteral("compare"), QStringLiteral("Compares with an older JSON file."), QStringLiteral("OLD"));
    parser.addOptions({shortOption, jsonOption, compareOption});
    parser.process(app);

    QList<Row> rows = startRows() + costRows() + hostRows() + loadRows() + transcriptRows() + clientRows() + buildRows();
    const QStringList named = parser.positionalArguments();
    for (const QString &id : named) {
        if (std::none_of(rows.begin(), rows.end(), [&](const Row &row) { return row.id.startsWith(id); })) {
            std::fprintf(stderr, "No row is called %s.\n", qPrintable(id));
            return 2;
        }
    }
    QJsonObject older;
    if (parser.isSet(compareOption)) {
        const auto read = readOlder(parser.value(compareOption));
        if (!read) {
            std::fprintf(stderr, "%s\n", qPrintable(read.error().message));
            return 2;
        }
        older = *read;
    }

    const Options options{parser.isSet(shortOption)};
    QList<Finished> all;
    bool failed = false;
    printHeader();
    for (const Row &row : rows) {
        const bool wanted = named.isEmpty() ? !(row.onlyWhenNamed && options.isShort)
                                            : std::any_of(named.begin(), named.end(), [&](const QString &id) { return row.id.startsWith(id); });
        if (!wanted)
            continue;
        all.append(Finished{row, row.measure(options)});
        failed = failed || !all.last().result;
        printRow(all.last(), older);
    }
    if (parser.isSet(jsonOption)) {
        QSaveFile file(parser.value(jsonOption));
        if (!file.open(QIODevice::WriteOnly) || file.write(QJsonDocument(toJson(all)).toJson()) < 0 || !file.commit()) {
            std::fprintf(stderr, "%s cannot be written: %s\n", qPrintable(file.fileName()), qPrintable(file.errorString()));
            return 2;
        }
    }
    return failed ? 1 : 0;
}
