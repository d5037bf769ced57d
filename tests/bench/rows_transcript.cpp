// Row H3: a long transcript costs what a short one does.
#include "tests/backend_actors/transcriptload.h"
#include "tests/bench/report.h"

namespace foundry::bench {

namespace {

Result<Measurement> longTranscript(const Options &options, const QString &action)
{
    test::TranscriptLoad load;
    const qint64 rows = options.isShort ? 20000 : 1000000;
    for (const auto &[name, count] : {std::pair(QStringLiteral("few"), qint64(1000)), std::pair(QStringLiteral("many"), rows)}) {
        if (auto grown = load.grow(name, count); !grown)
            return grown.error();
    }
    QList<double> samples;
    double few = 0;
    double many = 0;
    for (int run = 0; run < options.runs(); ++run) {
        const auto compared = load.compare(QStringLiteral("few"), QStringLiteral("many"), action, 20, 20);
        if (!compared)
            return compared.error();
        samples.append(compared->ratio());
        few = compared->few;
        many = compared->many;
    }
    return Measurement{samples, std::nullopt,
        QStringLiteral("%1 µs among 1,000 rows, %2 µs among %L3").arg(few, 0, 'f', 0).arg(many, 0, 'f', 0).arg(rows)};
}

} // namespace

QList<Row> transcriptRows()
{
    return {
        Row{QStringLiteral("H3"), QStringLiteral("appending to 1,000,000 transcript rows against 1,000"), QStringLiteral("×"), 1.2, false,
            [](const Options &options) { return longTranscript(options, QStringLiteral("append")); }, true},
        Row{QStringLiteral("H3b"), QStringLiteral("the last page of 1,000,000 transcript rows against 1,000"), QStringLiteral("×"), 1.2, false,
            [](const Options &options) { return longTranscript(options, QStringLiteral("last")); }, true},
    };
}

} // namespace foundry::bench
