#include "tests/bench/report.h"

#include <QDateTime>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSysInfo>
#include <algorithm>
#include <cmath>
#include <cstdio>

namespace foundry::bench {

namespace {

QString figure(double value)
{
    const double size = std::abs(value);
    return QString::number(value, 'f', size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

void printLine(const QString &line)
{
    std::fputs(qPrintable(line), stdout);
    std::fputc('\n', stdout);
    std::fflush(stdout);
}

} // namespace

double median(QList<double> samples)
{
    if (samples.isEmpty())
        return std::nan("");
    std::sort(samples.begin(), samples.end());
    const qsizetype middle = samples.size() / 2;
    return samples.size() % 2 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
}

double percentile(QList<double> samples, double p)
{
    if (samples.isEmpty())
        return std::nan("");
    std::sort(samples.begin(), samples.end());
    const auto rank = qsizetype(std::ceil(p * double(samples.size()))) - 1;
    return samples[std::clamp<qsizetype>(rank, 0, samples.size() - 1)];
}

void printHeader()
{
    printLine(QStringLiteral("%1 %2 %3 %4 %5 %6 %7  %8").arg(QStringLiteral("row"), -5).arg(QStringLiteral("what"), -58)
                  .arg(QStringLiteral("budget"), 12).arg(QStringLiteral("median"), 10).arg(QStringLiteral("min–max"), 17)
                  .arg(QStringLiteral("floor"), 9).arg(QStringLiteral("ratio"), 7).arg(QString()));
}

void printRow(const Finished &finished, const QJsonObject &older)
{
    const Row &row = finished.row;
    if (!finished.result) {
        printLine(QStringLiteral("%1 %2 not measured: %3").arg(row.id, -5).arg(row.what.left(58), -58).arg(finished.result.error().message));
        return;
    }
    const Measurement &m = *finished.result;
    const double middle = median(m.samples);
    const bool inside = row.moreIsBetter ? middle >= row.budget : middle <= row.budget;
    const auto [least, most] = std::minmax_element(m.samples.begin(), m.samples.end());
    QString line = QStringLiteral("%1 %2 %3 %4 %5 %6 %7  %8").arg(row.id, -5).arg(row.what.left(58), -58)
                       .arg(figure(row.budget) + QLatin1Char(' ') + row.unit, 12).arg(figure(middle), 10)
                       .arg(figure(*least) + QStringLiteral("–") + figure(*most), 17)
                       .arg(m.floor ? figure(*m.floor) : QStringLiteral("–"), 9)
                       .arg(m.floor && *m.floor > 0 ? figure(middle / *m.floor) + QStringLiteral("×") : QStringLiteral("–"), 7)
                       .arg(inside ? QStringLiteral("ok") : QStringLiteral("OVER"));
    const QJsonObject before = older.value(row.id).toObject();
    if (!before.isEmpty() && before.value(QLatin1StringView("median")).toDouble() > 0)
        line += QStringLiteral("  %1× of before").arg(figure(middle / before.value(QLatin1StringView("median")).toDouble()));
    printLine(line);
    if (!m.note.isEmpty())
        printLine(QStringLiteral("      ") + m.note);
}

QJsonObject toJson(const QList<Finished> &all)
{
    QJsonObject rows;
    for (const Finished &finished : all) {
        QJsonObject json{{QStringLiteral("what"), finished.row.what}, {QStringLiteral("unit"), finished.row.unit},
            {QStringLiteral("budget"), finished.row.budget}};
        if (finished.result) {
            QJsonArray samples;
            for (const double sample : finished.result->samples)
                samples.append(sample);
            json.insert(QStringLiteral("median"), median(finished.result->samples));
            json.insert(QStringLiteral("samples"), samples);
            if (finished.result->floor)
                json.insert(QStringLiteral("floor"), *finished.result->floor);
            json.insert(QStringLiteral("note"), finished.result->note);
        } else {
            json.insert(QStringLiteral("error"), finished.result.error().message);
        }
        rows.insert(finished.row.id, json);
    }
    return {{QStringLiteral("at"), QDateTime::currentDateTimeUtc().toString(Qt::ISODate)},
        {QStringLiteral("system"), QSysInfo::prettyProductName()}, {QStringLiteral("version"), QStringLiteral(FOUNDRY_VERSION)},
        {QStringLiteral("rows"), rows}};
}

Result<QJsonObject> readOlder(const QString &path)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("%1 cannot be read.").arg(path));
    const QJsonDocument document = QJsonDocument::fromJson(file.readAll());
    if (!document.object().contains(QLatin1StringView("rows")))
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("%1 is no file of ./bench --json.").arg(path));
    return document.object().value(QLatin1StringView("rows")).toObject();
}

} // namespace foundry::bench
