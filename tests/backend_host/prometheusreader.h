// Prometheus' text format as its rules say, for tests.
#pragma once

#include <QByteArray>
#include <QList>
#include <QMap>
#include <QRegularExpression>
#include <QString>

namespace foundry::test {

// Reads the text format by its rules; the first thing that is wrong ends it.
class PrometheusReader {
public:
    QString error;
    QMap<QString, double> samples; // "name{labels}" as written

    explicit PrometheusReader(const QByteArray &text)
    {
        if (!text.endsWith('\n'))
            error = QStringLiteral("no newline at the end");
        QList<QByteArray> lines = text.split('\n');
        lines.removeLast();
        for (const QByteArray &line : std::as_const(lines)) {
            if (error.isEmpty())
                read(QString::fromUtf8(line));
        }
        for (auto it = m_types.cbegin(); it != m_types.cend() && error.isEmpty(); ++it) {
            if (*it == QLatin1StringView("histogram"))
                checkHistogram(it.key());
        }
    }

private:
    void read(const QString &line)
    {
        static const QRegularExpression help(QStringLiteral("^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) .+$"));
        static const QRegularExpression type(QStringLiteral("^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$"));
        static const QRegularExpression sample(QStringLiteral(
            "^([a-zA-Z_:][a-zA-Z0-9_:]*)(\\{[a-zA-Z_][a-zA-Z0-9_]*=\"(?:[^\"\\\\\\n]|\\\\[\\\\\"n])*\"(?:,[a-zA-Z_][a-zA-Z0-9_]*=\"(?:[^\"\\\\\\n]|\\\\[\\\\\"n])*\")*\\})? ([^ ]+)$"));
        if (const auto m = help.match(line); m.hasMatch())
            return;
        if (const auto m = type.match(line); m.hasMatch()) {
            if (m_types.contains(m.captured(1)))
                error = QStringLiteral("two types for ") + m.captured(1);
            m_types.insert(m.captured(1), m.captured(2));
            return;
        }
        const auto m = sample.match(line);
        bool isNumber = false;
        const double value = m.captured(3).toDouble(&isNumber);
        if (!m.hasMatch() || !isNumber) {
            error = QStringLiteral("not a sample: ") + line;
            return;
        }
        QString family = m.captured(1);
        for (const char *suffix : {"_bucket", "_sum", "_count"}) {
            const QString base = family.endsWith(QLatin1StringView(suffix)) ? family.chopped(qsizetype(qstrlen(suffix))) : QString();
            if (m_types.value(base) == QLatin1StringView("histogram"))
                family = base;
        }
        if (!m_types.contains(family))
            error = QStringLiteral("no type before ") + line;
        const QString key = m.captured(1) + m.captured(2);
        if (samples.contains(key))
            error = QStringLiteral("twice: ") + key;
        samples.insert(key, value);
        if (m_types.value(family) == QLatin1StringView("histogram") && m.captured(1).endsWith(QLatin1StringView("_bucket"))) {
            static const QRegularExpression bound(QStringLiteral(",?le=\"([^\"]+)\""));
            const QString series = family + m.captured(2).remove(bound);
            m_buckets[series].append({bound.match(m.captured(2)).captured(1), value});
        }
    }
    void checkHistogram(const QString &name)
    {
        for (auto it = m_buckets.cbegin(); it != m_buckets.cend(); ++it) {
            if (it.key() != name && !it.key().startsWith(name + QLatin1Char('{')))
                continue;
            double last = 0;
            for (const auto &[bound, count] : *it) {
                if (count < last)
                    error = QStringLiteral("a bucket holds less than the one before: ") + it.key();
                last = count;
            }
            if (it->last().first != QLatin1StringView("+Inf"))
                error = QStringLiteral("no bucket for all: ") + it.key();
        }
    }
    QMap<QString, QString> m_types;
    QMap<QString, QList<QPair<QString, double>>> m_buckets;
};

} // namespace foundry::test
